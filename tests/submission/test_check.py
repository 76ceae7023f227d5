"""Rules that need the pool: S1 (size), S2 (known ids), S3 (caps), S4 (budget), M1 (manifest)."""

import json

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from assay.pool.uid import UID_DTYPE, uids_to_hex
from assay.submission import (
    Manifest,
    Report,
    staged,
    submission_of,
    validate,
    validate_file,
    write_submission,
)
from assay.submission.check import MAX_STAGE_COPIES, max_entries
from assay.track.spec import Budget, Rules


def tokens(amount: int, steps: int = 1000) -> Budget:
    return Budget(amount, "tokens", steps)


def rules_of(report: Report, severity: str = "error") -> list[str]:
    return [finding.rule for finding in report.findings if finding.severity == severity]


def strangers(n: int, seed: int = 99) -> np.ndarray:
    return np.random.PCG64(seed).random_raw(2 * n).view(UID_DTYPE)


def test_a_list_that_fills_the_budget_once_is_accepted_without_a_word(pool, rules):
    report = validate(submission_of(pool.uids), pool, rules, budget=tokens(5050, 5))
    assert report.ok
    assert report.findings == ()
    assert (report.unique, report.shown, report.repeats) == (50, 5000, 1)


def test_s1_a_list_longer_than_the_pool_is_refused(pool, rules):
    both = np.concatenate([pool.uids, strangers(1)])
    report = validate(submission_of(both), pool, rules, budget=tokens(5000))
    assert rules_of(report) == ["S1", "S2"]


def test_s1_a_unit_that_the_track_does_not_take_is_refused(pool):
    rules = Rules(forms=("ids",), units=("document",), max_repeats=4)
    chunks = submission_of(pool.uids, chunks=np.zeros(50, dtype=int), unit="tokens512")
    report = validate(chunks, pool, rules, budget=tokens(5000))
    assert (rules_of(report), "document" in report.findings[0].message) == (["S1"], True)


def test_s2_the_first_ten_unknown_ids_come_with_their_rows_in_the_file(tmp_path, pool, rules):
    known, unknown = uids_to_hex(pool.uids[:20]), uids_to_hex(strangers(12))
    lines = [text for pair in zip(known, unknown, strict=False) for text in pair]
    path = tmp_path / "s.txt"
    path.write_text("\n".join(lines) + "\n")
    report = validate_file(path, pool, rules, budget=tokens(1000))
    found = [finding for finding in report.findings if finding.rule == "S2"]
    assert [finding.row for finding in found] == [2 * i for i in range(1, 11)]
    assert all(uid in f.message for uid, f in zip(unknown, found, strict=False))
    assert "12 of 24" in found[0].message
    assert "assay select" in found[0].message


def test_s2_unknown_ids_of_all_stages_are_listed_in_the_order_of_the_file(tmp_path, pool, rules):
    a, b = uids_to_hex(strangers(2))
    good, other = uids_to_hex(pool.uids[:2])
    path = tmp_path / "s.csv"
    path.write_text(f"uid,stage,share\n{a},1,0.5\n{good},0,0.5\n{b},0,0.5\n{other},1,0.5\n")
    report = validate_file(path, pool, rules, budget=tokens(100))
    assert [f.row for f in report.findings if f.rule == "S2"] == [2, 4]


def test_s2_a_chunk_that_its_document_does_not_have_is_refused(make_pool, rules):
    pool = make_pool(2, tokens=1025)
    chunks = submission_of(pool.uids.repeat(2), chunks=np.array([2, 3, 0, 2]), unit="tokens512")
    report = validate(chunks, pool, rules, budget=tokens(1000))
    (finding,) = [f for f in report.findings if f.severity == "error"]
    assert (finding.rule, finding.row) == ("S2", 1)
    assert finding.message.startswith(f"id {uids_to_hex(pool.uids[:1])[0]}#3 ")


def test_s3_weights_over_the_cap_are_refused_with_their_rows(pool, rules):
    repeats = np.ones(50, dtype=int)
    repeats[[7, 9]] = 5
    report = validate(submission_of(pool.uids, repeats=repeats), pool, rules, budget=tokens(100))
    found = [finding for finding in report.findings if finding.rule == "S3"]
    assert [finding.row for finding in found] == [7, 9]
    assert "cap of 4" in found[0].message


