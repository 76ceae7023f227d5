import json
from pathlib import Path

import pytest

from assay.canonical import digest_bytes
from assay.cli import main
from assay.compare.entries import gather
from assay.errors import CompareError
from assay.ledger import (
    Ledger,
    append,
    find_run,
    ledger_standing,
    machine_ledger,
    read_ledger,
    standing,
    verify_ledger,
)
from ledgers import correction, digest, filled, record, retraction

NAMES = ("good", "fair", "poor")


@pytest.fixture
def ledger(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Ledger:
    """Three submissions of three seeds on this machine, under the names of a real track."""
    monkeypatch.setenv("ASSAY_HOME", str(tmp_path))
    for quality, name in enumerate(NAMES):
        for seed in range(3):
            append(record(name, 10 * quality + seed, 1 + quality + seed / 100))
    return machine_ledger()


def answer(capsys: pytest.CaptureFixture[str], words: list[str], code: int = 0) -> dict:
    assert main([*words, "--json"]) == code
    return json.loads(capsys.readouterr().out)


def on_board(capsys: pytest.CaptureFixture[str]) -> dict[str, int]:
    """Return name to number of seeds, best first."""
    tables = answer(capsys, ["board"])["tables"]
    return {row["name"]: row["seeds"] for table in tables for row in table["rows"]}


def test_a_retracted_record_counts_no_more(
    ledger: Ledger, capsys: pytest.CaptureFixture[str]
) -> None:
    assert on_board(capsys) == {"good": 3, "fair": 3, "poor": 3}
    wrong = record("good", 1, 1.01)
    ledger.append("retraction", retraction(wrong["digest"]))
    assert on_board(capsys) == {"good": 2, "fair": 3, "poor": 3}
    assert find_run("t", "s", wrong["digests"]["run"]) is None
    assert wrong["digest"] not in {one["digest"] for one in read_ledger("t", "s")}
    assert ledger.find(wrong["digest"]) == 1, "it stays in the ledger"


def test_a_retracted_submission_takes_its_later_runs_along(
    ledger: Ledger, capsys: pytest.CaptureFixture[str]
) -> None:
    ledger.append("retraction", retraction(digest("good"), "trained on evaluation items"))
    append(record("good", 3, 0.5))
    assert on_board(capsys) == {"fair": 3, "poor": 3}
    found = ledger_standing(ledger).retraction(record("good", 3, 0.5))
    assert found is not None
    assert (found.reason, found.index) == ("trained on evaluation items", 9)


def test_a_correction_changes_the_name_and_no_digest_or_score(
    ledger: Ledger, capsys: pytest.CaptureFixture[str]
) -> None:
    before = read_ledger()
    ledger.append("correction", correction(digest("fair"), name="middling", licence="MIT"))
    ledger.append("correction", correction(digest("fair"), name="so-so"))
    assert on_board(capsys) == {"good": 3, "so-so": 3, "poor": 3}
    after = read_ledger()
    assert [one["digest"] for one in after] == [one["digest"] for one in before]
    assert [one["metrics"] for one in after] == [one["metrics"] for one in before]
    assert after[3]["submission"]["manifest"] == {"name": "so-so", "licence": "MIT"}
    assert ledger.read(3).body["submission"]["manifest"] == {"name": "fair"}


def test_what_was_said_of_a_record_counts_more_than_what_was_said_of_its_submission(
    ledger: Ledger,
) -> None:
    one = record("good", 0, 1.0)
    ledger.append("correction", correction(one["digest"], name="record"))
    ledger.append("correction", correction(digest("good"), name="submission", method="m"))
    names = [r["submission"]["manifest"] for r in read_ledger()[:2]]
    assert [manifest["name"] for manifest in names] == ["record", "submission"]
    assert names[0]["method"] == "m"


def test_compare_leaves_out_what_was_retracted_and_knows_corrected_names(
    ledger: Ledger,
) -> None:
    ledger.append("correction", correction(digest("good"), name="best"))
    ledger.append("retraction", retraction(digest("poor")))
    ledger.append("retraction", retraction(record("fair", 11, 2.01)["digest"]))
    (scores,) = gather("t", ["s"], [])
    assert sorted(scores.chosen.values()) == ["best", "fair"]
    assert scores.values("bits_per_byte") == {
        digest("good"): [1.0, 1.01, 1.02],
        digest("fair"): [2.0, 2.02],
    }
    for gone in ("good", "poor"):
        with pytest.raises(CompareError, match=f"no submission '{gone}'"):
            gather("t", ["s"], [gone, "fair"])


def test_levels_below_rerun_are_not_ranked(
    ledger: Ledger, capsys: pytest.CaptureFixture[str]
) -> None:
    for seed, level in enumerate(("reported", "checked", "rerun", "official")):
        ledger.append("run", record(level, seed, 1.0), level)
    assert set(on_board(capsys)) == {*NAMES, "rerun", "official"}


def test_folding_in_pieces_gives_what_folding_at_once_gives(tmp_path: Path) -> None:
    ledger = filled(tmp_path, 2)
    key = "5a" * 32
    epoch = digest_bytes(bytes.fromhex(key))
    for kind, body in (
        ("epoch", {"epoch": epoch}),
        ("retraction", retraction(digest("a"), "first")),
        ("correction", correction(digest("b"), name="x")),
        ("retraction", retraction(digest("a"), "second")),
        ("objection", {"target": digest("a"), "text": "why?", "contact": ""}),
        ("correction", correction(digest("b"), method="y")),
        ("epoch", {"epoch": epoch, "key": key}),
    ):
        ledger.append(kind, body)
    entries = list(ledger.entries())
    whole = standing(entries)
    for cut in range(len(entries) + 1):
        before = standing(entries[:cut])
        kept = (dict(before.retracted), dict(before.corrected), dict(before.epochs))
        assert standing(entries[cut:], before) == whole
        assert (before.retracted, before.corrected, before.epochs) == kept
    assert whole.retracted[digest("a")].reason == "first"
    assert whole.corrected[digest("b")] == {"name": "x", "method": "y"}
    assert whole.objections == {digest("a"): (6,)}
    assert standing(entries[:3]).epochs[epoch].key is None
    assert (whole.epochs[epoch].key, whole.epochs[epoch].committed) == (key, entries[2].time)


def test_the_commands_retract_and_correct(
    ledger: Ledger, capsys: pytest.CaptureFixture[str]
) -> None:
    target = digest("poor")[7:15]
    words = ["ledger", "correct", target, "--name", "worst", "--author", "A", "--reason", "typo"]
    entry = answer(capsys, words)
    assert (entry["kind"], entry["body"]["manifest"]) == (
        "correction",
        {"name": "worst", "authors": ["A"]},
    )
    assert list(on_board(capsys)) == ["good", "fair", "worst"]
    assert answer(capsys, ["ledger", "retract", target, "--reason", "bad"])["body"] == {
        "target": digest("poor"), "reason": "bad", "by": "operator",
    }  # fmt: skip
    assert list(on_board(capsys)) == ["good", "fair"]
    again = answer(capsys, ["ledger", "retract", target, "--reason", "bad"], code=2)
    assert "retracted since entry 10" in again["error"]
    assert verify_ledger(ledger.folder).ok


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["retract", "abc", "--reason", "x"], "is not 6 or more digits"),
        (["retract", "0123456789", "--reason", "x"], "is not 6 or more digits"),
        (["correct", "{good}", "--reason", "x"], "say what is right"),
        (["correct", "{good}", "--name", "a\u202eb", "--reason", "x"], "M1"),
        (["prove", "0123"], "of 0 records"),
        (["show", "--last", "0"], "at least one entry"),
        (["export", "{ledger}"], "the ledger itself"),
        (["import", "{ledger}"], "has no records"),
        (["verify", "{ledger}/none"], "holds no ledger"),
        (["verify", "{ledger}/keys.json"], "no proof"),
    ],
)
def test_bad_usage_is_one_line(
    words: list[str], message: str, ledger: Ledger, capsys: pytest.CaptureFixture[str]
) -> None:
    size = ledger.size
    given = {"good": digest("good")[7:15], "ledger": str(ledger.folder)}
    assert main(["ledger", *(word.format(**given) for word in words)]) == 2
    (line,) = capsys.readouterr().err.splitlines()
    assert message in line
    assert ledger.size == size
