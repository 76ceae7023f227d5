"""What counts as agreement where bits cannot be demanded, and what a record has to be to be read."""

import copy
import json
import math
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from assay import ledger
from assay.cli import main
from assay.score.clip import CLIP_OUTPUT_SCHEMA
from assay.score.text import OUTPUT_SCHEMA
from assay.verify.outputs import LOG_TOLERANCE, compare_outputs, first_difference
from assay.verify.replay import agreement
from assay.verify.report import AbsentError, Check, DiffersError, Verification, make_check
from forgery import Record, resealed

SHA = "sha256:" + "0" * 64


def text_outputs(nats: list[float]) -> pa.Table:
    rows = [
        {
            "task": "t",
            "item": i,
            "gold": 0,
            "log_likelihood": [x, x - 1],
            "num_tokens": [3, 4],
            "num_bytes": [9, 9],
            "greedy": [True, False],
        }
        for i, x in enumerate(nats)
    ]
    return pa.Table.from_pylist(rows, schema=OUTPUT_SCHEMA)


@settings(max_examples=40)
@given(
    st.lists(st.floats(-200, -1e-6), min_size=1, max_size=20),
    st.floats(0.01, 100),
    st.randoms(use_true_random=False),
)
def test_closeness_is_symmetric_in_rows_and_knows_its_tolerance(nats, size, shuffled) -> None:
    """A shift of `size` tolerances is close exactly where it is at most one; row order plays no part."""
    shift = [x - size * LOG_TOLERANCE * (1 + abs(x)) for x in nats]
    order = list(range(len(nats)))
    shuffled.shuffle(order)
    one = text_outputs(nats)
    assert compare_outputs(one, one.take(order)).exact
    found = compare_outputs(one, text_outputs(shift).take(order))
    assert not found.exact
    # The second choice lies a nat lower, so its tolerance is a little wider.
    assert found.excess == pytest.approx(size, rel=1e-6)
    assert found.close == (found.excess <= 1)


def test_other_golds_items_or_choices_are_never_close() -> None:
    one = text_outputs([-1.0, -2.0])
    gold = one.set_column(2, "gold", pa.array([0, 1], pa.int32()))
    assert not compare_outputs(one, gold).close
    assert not compare_outputs(one, one.slice(0, 1)).close
    longer = one.set_column(3, "log_likelihood", pa.array([[-1.0, -2.0, -3.0], [-2.0, -3.0]]))
    assert not compare_outputs(one, longer).close


def test_a_hundredth_of_the_decisions_may_flip() -> None:
    row = {
        **{"task": "c", "part": "", "gold": [0], "tied": 0, "num_candidates": 3},
        **{"log_prob": -1.0, "group": None},
    }

    def table(wrong: int) -> pa.Table:
        rows = [
            row | {"item": i, "rank": int(i < wrong), "top": [1, 0, 2] if i < wrong else [0, 1, 2]}
            for i in range(300)
        ]
        return pa.Table.from_pylist(rows, schema=CLIP_OUTPUT_SCHEMA)

    assert compare_outputs(table(0), table(3)).close
    found = compare_outputs(table(0), table(4))
    assert (found.decisions, found.close) == (4, False)


@given(st.recursive(st.one_of(st.integers(), st.floats(allow_nan=False, allow_infinity=False), st.text()),
                    lambda inner: st.dictionaries(st.text(min_size=1), inner, max_size=3)))  # fmt: skip
def test_a_document_differs_from_itself_nowhere(document) -> None:
    assert first_difference(document, copy.deepcopy(document)) is None
    assert first_difference({"a": document}, {"a": {"other": document}}) is not None


def test_an_integer_is_no_float_and_a_missing_key_is_named() -> None:
    assert first_difference({"n": 1}, {"n": 1.0}) == "n is 1 in the record, 1.0 here"
    assert first_difference({"n": {}}, {"n": {"m": 1}}) == "n.m is missing from the record"


def claim(submission: str, seed: int, value: float) -> Record:
    """Return a record with what a board reads."""
    return resealed(
        {
            "format": 1,
            "kind": "run",
            "submission": {
                "digest": submission,
                "unique": 1,
                "pool_n": 2,
                "repeats": 1.0,
                "manifest": {},
            },
            "track": {
                **{"name": "t", "scale": "s", "version": 1, "modality": "text"},
                **{"seal": SHA, "sealed": True},
            },
            "seed": seed,
            "digests": {"run": SHA, "pool": SHA},
            "training": {},
            "metrics": {"bits_per_byte": value, "centered_accuracy": value / 2},
            "clock": {"finished": f"2026-01-0{seed + 1}"},
        }
    )


