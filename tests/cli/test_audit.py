"""`assay audit`, from a list to its data card."""

import json
from pathlib import Path

import pytest

from assay.cli import main
from assay.pool import Pool
from assay.pool.uid import uids_to_hex

AT = ["--track", "tiny", "--scale", "pico"]


def answer(capsys: pytest.CaptureFixture[str], *words: object) -> dict:
    """Run a command with --json and return its document."""
    capsys.readouterr()
    assert main([*map(str, words), "--json"]) == 0
    return json.loads(capsys.readouterr().out)


@pytest.fixture
def ids_file(tiny_home: Path, tmp_path: Path) -> Path:
    """A list of nine tenths of the tiny pool."""
    ids = tmp_path / "s.npy"
    assert (
        main(
            ["select", "random", *AT, "--out", str(ids), "--name", "first", "--set", "fraction=0.9"]
        )
        == 0
    )
    return ids


def test_an_audit_tells_what_a_list_holds(
    ids_file: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["score", str(ids_file), *AT, "progress=false"]) == 0
    other = tmp_path / "other.npy"
    assert (
        main(["select", "random", *AT, "--out", str(other), "--seed", "9", "--set", "fraction=0.5"])
        == 0
    )
    out = tmp_path / "report"
    document = answer(capsys, "audit", ids_file, *AT, "--out", out, "--records", "--checkpoint")
    pool = Pool.open("tiny-pool")
    tasks = document["contamination"]["tasks"]
    assert document["submission"]["examples"] == 270
    assert document["contamination"]["num_matches"] == len(document["contamination"]["matches"])
    assert {match["uid"] for match in document["contamination"]["matches"]} <= set(
        uids_to_hex(pool.uids)
    )
    (run,) = document["runs"]
    board = answer(capsys, "board", *AT[:2])
    assert (
        run["full"]["bits_per_byte"]
        == board["tables"][0]["rows"][0]["estimates"]["bits_per_byte"]["mean"]
    )
    assert run["without_leaked"]["removed"] == sum(task["leaked"] for task in tasks.values())
    assert document["membership"]["control"]["suspected"] == 270
    assert document["overlaps"] == []
    lines = (out / "matches.jsonl").read_text().splitlines()
    assert [json.loads(line)["uid"] for line in lines]
    assert json.loads((out / "card.json").read_text())["summary"]["name"] == "first"
    assert (out / "card.md").read_text().startswith("# Data card: first\n")
    second = answer(capsys, "audit", other, *AT)
    assert [one["name"] for one in second["overlaps"]] == ["first"]
    assert second["runs"] == []
    assert second["membership"] is None


def test_two_processes_find_what_one_finds(
    ids_file: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    one = answer(capsys, "audit", ids_file, *AT, "--records")
    assert answer(capsys, "audit", ids_file, *AT, "--records", "--workers", "2") == one


def test_chunks_are_audited_as_chunks(
    ids_file: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    pool = Pool.open("tiny-pool")
    ids = tmp_path / "chunks.txt"
    ids.write_text("".join(f"{uid}#0\n" for uid in uids_to_hex(pool.uids[:40])))
    found = answer(capsys, "audit", ids, *AT, "--unit", "tokens512")
    shown = sum(min(512, int(n)) for n in pool.n_tokens[:40])
    assert found["epochs"]["unique"] == shown


def test_the_terminal_gets_tables(ids_file: Path, capsys: pytest.CaptureFixture[str]) -> None:
    document = answer(capsys, "audit", ids_file, *AT)
    assert main(["audit", str(ids_file), *AT]) == 0
    shown = capsys.readouterr().out
    assert "270 examples" in shown
    assert "Copies within the selection" in shown
    rows = [line.split() for line in shown.splitlines()]
    (lengths,) = document["lengths"]
    for whose in ("selected", "pool"):
        middle = [f"{lengths[whose][i]:,.0f}" for i in (1, 3, 5)]
        heading = "selection" if whose == "selected" else "pool"
        assert ["tokens", "the", heading, *middle] in rows
    assert document["scripts"]["Latin"] > 0.5
    assert ["script,", "by", "letters", "Latin", f"{document['scripts']['Latin']:.1%}"] in rows


def test_the_terminal_says_what_the_evidence_is_worth(
    ids_file: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["score", str(ids_file), *AT, "progress=false"]) == 0
    found = answer(capsys, "audit", ids_file, *AT, "--checkpoint")["membership"]
    assert main(["audit", str(ids_file), *AT, "--checkpoint"]) == 0
    shown = " ".join(capsys.readouterr().out.split())
    assert found["reading"] in shown
    assert f"{found['control']['auroc']:.3f}" in found["reading"]


def test_pairs_are_audited(
    tiny_clip_home: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    at = ["--track", "tiny-clip", "--scale", "pico"]
    ids = tmp_path / "p.npy"
    assert main(["select", "no_filter", *at, "--out", str(ids)]) == 0
    document = answer(capsys, "audit", ids, *at)
    assert document["submission"]["examples"] == 200
    assert document["epochs"]["unit"] == "samples"
    assert document["unreadable_images"] == 0
    assert set(document["contamination"]["tasks"]) == {"colour", "retrieval"}
    assert (
        document["duplicates"]["near"]["redundant"] >= document["duplicates"]["exact"]["redundant"]
    )
    assert main(["audit", str(ids), *at, "--checkpoint"]) == 2
    assert "track of images" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["--workers", "0"], "at least one process"),
        (["--checkpoint"], "no checkpoint of this submission"),
        (["--checkpoint", "nowhere"], "no checkpoint in nowhere"),
    ],
)
def test_bad_input_is_one_line(
    ids_file: Path, capsys: pytest.CaptureFixture[str], words: list[str], message: str
) -> None:
    capsys.readouterr()
    assert main(["audit", str(ids_file), *AT, *words]) == 2
    error = capsys.readouterr().err.strip().splitlines()[-1]
    assert message in error
