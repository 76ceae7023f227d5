import csv
import io
import json
import math
import shutil
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from scipy import stats

from assay import ledger
from assay.canonical import digest_file
from assay.cli import main
from assay.compare.entries import gather
from assay.compare.scale import Versus
from assay.compare.submissions import compare_submissions
from assay.errors import CompareError
from assay.home import run_folder
from assay.record import build_record
from assay.score.text import OUTPUT_SCHEMA
from assay.suite.files import write_suite

TASKS = ("facts", "sums", "words")


def task(bits: float) -> dict:
    return {"accuracy": 0.5, "centered_accuracy": 1 - bits / 4, "bits_per_byte": bits}


def record(name: str, scale: str, seed: int, tasks: list[float], **change) -> dict:
    bits = float(np.mean(tasks))
    heldout = {"heldout": task(bits) | {"accuracy": None, "centered_accuracy": None}}
    return build_record(
        submission={
            "digest": "sha256:" + name.encode().hex().ljust(64, "0"), "form": "ids", "unit": "document", "n": 10,
            "unique": 10, "tokens": 100, "repeats": 1.5, "pool_n": 100, "manifest": {"name": name},
        },
        track={
            "name": "text", "scale": scale, "version": 1, "modality": "text", "seal": f"sha256:{scale}", "sealed": True,
        },
        seed=seed,
        digests={"run": f"sha256:{name}{scale}{seed}", "pool": "sha256:bb"} | change.get("digests", {}),
        training={"flops": {"pico": 1e12, "nano": 1e13, "micro": 1e14}[scale]},
        metrics={
            "bits_per_byte": bits,
            "centered_accuracy": 1 - bits / 4,
            "tasks": {n: task(x) for n, x in zip(TASKS, tasks, strict=True)} | heldout,
        },
        software={}, device={}, clock={"finished": "2026-01-01T00:00:00+00:00"},
    )  # fmt: skip


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Six submissions of graded quality at three scales, three seeds each; one of them at the smallest only."""
    monkeypatch.setenv("ASSAY_HOME", str(tmp_path))
    rng = np.random.default_rng(30)
    for scale, gap in (("pico", 0.1), ("nano", 0.2), ("micro", 0.3)):
        for quality in range(7 if scale == "pico" else 6):
            for seed in range(3):
                tasks = 1 + gap * quality + rng.normal(0, 0.02, 3)
                name = f"method{quality}"
                ledger.append(record(name, scale, 1000 * quality + seed, tasks.tolist()))
    return tmp_path


def test_a_clear_difference_is_found_with_its_interval(home: Path) -> None:
    found = compare_submissions(gather("text", ["nano"], ["method0", "method3", "method1"]))
    (scale,) = found.scales
    assert (scale.label, scale.degrees) == ("text/nano@1", 12)  # noise of all six, not of the three
    assert [entry.name for entry in scale.entries] == ["method0", "method3", "method1"]
    assert [entry.rank for entry in scale.entries] == [1, 3, 2]
    versus = scale.entries[1].versus_first
    assert versus is not None
    assert versus.on_this_suite is not None
    assert versus.on_this_suite.low < 0.6 < versus.on_this_suite.high
    assert versus.p_holm is not None
    assert versus.p_holm < 1e-6
    assert versus.on_new_items is None  # no per-item outputs here
    assert [task.task for task in versus.tasks] == list(TASKS)
    assert all(task.p_holm >= task.p_bh >= task.difference.p_two_sided for task in versus.tasks)  # type: ignore[union-attr, operator]
    assert scale.entries[0].task_range == (1, 1)


def test_the_lead_is_held_against_luck_and_the_record_rule(
    home: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (scale,) = compare_submissions(gather("text", ["nano"], ["method2", "method1"])).scales
    lead = scale.lead
    assert lead.verdict is not None
    assert (lead.best, lead.second, lead.verdict.accepted) == ("method1", "method2", True)
    assert lead.verdict.gain == pytest.approx(0.2, abs=0.05)
    assert scale.pooled_sd is not None
    # The larger of two normal numbers lies 1 / sqrt(pi) above their mean.
    assert lead.luck == pytest.approx(scale.pooled_sd / math.sqrt(math.pi) / math.sqrt(3))
    assert main(["compare", "method2", "method1"]) == 0
    shown = capsys.readouterr().out
    assert "record rule holds for method1 over method2, on the seeds that chose them" in shown


def test_one_seed_each_shows_differences_without_intervals(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("ASSAY_HOME", str(tmp_path))
    for name, bits in (("a", 1.0), ("b", 1.25)):
        ledger.append(record(name, "nano", 1, [bits] * 3))
    versus = (
        compare_submissions(gather("text", ["nano"], ["a", "b"])).scales[0].entries[1].versus_first
    )
    assert versus is not None
    assert (versus.delta, versus.on_this_suite, versus.p_holm) == (0.25, None, None)
    assert main(["compare", "a", "b"]) == 0
    text = capsys.readouterr().out
    assert "no noise estimate" in text
    assert "+0.2500" in text


def test_accuracy_ranks_the_other_way_round(home: Path) -> None:
    found = compare_submissions(
        gather("text", ["nano"], ["method0", "method3"]), "centered_accuracy"
    )
    assert [entry.rank for entry in found.scales[0].entries] == [1, 2]
    assert found.scales[0].entries[1].mean < found.scales[0].entries[0].mean


def test_the_order_across_scales_is_measured(home: Path) -> None:
    found = compare_submissions(gather("text", ["pico", "nano", "micro"], []))
    assert [(p.small, p.large) for p in found.pairs] == [
        ("pico", "nano"),
        ("pico", "micro"),
        ("nano", "micro"),
    ]
    for pair in found.pairs:
        assert pair.n == 6
        assert pair.transfer is not None
        assert pair.transfer.decision_accuracy.value == 1
        assert pair.ceiling is not None
        assert 0.9 < pair.ceiling <= 1
        assert pair.calibration is None
        assert pair.probabilities == ()
        assert "insufficient data: 6 submissions at both scales, 15 are needed" in pair.why
    assert found.scales[1].missing == ("method6",)
    assert found.power_law is not None
    assert found.power_law.alpha > 0


def test_fifteen_submissions_give_probabilities_to_those_still_at_the_small_scale(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("ASSAY_HOME", str(tmp_path))
    rng = np.random.default_rng(33)
    for scale, noise in (("pico", 0.05), ("nano", 0.1)):
        for quality in range(16 if scale == "pico" else 15):
            bits = 1 + 0.05 * quality + rng.normal(0, noise)
            for seed in range(2):
                tasks = (bits + rng.normal(0, 0.01, 3)).tolist()
                ledger.append(record(f"method{quality:02}", scale, seed + 9 * quality, tasks))
    (pair,) = compare_submissions(gather("text", ["pico", "nano"], [])).pairs
    assert (pair.n, pair.why) == (15, "")
    assert pair.calibration is not None
    assert pair.calibration.n == 15
    assert pair.calibration.brier < 0.25
    assert len(pair.probabilities) == 16 * 15 / 2
    assert all(p.difference >= 0 and 0.5 <= p.probability <= 1 for p in pair.probabilities)
    alone = "sha256:" + b"method15".hex().ljust(64, "0")
    worst = [p for p in pair.probabilities if p.second == alone]
    assert len(worst) >= 13
    assert max(p.probability for p in worst) > 0.95
    assert main(["compare", "--scales", "pico,nano"]) == 0
    shown = capsys.readouterr().out
    assert f"Brier score {pair.calibration.brier:.3f}" in shown
    assert "P(beats the next)" in shown
    assert main(["compare", "--scales", "pico,nano", "--json"]) == 0
    (document,) = json.loads(capsys.readouterr().out)["pairs"]
    assert document["calibration"]["brier"] == pair.calibration.brier
    assert document["probabilities"][0]["probability"] == pair.probabilities[0].probability


def test_whoever_is_at_every_scale_comes_first_where_nobody_is_named(home: Path) -> None:
    for number in range(4):
        for seed in range(3):
            scale = ("pico", "nano")[number % 2]
            ledger.append(record(f"{number} alone", scale, seed, [1.0, 1.0, 1.0]))
    scales = compare_submissions(gather("text", ["pico", "nano"], [])).scales
    (name,) = {scale.entries[0].name for scale in scales}
    assert name.startswith("method")
    assert {"1 alone", "3 alone"} == set(scales[0].missing)
    assert {"method6", "0 alone", "2 alone"} == set(scales[1].missing)


def test_few_submissions_get_no_correlation(home: Path) -> None:
    (pair,) = compare_submissions(
        gather("text", ["pico", "nano"], ["method0", "method1", "method2"])
    ).pairs
    assert pair.transfer is None
    assert "too few: 3" in pair.why


def test_records_of_another_seal_are_not_mixed_in(home: Path) -> None:
    alien = record("method0", "nano", 99, [9.0, 9.0, 9.0])
    alien["track"] = alien["track"] | {"seal": "sha256:other"}
    ledger.append(
        build_record(
            **{
                k: v
                for k, v in alien.items()
                if k not in ("format", "kind", "digest", "result_digest")
            }
        )
    )
    found = compare_submissions(gather("text", ["nano"], ["method0", "method1"]))
    assert found.scales[0].entries[0].seeds == 3


def outputs(path: Path, bits: np.ndarray, right: np.ndarray) -> str:
    """Write per-item outputs of two choices, rows out of order; two bytes an answer halve the bits."""
    rows = []
    for name in TASKS:
        for i, b in enumerate(bits):
            gold, likelihoods = i % 2, [0.0, 0.0]
            likelihoods[gold] = -b * 2 * np.log(2)
            likelihoods[1 - gold] = likelihoods[gold] * (2 if right[i] else 0.5)
            rows.append((name, i, gold, likelihoods, [1, 1], [2, 2], [True, False]))
    columns = map(list, zip(*rows[::-1], strict=True))
    named = dict(zip(OUTPUT_SCHEMA.names, columns, strict=True))
    path.parent.mkdir(parents=True)
    pq.write_table(pa.table(named, schema=OUTPUT_SCHEMA), path)
    return digest_file(path)


@pytest.fixture
def asked(home: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The suite that the records of `nano` were scored on: each task asks 40 questions about 20 passages."""
    items = [
        {
            "context": f"{chr(97 + i // 2) * 300} question {i}",
            "choices": [" a", " b"],
            "gold": i % 2,
        }
        for i in range(40)
    ]
    fields = {"group": "g", "form": "choice"}
    folder = home / "suites" / "asked"
    suite = write_suite("asked", 1, dict.fromkeys(TASKS, (items, fields)), folder)
    scale = SimpleNamespace(
        seal="sha256:nano", modality="text", suite=suite, suite_folder=folder,
        spec=SimpleNamespace(suite=SimpleNamespace(items_per_task=None)),
    )  # fmt: skip
    monkeypatch.setattr("assay.compare.items.load", lambda track, name: scale)
    return folder


