import json
import shutil
import subprocess
from pathlib import Path

import pytest

from assay.canonical import canonical_json
from assay.cli import main
from assay.errors import LedgerError
from assay.ledger import (
    Ledger,
    check_proof,
    export_ledger,
    import_records,
    machine_ledger,
    prove_record,
    read_ledger,
    verify_ledger,
)
from ledgers import digest, filled, open_ledger, record, retraction


def files(folder: Path) -> dict[str, bytes]:
    return {
        str(path.relative_to(folder)): path.read_bytes()
        for path in folder.rglob("*")
        if path.is_file() and ".git" not in path.relative_to(folder).parts[0]
    }


def test_a_mirror_is_the_ledger_and_grows_with_it(tmp_path: Path) -> None:
    ledger = filled(tmp_path, 3)
    out = tmp_path / "mirror"
    assert export_ledger(ledger, out)[0] == 3
    assert files(out) == files(ledger.folder)
    seen = ledger.head().root
    ledger.append("retraction", retraction(digest("m")))
    assert export_ledger(ledger, out)[0] == 1
    assert export_ledger(ledger, out)[0] == 0
    assert files(out) == files(ledger.folder)
    assert verify_ledger(out, since=seen).since_size == 3
    assert [entry.plain() for entry in Ledger.open(out).entries()] == [
        entry.plain() for entry in ledger.entries()
    ]


def test_an_export_that_was_killed_is_completed(tmp_path: Path) -> None:
    ledger = filled(tmp_path, 4)
    out = tmp_path / "mirror"
    export_ledger(ledger, out)
    head = (out / "head.json").read_bytes()
    for seed in (4, 5):
        ledger.append("run", record("m", seed), "rerun")
    export_ledger(ledger, out)
    (out / "entries" / "0000" / "000005.json").write_bytes(b"torn")
    (out / "head.json").write_bytes(head)
    export_ledger(ledger, out)
    assert files(out) == files(ledger.folder)


def test_a_mirror_of_another_history_is_refused_and_left_alone(tmp_path: Path) -> None:
    ledger, other = filled(tmp_path / "a", 3), filled(tmp_path / "b", 3)
    out = tmp_path / "mirror"
    export_ledger(other, out)
    before = files(out)
    with pytest.raises(LedgerError, match="mirrors another ledger"):
        export_ledger(ledger, out)
    assert files(out) == before
    shutil.rmtree(ledger.folder)
    shorter = filled(tmp_path / "a", 1)
    with pytest.raises(LedgerError, match="mirrors another ledger"):
        export_ledger(shorter, out)


def test_a_folder_of_something_else_is_not_filled(tmp_path: Path) -> None:
    out = tmp_path / "photos"
    out.mkdir()
    (out / "a.jpg").touch()
    with pytest.raises(LedgerError, match="neither empty nor a mirror"):
        export_ledger(filled(tmp_path, 1), out)
    assert files(out) == {"a.jpg": b""}


def git(folder: Path, *words: str) -> str:
    return subprocess.run(
        ["git", "-C", str(folder), *words], capture_output=True, text=True, check=True
    ).stdout


