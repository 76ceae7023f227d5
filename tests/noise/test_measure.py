"""The noise of a scale from records whose noise is known."""

import csv
import io
import json
import math
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from scipy import stats

from assay import ledger
from assay.cli import main
from assay.errors import CompareError, TrackError
from assay.noise import (
    NoiseReport,
    measure_noise,
    planned_effects,
    pooled_noise,
    read_marks,
    write_marks,
)
from assay.noise.measure import MetricNoise, TaskNoise
from assay.noise.text import noise_csv, noise_text
from assay.track.load import LoadedScale
from scored import clip_task, nano, scored, text_task

SD = 0.02


@pytest.fixture
def loaded(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> LoadedScale:
    """`text/nano` with an empty ledger, and a folder of its own for marks."""
    monkeypatch.setenv("ASSAY_HOME", str(tmp_path))
    return replace(nano(), folder=tmp_path / "track")


@pytest.fixture
def full(loaded: LoadedScale) -> LoadedScale:
    """Six submissions of graded quality, six seeds each: 30 degrees of freedom."""
    rng = np.random.default_rng(7)
    for quality in range(6):
        for seed in range(6):
            bits = rng.normal(0, SD, 3)
            tasks = {
                "alive": text_task(1 + 0.2 * quality + bits[0], 0.5 + 0.08 * quality),
                "faint": text_task(1 + 0.4 * SD * quality + bits[1], 0.6 + rng.normal(0, 0.02)),
                "guessed": text_task(2 + 0.2 * quality + bits[2], 0.25 + rng.normal(0, 0.02)),
            }
            ledger.append(scored(loaded, f"method{quality}", 100 + 6 * quality + seed, tasks))
    return loaded


def measured(loaded: LoadedScale) -> NoiseReport:
    report = measure_noise(loaded)
    assert report is not None
    return report


def metric(report: NoiseReport, name: str) -> MetricNoise:
    return next(found for found in report.metrics if found.metric.name == name)


def task(found: MetricNoise, name: str) -> TaskNoise:
    return next(one for one in found.tasks if one.task == name)


def test_the_pooled_deviation_is_that_of_the_records(full: LoadedScale) -> None:
    report = measured(full)
    assert report.label == "text/nano@1"
    assert report.seeds == {f"method{i}": 6 for i in range(6)}
    values = np.array([r["metrics"]["bits_per_byte"] for r in ledger.read_ledger()]).reshape(6, 6)
    noise = metric(report, "bits_per_byte").noise
    assert noise.sd == pytest.approx(math.sqrt(values.var(axis=1, ddof=1).mean()), rel=1e-10)
    assert noise.degrees == 30
    ends = stats.chi2.ppf([0.975, 0.025], 30)
    assert [noise.low, noise.high] == pytest.approx((noise.sd * np.sqrt(30 / ends)).tolist())
    one = task(metric(report, "bits_per_byte"), "alive").noise
    assert one.sd == pytest.approx(SD, rel=0.3)


def test_detectable_effects_are_the_published_multiples_of_the_deviation(full: LoadedScale) -> None:
    found = metric(measured(full), "bits_per_byte")
    assert found.noise.sd is not None
    # Exact non-central t with a pooled deviation of 30 degrees, n against n.
    published = {1: 4.10, 2: 2.90, 3: 2.37, 5: 1.83, 10: 1.30}
    in_sds = {e.seeds: e.against_equal / found.noise.sd for e in found.detectable}  # type: ignore[operator]
    assert in_sds == {n: pytest.approx(effect, abs=0.01) for n, effect in published.items()}
    six = found.detectable[0].against_most
    assert six == pytest.approx(found.noise.sd * 4.10 * math.sqrt((1 + 1 / 6) / 2), rel=0.01)
    assert (
        planned_effects(pooled_noise(measured(full)), 3)["bits_per_byte"]
        == found.detectable[2].against_equal
    )


def test_faint_and_guessed_tasks_are_dead_and_the_others_are_not(full: LoadedScale) -> None:
    report = measured(full)
    bits, accuracy = metric(report, "bits_per_byte"), metric(report, "centered_accuracy")
    dead = {one.task: one.dead for one in bits.tasks}
    assert dead["alive"] == dead["guessed"] == ""  # bits per byte see what accuracy does not
    assert dead["faint"].startswith("signal-to-noise 0.")
    assert {one.task: one.at_chance for one in bits.tasks} == dict.fromkeys(dead)
    assert task(accuracy, "guessed").dead == "at chance"
    assert task(accuracy, "faint").at_chance is False
    assert task(accuracy, "faint").dead.startswith("signal-to-noise")
    assert task(accuracy, "alive").dead == ""  # it has no noise at all
    signal = task(bits, "alive").signal
    assert signal is not None
    assert signal.ratio == pytest.approx(np.std(0.2 * np.arange(6), ddof=1) / SD, rel=0.3)


def test_item_noise_is_the_standard_error_of_the_items(full: LoadedScale) -> None:
    report = measured(full)
    bits, accuracy = metric(report, "bits_per_byte"), metric(report, "centered_accuracy")
    assert task(bits, "alive").noise.item_se == pytest.approx(0.04)
    assert bits.noise.item_se == pytest.approx(0.04 / math.sqrt(3))
    assert task(accuracy, "alive").noise.item_se == pytest.approx(0.03 / 0.75)


def test_a_noisy_submission_is_named_and_left_out(full: LoadedScale) -> None:
    before = metric(measured(full), "bits_per_byte").noise
    for seed, bits in enumerate((1.0, 3.0, 5.0)):
        tasks = {name: text_task(bits, 0.5) for name in ("alive", "faint", "guessed")}
        ledger.append(scored(full, "wild", 200 + seed, tasks))
    after = metric(measured(full), "bits_per_byte").noise
    assert after.noisier == ("wild",)
    assert (after.sd, after.degrees) == (before.sd, before.degrees)


def test_other_laws_and_older_pools_are_left_out(full: LoadedScale) -> None:
    before = measured(full)
    tasks = {name: text_task(9.0, 0.5) for name in ("alive", "faint", "guessed")}
    ledger.append(scored(full, "foreign", 300, tasks, seal="sha256:other"))
    ledger.append(scored(full, "old", 1, tasks, pool="cc"))
    assert measured(full) == before
    ledger.append(scored(full, "new", 400, tasks, pool="cc"))
    assert measured(full).seeds == {"old": 1, "new": 1}


def test_one_seed_each_says_that_nothing_is_known(loaded: LoadedScale) -> None:
    assert measure_noise(loaded) is None
    for number in range(2):
        ledger.append(scored(loaded, f"m{number}", number, {"alive": text_task(1.0 + number, 0.5)}))
    report = measured(loaded)
    found = metric(report, "bits_per_byte")
    assert (found.noise.sd, found.noise.low, found.signal) == (None, None, None)
    assert pooled_noise(report) == {}
    assert "no noise estimate" in noise_text(report, None)
    with pytest.raises(CompareError, match="4 submissions or more"):
        write_marks(loaded, report)


def test_a_task_that_always_gives_one_score_is_dead(loaded: LoadedScale) -> None:
    for number in range(4):
        tasks = {
            "moves": text_task(1 + number / 8 + number % 2 / 100, 0.5 + number / 8),
            "stuck": text_task(2.0, 0.5),
        }
        ledger.append(scored(loaded, f"m{number // 2}", number, tasks))
    found = metric(measured(loaded), "bits_per_byte")
    assert task(found, "stuck").dead == "the same score always"


def test_marks_are_kept_beside_the_track_and_die_with_the_seal(full: LoadedScale) -> None:
    assert read_marks(full) is None
    path = write_marks(full, measured(full))
    assert path == full.folder / "noisy" / "nano.json"
    marks = read_marks(full)
    assert marks is not None
    assert (marks.submissions, marks.runs) == (6, 36)
    assert marks.noise == pooled_noise(measured(full))
    assert list(marks.tasks["bits_per_byte"]) == ["faint"]
    assert sorted(marks.tasks["centered_accuracy"]) == ["faint", "guessed"]
    assert "bits_per_byte: faint" in noise_text(measured(full), marks)
    assert read_marks(replace(full, seal="sha256:other")) is None
    path.write_text("{")
    with pytest.raises(TrackError, match="is not JSON"):
        read_marks(full)


def test_every_number_is_in_the_csv(full: LoadedScale) -> None:
    report = measured(full)
    rows = list(csv.DictReader(io.StringIO(noise_csv(report))))
    assert [row["task"] for row in rows] == ["", "alive", "faint", "guessed"] * 2
    assert float(rows[0]["sd"]) == report.metrics[0].noise.sd
    assert float(rows[0]["mde_3"]) == report.metrics[0].detectable[2].against_equal
    assert rows[2]["dead"] == report.metrics[0].tasks[1].dead


def test_an_image_text_table_has_two_metrics_that_differ_by_chance_alone(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ASSAY_HOME", str(tmp_path))
    loaded = nano("clip")
    rng = np.random.default_rng(8)
    for quality in range(4):
        for seed in range(3):
            tasks = {
                "colour": clip_task(0.3 + 0.1 * quality + rng.normal(0, 0.01)),
                "count": clip_task(0.1 + rng.normal(0, 0.005)),
            }
            ledger.append(scored(loaded, f"m{quality}", 3 * quality + seed, tasks))
    report = measured(loaded)
    average, centered = report.metrics
    assert (average.metric.name, centered.metric.name) == ("average", "centered_average")
    assert centered.noise.sd == pytest.approx(average.noise.sd / 0.9)  # type: ignore[operator]
    assert average.noise.item_se == pytest.approx(0.02 / math.sqrt(2))
    for found in report.metrics:
        assert [one.dead for one in found.tasks] == ["", "at chance"]


def test_the_command_reports_what_the_ledger_has(
    full: LoadedScale, capsys: pytest.CaptureFixture[str]
) -> None:
    words = ["noise", "--track", "text", "--scale", "nano", "--ledger-only"]
    assert main([*words, "--json"]) == 0
    document = json.loads(capsys.readouterr().out)
    bits, accuracy = document["metrics"]
    assert bits["noise"]["degrees"] == 30
    assert [effect["seeds"] for effect in bits["detectable"]] == [1, 2, 3, 5, 10]
    assert accuracy["tasks"][2]["at_chance"] is True
    assert main(words) == 0
    text = capsys.readouterr().out
    assert "DEAD: at chance" in text
    assert "2 of 3 tasks tell nothing here" in text
    assert main([*words, "threads=1"]) == 2
    assert main(["noise", "--track", "text", "--scale", "pico", "--ledger-only"]) == 2
    assert "assay noise --track text --scale pico" in capsys.readouterr().err