@pytest.mark.parametrize("metric", ["bits_per_byte", "centered_accuracy"])
def test_per_item_outputs_widen_the_interval_to_new_items(asked: Path, metric: str) -> None:
    rng = np.random.default_rng(32)
    items, centered = {}, {}
    for name, mean in (("x", 1.0), ("y", 1.4)):
        items[name] = np.abs(mean + rng.normal(0, 0.3, (3, 40)))
        right = rng.random((3, 40)) < 0.9 - 0.2 * mean
        centered[name] = 2.0 * right - 1
        for seed, bits in enumerate(items[name]):
            path = run_folder(f"sha256:{name}nano{seed}") / "outputs.parquet"
            digests = {"outputs": outputs(path, bits, right[seed])}
            scores = [float(bits.mean())] * 3
            ledger.append(record(name, "nano", seed, scores, digests=digests))

    def difference() -> Versus:
        (scale,) = compare_submissions(gather("text", ["nano"], ["x", "y"]), metric).scales
        assert scale.entries[1].versus_first is not None
        return scale.entries[1].versus_first

    suite, new = difference().on_this_suite, difference().on_new_items
    assert suite is not None
    assert new is not None
    assert new.delta == suite.delta
    values = items if metric == "bits_per_byte" else centered
    passages = (values["y"] - values["x"]).mean(axis=0).reshape(20, 2).mean(axis=1)
    # Three tasks with the same items: the error of a mean of three equal variances.
    over_items = stats.sem(passages) / np.sqrt(3)
    assert new.se == pytest.approx(np.hypot(suite.se, over_items))
    shutil.move(asked, asked.with_name("gone"))  # then every item is a draw by itself
    alone = stats.sem((values["y"] - values["x"]).mean(axis=0)) / np.sqrt(3)
    again = difference().on_new_items
    assert again is not None
    assert again.se == pytest.approx(np.hypot(suite.se, alone))
    (run_folder("sha256:xnano0") / "outputs.parquet").write_bytes(b"edited")
    assert difference().on_new_items is None


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["method0", "metod1"], "did you mean 'method1'"),
        (["method0", "method0"], "named twice"),
        (["method6", "method0", "--scales", "pico,nano"], "no comparable record of method6"),
        (["method0"], "another one"),
        (["method0", "method1", "--metric", "beauty"], "no metric 'beauty'"),
        (["method0", "method1", "--law", "cmr"], "add --results"),
        (["method0", "method1", "--scales", "nano,nano"], "different scales"),
    ],
)
def test_what_cannot_be_compared_is_said_in_one_line(
    home: Path, capsys: pytest.CaptureFixture[str], words: list[str], said: str
) -> None:
    assert main(["compare", *words, "--track", "text"]) == 2
    error = capsys.readouterr().err
    assert said in error
    assert error.count("\n") == 1


