import json
import shutil
import stat
import subprocess
from pathlib import Path

import pytest

from assay.errors import LedgerError
from assay.ledger import (
    Ledger,
    append,
    entry_path,
    find_run,
    key_file,
    ledger_folder,
    machine_ledger,
    read_ledger,
    read_record,
    record_path,
    verify_consistency,
    verify_inclusion,
    verify_ledger,
)
from assay.ledger.keys import load_or_create_key
from assay.record import record_digest
from ledgers import digest, filled, open_ledger, record, retraction


def test_entries_come_back_in_order_chained_and_signed(tmp_path: Path) -> None:
    ledger = filled(tmp_path, 5)
    ledger.append("retraction", retraction(digest("m")))
    entries = list(Ledger.open(tmp_path / "ledger").entries())
    assert [entry.index for entry in entries] == list(range(6))
    assert [entry.previous for entry in entries[1:]] == [entry.digest for entry in entries[:-1]]
    assert all(entry.is_signed for entry in entries)
    assert entries[2].body == record("m", 2, 2.2)
    assert [entry.level for entry in entries] == ["rerun"] * 5 + [""]
    assert verify_ledger(tmp_path / "ledger").ok


def test_a_file_is_canonical_json_of_its_entry_and_openssl_agrees_with_its_signature(
    tmp_path: Path,
) -> None:
    ledger = filled(tmp_path, 1)
    path = entry_path(ledger.folder, 0)
    assert path == tmp_path / "ledger" / "entries" / "0000" / "000000.json"
    values = json.loads(path.read_bytes())
    text = json.dumps(values, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    assert path.read_bytes() == text.encode() + b"\n"
    unsigned = {name: values[name] for name in values if name not in ("digest", "signature")}
    assert values["digest"] == digest(unsigned)
    (tmp_path / "message").write_bytes(b"assay ledger entry 1\x00" + values["digest"].encode())
    (tmp_path / "signature").write_bytes(bytes.fromhex(values["signature"]))
    command = ["openssl", "pkeyutl", "-verify", "-inkey", str(tmp_path / "keys" / "ledger.ed25519")]
    if shutil.which("openssl") is None:
        pytest.skip("openssl is not installed")
    done = subprocess.run(
        [*command, "-rawin", "-in", str(tmp_path / "message"), "-sigfile", str(tmp_path / "signature")],
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert "Verified Successfully" in done.stdout, done.stderr


def test_the_head_covers_everything_and_proofs_lead_to_it(tmp_path: Path) -> None:
    ledger = filled(tmp_path, 7)
    head = ledger.head()
    assert (head.size, head.root, head.is_signed) == (7, ledger.root(7), True)
    for index, entry in enumerate(ledger.entries()):
        proof = ledger.inclusion_proof(index, 7)
        assert verify_inclusion(entry.digest.encode(), index, 7, proof, head.root)
    for old in range(8):
        proof = ledger.consistency_proof(old, 7)
        assert verify_consistency(old, 7, ledger.root(old), head.root, proof)


def test_the_private_key_is_its_owners_alone_and_outside_of_the_folder(tmp_path: Path) -> None:
    filled(tmp_path, 1)
    path = tmp_path / "keys" / "ledger.ed25519"
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    secret = path.read_text().splitlines()[1]
    published = [f.read_text() for f in (tmp_path / "ledger").rglob("*") if f.is_file()]
    assert len(published) == 3
    assert not any(secret in text for text in published)
    path.chmod(0o644)
    with pytest.raises(LedgerError, match="chmod 600"):
        load_or_create_key(path)


def test_a_file_that_is_no_key_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "key"
    path.write_text("-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n")
    path.chmod(0o600)
    with pytest.raises(LedgerError, match="no Ed25519 key"):
        load_or_create_key(path)


def test_a_lost_key_is_replaced_and_old_entries_still_verify(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    first = filled(tmp_path, 2).head().key
    (tmp_path / "keys" / "ledger.ed25519").unlink()
    second = filled(tmp_path, 3).head().key
    assert "signed by another key so far" in capsys.readouterr().err
    report = verify_ledger(tmp_path / "ledger")
    assert (report.ok, report.size, report.keys) == (True, 3, (first, second))


def test_a_thousand_entries_go_to_a_folder() -> None:
    assert entry_path(Path("l"), 999) == Path("l/entries/0000/000999.json")
    assert entry_path(Path("l"), 1000) == Path("l/entries/0001/001000.json")


def test_a_record_is_appended_once(tmp_path: Path) -> None:
    ledger = filled(tmp_path, 2)
    again = ledger.append("run", record("m", 0, 2.0), "official")
    assert (again.index, again.level, ledger.size) == (0, "rerun", 2)


@pytest.mark.parametrize(
    ("kind", "body", "level", "message"),
    [
        ("score", {}, "", "no kind of entry"),
        ("run", record("m"), "", "cannot have level ''"),
        ("run", record("m"), "trusted", "cannot have level 'trusted'"),
        ("run", record("m") | {"seed": 5}, "rerun", "was edited"),
        ("run", {"digest": "x"}, "rerun", "no record of a run"),
        ("retraction", retraction(digest("m")), "rerun", "cannot have level"),
        ("retraction", retraction("m"), "", "needs 'target'"),
        ("retraction", {"target": digest("m"), "reason": 3, "by": "x"}, "", "needs 'reason'"),
        (
            "correction",
            {"target": digest("m"), "manifest": {}, "reason": "", "by": ""},
            "",
            "needs 'manifest'",
        ),
        ("epoch", {"epoch": "abc"}, "", "needs 'epoch'"),
        ("epoch", {"epoch": digest("m"), "key": "00"}, "", "not the one of epoch"),
        ("epoch", {"epoch": digest("m"), "key": "zz"}, "", "not the one of epoch"),
        ("objection", {"target": digest("m"), "text": "why"}, "", "needs 'contact'"),
    ],
)
def test_what_a_kind_does_not_allow_is_refused_and_leaves_nothing(
    kind: str, body: dict, level: str, message: str, tmp_path: Path
) -> None:
    ledger = filled(tmp_path, 1)
    with pytest.raises(LedgerError, match=message):
        ledger.append(kind, body, level)
    assert ledger.size == 1


def test_a_ledger_sees_what_another_one_appends(tmp_path: Path) -> None:
    one, two = filled(tmp_path, 1), open_ledger(tmp_path)
    for seed in range(1, 7):
        (one if seed % 2 else two).append("run", record("m", seed), "rerun")
    assert one.size == two.size == 7
    assert one.head() == two.head()


def test_a_folder_that_was_put_back_is_refused_until_it_is_whole_again(tmp_path: Path) -> None:
    ledger = filled(tmp_path, 3)
    backup = tmp_path / "backup"
    shutil.copytree(ledger.folder, backup)
    ledger.append("run", record("m", 3), "rerun")
    shutil.move(ledger.folder, tmp_path / "newer")
    shutil.copytree(backup, ledger.folder)
    for _ in range(2):
        with pytest.raises(LedgerError, match="does not go on from what was read before"):
            ledger.append("run", record("other"), "rerun")
    # Another history of the same length is none either.
    filled(tmp_path / "b", 5)
    shutil.rmtree(ledger.folder)
    shutil.copytree(tmp_path / "b" / "ledger", ledger.folder)
    for _ in range(2):
        with pytest.raises(LedgerError, match="does not"):
            _ = ledger.size
    shutil.rmtree(ledger.folder)
    shutil.move(tmp_path / "newer", ledger.folder)
    assert ledger.size == 4
    assert ledger.append("run", record("other"), "rerun").index == 4


def test_a_folder_that_was_emptied_is_another_ledger(tmp_path: Path) -> None:
    ledger = filled(tmp_path, 3)
    assert ledger.size == 3
    shutil.rmtree(tmp_path / "ledger")
    assert ledger.size == 0
    ledger.append("run", record("other"), "rerun")
    assert [entry.body["submission"]["digest"] for entry in ledger.entries()] == [digest("other")]


def test_a_mirror_without_a_ledger_is_said_so(tmp_path: Path) -> None:
    with pytest.raises(LedgerError, match="holds no ledger"):
        Ledger.open(tmp_path)
    assert list(tmp_path.iterdir()) == []


def test_an_entry_from_elsewhere_is_not_taken_in(tmp_path: Path) -> None:
    ours, theirs = filled(tmp_path / "a", 2), filled(tmp_path / "b", 3)
    shutil.copy(entry_path(theirs.folder, 2), entry_path(ours.folder, 2))
    with pytest.raises(LedgerError, match="does not follow"):
        Ledger.open(ours.folder)
    # One that follows, but is signed by nobody here.
    stranger = Ledger.open(ours.folder.parent / "copy", theirs.key_file)
    shutil.copytree(ours.folder, stranger.folder, dirs_exist_ok=True)
    entry_path(stranger.folder, 2).unlink()
    stranger.append("run", record("m", 2), "rerun")
    shutil.copy(entry_path(stranger.folder, 2), entry_path(ours.folder, 2))
    with pytest.raises(LedgerError, match="not signed by a key of this ledger"):
        Ledger.open(ours.folder)


def test_reading_writes_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ASSAY_HOME", str(tmp_path))
    assert read_ledger() == []
    assert find_run("t", "s", digest(["m", 0, "s"])) is None
    assert list(tmp_path.iterdir()) == []


def test_the_machines_ledger_keeps_what_the_folder_of_records_kept(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ASSAY_HOME", str(tmp_path))
    made = [record("m", seed, scale=scale) for seed in (3, 1, 2) for scale in ("s", "big")]
    paths = [append(one) for one in made]
    assert append(made[0]) == paths[0] == record_path(made[0])
    assert [read_record(path) for path in paths] == made
    assert [one["seed"] for one in read_ledger("t", "s")] == [1, 2, 3]
    assert len(read_ledger()) == len(read_ledger("t")) == 6
    assert read_ledger("other") == []
    assert find_run("t", "big", digest(["m", 2, "big"])) == made[5]
    assert find_run("t", "s", digest(["m", 2, "big"])) is None
    assert (ledger_folder(), key_file()) == (
        tmp_path / "ledger",
        tmp_path / "keys" / "ledger.ed25519",
    )
    assert {entry.level for entry in machine_ledger().entries()} == {"rerun"}
    with pytest.raises(LedgerError, match="has no record"):
        record_path(record("stranger"))


def test_of_two_records_of_a_run_the_newer_is_found(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ASSAY_HOME", str(tmp_path))
    old, new = (
        record("m", 1, bits) | {"clock": {"finished": f"2026-01-0{day}T00:00:00+00:00"}}
        for day, bits in ((1, 2.0), (2, 2.5))
    )
    for one in (new, old):
        one["digest"] = record_digest(one)
        append(one)
    found = find_run("t", "s", old["digests"]["run"])
    assert found is not None
    assert found["metrics"]["bits_per_byte"] == 2.5