@pytest.mark.parametrize("form", ["weighted", "staged"])
def test_s3_a_form_that_the_track_does_not_take_is_refused(pool, form):
    rules = Rules(forms=("ids",), units=("document",), max_repeats=4)
    part = submission_of(pool.uids, repeats=np.full(50, 2))
    submission = part if form == "weighted" else staged([(0.5, part), (0.5, part)])
    report = validate(submission, pool, rules, budget=tokens(5000))
    assert "S3" in rules_of(report)


def test_s3_every_repeated_row_is_reported_together_with_unknown_ids(tmp_path, pool, rules):
    a, b = uids_to_hex(pool.uids[:2])
    (stranger,) = uids_to_hex(strangers(1))
    path = tmp_path / "s.txt"
    path.write_text("\n".join([a, b, a, stranger, b]) + "\n")
    report = validate_file(path, pool, rules, budget=tokens(200))
    errors = [(f.rule, f.row) for f in report.findings if f.severity == "error"]
    assert errors == [("S2", 4), ("S3", 3), ("S3", 5)]


# 50 documents of 100 tokens, each followed by an end-of-text token: one pass is 5050 tokens
@pytest.mark.parametrize(
    ("tokens_seen", "repeats", "errors", "notes"),
    [
        (5050, 1, [], []),
        (5051, 2, [], ["S4"]),
        (4 * 5050, 4, [], ["S4"]),
        (4 * 5050 + 1, 5, ["S4"], []),
    ],
)
def test_s4_what_is_short_repeats_up_to_the_cap_and_says_so(
    pool, rules, tokens_seen, repeats, errors, notes
):
    report = validate(submission_of(pool.uids), pool, rules, tokens(tokens_seen))
    assert report.repeats == repeats
    assert (rules_of(report), rules_of(report, "note")) == (errors, notes)
    if repeats > 1:
        assert f"repeats {repeats} times" in report.findings[-1].message


def test_s4_a_budget_of_less_than_one_pass_is_noted(pool, rules):
    (note,) = validate(submission_of(pool.uids), pool, rules, budget=tokens(1010)).findings
    assert (note.rule, note.severity) == ("S4", "note")
    assert "the budget covers 20.0 % of one pass" in note.message
    half = submission_of(pool.uids[:25])
    short = staged([(0.1, half), (0.9, submission_of(pool.uids[25:]))])
    notes = [f.message for f in validate(short, pool, rules, budget=tokens(5050)).findings]
    assert "stage 0's share of the budget covers 20.0 % of one pass" in notes[0]


# of 10 steps: the first stage ends after int(10 * share)
@pytest.mark.parametrize(
    ("shares", "empty"),
    [((0.1, 0.9), []), ((0.099999, 0.900001), [0]), ((0.05, 0.05, 0.9), [0]), ((0.95, 0.05), [])],
)
def test_s4_a_stage_without_a_whole_step_is_refused(pool, rules, shares, empty):
    submission = staged([(share, submission_of(pool.uids)) for share in shares])
    report = validate(submission, pool, rules, budget=tokens(5050, 10))
    refused = [f for f in report.findings if f.severity == "error"]
    assert [f.rule for f in refused] == ["S4"] * len(empty)
    assert [
        f"stage {number} has a share" in f.message for f, number in zip(refused, empty, strict=True)
    ] == [True for _ in empty]
    assert validate(submission, pool, rules, budget=tokens(5050)).ok


def test_s4_the_refusal_says_how_many_tokens_would_do(pool, rules):
    report = validate(submission_of(pool.uids[:3]), pool, rules, budget=tokens(4000))
    assert "select at least 1,000 tokens" in report.findings[0].message


def test_s4_weights_and_passes_multiply(pool, rules):
    repeats = np.ones(50, dtype=int)
    repeats[0] = 3
    submission = submission_of(pool.uids, repeats=repeats)  # one pass is 52 * 101 tokens
    assert validate(submission, pool, rules, budget=tokens(52 * 101)).repeats == 3
    twice = validate(submission, pool, rules, budget=tokens(52 * 101 + 1))
    assert (twice.repeats, rules_of(twice)) == (6, ["S4"])