def test_a_name_that_two_submissions_share_has_to_be_a_digest(home: Path) -> None:
    twin = record("method0", "nano", 5, [1.0, 1.0, 1.0])
    twin["submission"] = twin["submission"] | {"digest": "sha256:" + "ab" * 32}
    ledger.append(
        build_record(
            **{
                k: v
                for k, v in twin.items()
                if k not in ("format", "kind", "digest", "result_digest")
            }
        )
    )
    with pytest.raises(CompareError, match="stands for 2 submissions"):
        compare_submissions(gather("text", ["nano"], ["method0", "method1"]))
    found = compare_submissions(gather("text", ["nano"], ["abababab", "method1"]))
    assert found.scales[0].entries[0].seeds == 1


def resubmitted(name: str, scale: str, seed: int, bits: float) -> dict:
    """Return the record of a method whose list is another one at every scale, as on pools of several sizes."""
    made = record(name, scale, seed, [bits, bits, bits])
    digest = "sha256:" + f"{name}/{scale}".encode().hex().ljust(64, "0")
    kept = ("format", "kind", "digest", "result_digest")
    fields = {key: value for key, value in made.items() if key not in kept}
    return build_record(**fields | {"submission": made["submission"] | {"digest": digest}})


@pytest.mark.parametrize("named", [True, False])
def test_a_method_is_one_across_pools_although_its_lists_differ(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, named: bool
) -> None:
    monkeypatch.setenv("ASSAY_HOME", str(tmp_path))
    names = [f"filter{quality}" for quality in range(6)]
    for scale in ("pico", "nano"):
        for quality, name in enumerate(names):
            for seed in range(2):
                ledger.append(resubmitted(name, scale, seed, 1 + 0.1 * quality + 0.01 * seed))
    found = compare_submissions(gather("text", ["pico", "nano"], names if named else []))
    (pair,) = found.pairs
    assert pair.n == 6
    assert pair.transfer is not None
    assert pair.transfer.decision_accuracy.value == 1
    for scale in found.scales:
        assert sorted(entry.name for entry in scale.entries) == names
        assert len({entry.submission for entry in scale.entries}) == 6


def test_the_command_answers_in_json_text_and_csv(
    home: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = home / "out.csv"
    words = [
        "compare",
        "method1",
        "method0",
        "--track",
        "text",
        "--scales",
        "pico,nano",
        "--csv",
        str(out),
    ]
    assert main([*words, "--json"]) == 0
    document = json.loads(capsys.readouterr().out)
    (first, second) = document["scales"]
    assert (first["scale"], second["scale"]) == ("pico", "nano")
    assert main(words) == 0
    text = capsys.readouterr().out
    assert "method0 minus method1, by task" in text
    assert "too few" in text
    rows = list(csv.DictReader(io.StringIO(out.read_text())))
    assert [row["task"] for row in rows if row["table"] == "text/nano@1"] == ["", "", *TASKS]
    entry = next(row for row in rows if row["table"] == "text/nano@1" and row["name"] == "method0")
    assert float(entry["mean"]) == second["entries"][1]["mean"]
    assert (
        float(entry["difference"]) == second["entries"][1]["versus_first"]["on_this_suite"]["delta"]
    )