@pytest.fixture
def claims(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> list[Record]:
    """Three submissions of three seeds in the ledger."""
    monkeypatch.setenv("ASSAY_HOME", str(tmp_path))
    rng = np.random.default_rng(3)
    made = [
        claim(f"sha256:{s}", seed, float(x))
        for s in "abc"
        for seed, x in enumerate(rng.normal(1.0, 0.1, 3))
    ]
    for record in made:
        ledger.append(record)
    return made


def tolerance(claims: list[Record]) -> tuple[float, float]:
    """Return the claim's mean and the tolerance, by scipy alone."""
    values = np.array([r["metrics"]["bits_per_byte"] for r in claims]).reshape(3, 3)
    sd = math.sqrt(values.var(axis=1, ddof=1).mean())
    return values[0].mean(), float(stats.t.ppf(0.995, 6)) * sd * math.sqrt(1 + 1 / 3)


@pytest.mark.parametrize(("part", "agrees"), [(0.99, True), (-0.99, True), (1.01, False)])
def test_a_rerun_agrees_within_a_prediction_interval(
    claims: list[Record], part: float, agrees: bool
) -> None:
    mean, allowed = tolerance(claims)
    rerun = {"bits_per_byte": mean + part * allowed, "centered_accuracy": mean / 2}
    if agrees:
        assert f"tolerance {allowed:.4f}" in agreement(claims[0], rerun)
    else:
        with pytest.raises(DiffersError, match="beyond the noise of seeds"):
            agreement(claims[0], rerun)


@pytest.mark.parametrize(("part", "suspicious"), [(1.02, True), (0.98, False), (-1.5, False)])
def test_a_claim_that_is_better_than_its_rerun_is_suspicious(
    claims: list[Record], part: float, suspicious: bool
) -> None:
    mean, allowed = tolerance(claims)
    far = allowed * float(stats.t.ppf(0.95, 6) / stats.t.ppf(0.995, 6))
    found = agreement(
        claims[0], {"bits_per_byte": mean + part * far, "centered_accuracy": mean / 2}
    )
    assert ("suspiciously better than its rerun (one-sided p 0.0" in found) == suspicious


def test_the_claim_under_verification_counts_and_not_the_ledgers(claims: list[Record]) -> None:
    mean, allowed = tolerance(claims)
    inflated = copy.deepcopy(claims[0])
    inflated["metrics"]["bits_per_byte"] = mean - 30 * allowed
    rerun = {"bits_per_byte": mean, "centered_accuracy": mean / 2}
    assert agreement(claims[0], rerun)
    found = agreement(resealed(inflated), {**rerun, "bits_per_byte": mean - 10 * allowed})
    assert f"claimed {(inflated['metrics']['bits_per_byte'] + 2 * mean) / 3:.1f}"[:9] in found


def test_one_seed_each_says_nothing_about_noise(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ASSAY_HOME", str(tmp_path))
    record = claim("sha256:a", 0, 1.0)
    with pytest.raises(AbsentError, match="two seeds"):
        agreement(record, record["metrics"])


def test_exit_codes_follow_the_first_level_that_fails() -> None:
    def found(*checks: Check) -> Verification:
        return Verification(SHA, "t/s@1", 0, None, checks)

    good, lost = Check("digests", "a", "ok", ""), Check("digests", "b", "skipped", "")
    bad, worse = Check("metrics", "c", "failed", ""), Check("checkpoint", "d", "failed", "")
    assert (found(good).exit_code, found(good).level) == (0, "digests")
    assert (found(good, bad, worse).exit_code, found(good, bad, worse).level) == (4, "digests")
    assert (found(good, lost, worse).exit_code, found(good, lost, worse).level) == (5, None)
    assert (found(good, lost).exit_code, found(good, lost).level) == (7, None)
    later = Check("digests", "e", "pending", "")
    assert (found(good, later).exit_code, found(good, later).level) == (7, "digests")
    assert (found(later).exit_code, found(later).level) == (7, None)


def test_a_detail_is_one_line_that_steers_no_terminal() -> None:
    assert make_check("digests", "a", lambda: "red\x1b[31m\nnext").detail == "red?[31m?next"


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("{", "is not JSON"),
        ('{"kind": "run", "format": 1, "seed": NaN}', "is not JSON"),
        ('{"kind": "run", "format": 1, "seed": 1e999}', "is not JSON"),
        ("[]", "no record of a run"),
        ('{"kind": "run", "format": 99}', "reads 1"),
        ('{"kind": "run", "format": 1}', "digest is None"),
    ],
)
def test_what_is_no_record_is_bad_usage(
    content: str, message: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "r.json"
    path.write_text(content)
    assert main(["verify", str(path)]) == 2
    (line,) = capsys.readouterr().err.splitlines()
    assert message in line


@pytest.mark.parametrize(
    ("word", "message"),
    [
        ("nowhere.json", "neither a file"),
        ("abcd", "has no record"),
        ("../../no-such-record", "neither a file"),
    ],
)
def test_a_record_that_is_not_there_is_bad_usage(
    word: str,
    message: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setenv("ASSAY_HOME", str(tmp_path))
    assert main(["verify", word]) == 2
    assert message in capsys.readouterr().err


def test_digits_that_two_records_share_name_neither(
    claims: list[Record], capsys: pytest.CaptureFixture[str]
) -> None:
    seen: dict[str, Record] = {}
    for second in range(5000):
        clock = claims[0]["clock"] | {"train_seconds": second}
        made = resealed(claims[0] | {"clock": clock})
        digits = made["digest"][7:11]
        if digits in seen:
            break
        seen[digits] = made
    else:
        pytest.fail("no two of 5,000 digests began with the same four digits")
    ledger.append(seen[digits])
    ledger.append(made)
    assert main(["verify", digits]) == 2
    assert "names 2 records" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("section", "key", "value"),
    [
        ("track", "name", "../../etc"),
        ("digests", "run", "sha256:../../../../tmp"),
        ("device", "threads", "8"),
    ],
)
def test_words_of_a_record_that_would_become_paths_are_refused(
    section: str, key: str, value: str, text_home: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    record = ledger.read_ledger()[0]
    record[section][key] = value
    path = text_home / "r.json"
    path.write_text(json.dumps(resealed(record)))
    assert main(["verify", str(path)]) == 2
    assert f"{section}.{key} is {value!r}" in capsys.readouterr().err