def test_s4_stages_that_share_an_example_add_up(pool, rules):
    early, late = submission_of(pool.uids[:30]), submission_of(pool.uids[20:])
    submission = staged([(0.5, early), (0.5, late)])
    report = validate(submission, pool, rules, budget=tokens(60 * 101))
    assert (report.unique, report.repeats, report.shown) == (50, 2, 6000)
    more = validate(submission, pool, rules, budget=tokens(60 * 101 * 3))
    assert (more.repeats, rules_of(more)) == (6, ["S4"])


def test_s4_documents_without_tokens_are_noted_and_a_list_of_nothing_else_is_refused(pool, rules):
    pool.n_tokens[:2] = 0
    report = validate(submission_of(pool.uids), pool, rules, budget=tokens(100))
    assert (report.ok, "2 listed" in report.findings[0].message) == (True, True)
    assert rules_of(validate(submission_of(pool.uids[:2]), pool, rules, budget=tokens(100))) == [
        "S4"
    ]


@given(st.integers(1, 50), st.integers(1, 10**6))
def test_s4_repeats_are_the_least_that_fill_the_budget(n, tokens_seen):
    from types import SimpleNamespace

    uids = np.sort(strangers(50))
    sizes = np.arange(1, 51, dtype=np.int32)
    pool = SimpleNamespace(uids=uids, n_tokens=sizes, n=50, num_tokens=1275, name="p", root="r")
    rules = Rules(forms=("ids",), units=("document",), max_repeats=10**9)
    report = validate(submission_of(uids[:n]), pool, rules, tokens(tokens_seen))
    one_pass = int(sizes[:n].sum()) + n
    assert one_pass * report.repeats >= tokens_seen > one_pass * (report.repeats - 1)


def test_m1_findings_about_the_manifest_join_those_about_the_list(tmp_path, pool, rules):
    path = tmp_path / "s.npy"
    np.save(path, np.concatenate([pool.uids, strangers(1)]))
    (tmp_path / "s.npy.json").write_text(json.dumps({"name": 5, "code": "ftp://x", "unit": "page"}))
    assert rules_of(validate_file(path, pool, rules, tokens(100))) == ["M1", "M1", "M1", "S1", "S2"]


def test_m1_a_manifest_of_another_list_is_refused(tmp_path, pool, rules):
    path = tmp_path / "s.npy"
    write_submission(submission_of(pool.uids), path, Manifest(name="all"))
    assert validate_file(path, pool, rules, tokens(100)).ok
    np.save(path, pool.uids[:20])
    report = validate_file(path, pool, rules, tokens(100))
    assert (rules_of(report), "another list" in report.findings[0].message) == (["M1"], True)


def test_a_list_from_another_pool_is_noted(tmp_path, pool, rules):
    path = tmp_path / "s.npy"
    made = Manifest(strategy={"pool_root": "sha256:" + "1" * 64})
    write_submission(submission_of(pool.uids), path, made)
    report = validate_file(path, pool, rules, tokens(5050))
    assert (report.ok, rules_of(report, "note")) == (True, ["S2"])


def test_a_file_that_cannot_be_read_gives_one_finding_and_the_manifests(tmp_path, pool, rules):
    path = tmp_path / "s.npy"
    np.save(path, np.zeros(3))
    (tmp_path / "s.npy.json").write_text("[]")
    report = validate_file(path, pool, rules, tokens(100))
    assert rules_of(report) == ["F2", "M1"]
    document = report.plain()
    assert (document["ok"], document["digest"], document["n"]) == (False, None, None)
    assert json.loads(json.dumps(document)) == document


def test_f1_the_size_cap_follows_the_pool(tmp_path, pool, rules):
    path = tmp_path / "s.npy"
    with path.open("wb") as stream:
        stream.truncate(1 << 30)
    assert max_entries(pool) == MAX_STAGE_COPIES * (50 + 5000 // 128)
    assert rules_of(validate_file(path, pool, rules, tokens(100))) == ["F1"]


def test_the_report_is_the_document_that_json_promises(pool, rules):
    document = validate(submission_of(pool.uids), pool, rules, tokens(6000)).plain()
    assert {"ok", "digest", "n", "unique", "tokens", "findings"} <= document.keys()
    assert {"rule", "message", "row"} <= document["findings"][0].keys()