@pytest.mark.skipif(shutil.which("git") is None, reason="needs git")
def test_a_git_mirror_has_a_commit_a_head_and_a_clone_verifies(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("GIT_DIR", str(tmp_path / "elsewhere"))
    ledger = filled(tmp_path, 2)
    out = tmp_path / "mirror"
    heads = [export_ledger(ledger, out, git=True)[1]]
    export_ledger(ledger, out, git=True)
    ledger.append("run", record("m", 7), "rerun")
    heads.append(export_ledger(ledger, out, git=True)[1])
    monkeypatch.delenv("GIT_DIR")
    messages = git(out, "log", "--reverse", "--format=%B%x00").split("\0")[:-1]
    assert [message.split()[:3] for message in messages] == [
        ["ledger:", "2", "entries"],
        ["ledger:", "3", "entries"],
    ]
    assert [json.loads(m.splitlines()[-1] or m.splitlines()[-2]) for m in messages] == [
        head.plain() for head in heads
    ]
    assert git(out, "status", "--porcelain") == ""
    assert "M" not in git(out, "diff", "--name-status", "HEAD~1", "--", "entries")
    clone = tmp_path / "clone"
    git(tmp_path, "-c", "core.autocrlf=true", "clone", "--quiet", str(out), str(clone))
    report = verify_ledger(clone, since=heads[0].root, keys=[heads[0].key])
    assert (report.ok, report.size, report.since_size) == (True, 3, 2)


def test_a_proof_holds_alone_and_only_whole(tmp_path: Path) -> None:
    ledger = filled(tmp_path, 9)
    one = record("m", 4, 2.4)
    document = json.loads(canonical_json(prove_record(ledger, one["digest"])))
    entry, head = check_proof(document)
    assert (entry.index, entry.body, head) == (4, one, ledger.head())
    other = filled(tmp_path / "other", 9)
    foreign = prove_record(other, one["digest"])
    ledger.append("run", record("m", 9), "rerun")
    later = ledger.head().plain()
    for forged in (
        document | {"entry": document["entry"] | {"level": "official"}},
        document | {"entry": document["entry"] | {"body": record("m", 4, 1.0)}},
        document | {"entry": document["entry"] | {"signature": "00" * 64}},
        document | {"head": document["head"] | {"size": 8}},
        document | {"head": later},
        document | {"head": foreign["head"]},
        document | {"path": document["path"][1:]},
        document | {"path": None},
        document | {"entry": None},
        document | {"format": "x"},
        [],
        None,
    ):
        with pytest.raises(LedgerError):
            check_proof(forged)


def test_what_is_not_there_cannot_be_proved(tmp_path: Path) -> None:
    with pytest.raises(LedgerError, match="has no record"):
        prove_record(filled(tmp_path, 1), digest("x"))


def older_folder(home: Path) -> Path:
    """Write records as they were kept before."""
    folder = home / "ledger"
    for seed in (5, 1, 3):
        one = record("m", seed)
        path = folder / "t" / "s" / (one["digest"][7:] + ".json")
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(canonical_json(one) + b"\n")
    return folder


def test_records_of_the_older_kind_are_taken_in_once_oldest_first(tmp_path: Path) -> None:
    folder = older_folder(tmp_path / "old")
    ledger = open_ledger(tmp_path)
    assert import_records(ledger, folder) == (3, 0)
    assert import_records(ledger, folder) == (0, 3)
    assert [entry.body["seed"] for entry in ledger.entries()] == [1, 3, 5]
    assert verify_ledger(ledger.folder).ok


def test_one_that_was_edited_keeps_all_of_them_out(tmp_path: Path) -> None:
    folder = older_folder(tmp_path / "old")
    path = next(iter(sorted(folder.glob("*/*/*.json"))))
    path.write_text(path.read_text().replace('"bits_per_byte":2.0', '"bits_per_byte":1.0'))
    ledger = open_ledger(tmp_path)
    with pytest.raises(LedgerError, match="was edited"):
        import_records(ledger, folder)
    assert ledger.size == 0


def test_a_home_with_older_records_says_how_to_take_them_in(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("ASSAY_HOME", str(tmp_path))
    folder = older_folder(tmp_path)
    assert main(["board"]) == 0
    assert (
        f"holds 3 records as assay kept them before it signed its ledger; take them in with: assay ledger import {folder}"
        in capsys.readouterr().err
    )
    assert main(["ledger", "import", str(folder)]) == 0
    assert "3 records appended" in capsys.readouterr().out
    assert len(read_ledger("t", "s")) == 3
    assert main(["ledger", "verify"]) == 0
    assert machine_ledger().size == 3


def test_the_commands_verify_prove_show_and_export(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("ASSAY_HOME", str(tmp_path))
    ledger = filled(tmp_path, 3)
    root = ledger.head().root
    digits = record("m", 1, 2.1)["digest"][7:17]
    assert main(["ledger", "prove", digits]) == 0
    proof = tmp_path / "proof.json"
    proof.write_text(capsys.readouterr().out)
    out = str(tmp_path / "mirror")
    assert main(["ledger", "export", out]) == 0
    assert f"assay ledger verify {out} --key {ledger.head().key}" in capsys.readouterr().out
    assert main(["ledger", "verify", str(proof), "--key", ledger.head().key]) == 0
    assert "entry 1, rerun run" in capsys.readouterr().out
    assert main(["ledger", "verify", str(proof), "--key", "ed25519:00"]) == 2
    assert main(["ledger", "verify", out, "--since", root]) == 0
    assert "continues the ledger of 3 entries" in capsys.readouterr().out
    assert main(["ledger", "verify", out, "--since", digest("x"), "--json"]) == 10
    told = json.loads(capsys.readouterr().out)
    assert (told["ok"], told["exit_code"], told["finding"]["fault"]) == (False, 10, "fork")
    assert main(["ledger", "show", out, "--last", "2"]) == 0
    shown = capsys.readouterr().out.splitlines()
    assert [line.split()[0] for line in shown[3:]] == ["1", "2"]
    (tmp_path / "mirror" / "entries" / "0000" / "000001.json").unlink()
    assert main(["ledger", "verify", out]) == 4
    assert capsys.readouterr().out.startswith("missing: entry 1 is missing")
