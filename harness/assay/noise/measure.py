"""Seed noise, item noise, signal and detectable effects of one scale, from the ledger alone."""

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from assay import ledger
from assay.board import PRIMARY_METRICS, Metric, group_label, group_records, submission_name
from assay.compare.entries import ScaleScores
from assay.stats.noise import Noise, estimate_noise, mean
from assay.stats.power import detectable_difference, seeds_needed
from assay.stats.signal import LOWEST_RATIO, Signal, at_chance, sd_interval, signal_of
from assay.track.load import LoadedScale

SEEDS = (1, 2, 3, 5, 10)
CENTERED = {
    "centered_accuracy": "centered_accuracy",
    "average": "centered_average",
    "centered_average": "centered_average",
}
"""Metric to the one that says how far it is above chance; bits per byte have no chance level."""


@dataclass(frozen=True)
class SeedNoise:
    """What seeds, and items, do to one metric.

    Attributes:
        sd: Standard deviation of a run, pooled over submissions; None where no two seeds share one.
        degrees: Its degrees of freedom.
        low: Lower end of its 95 % interval.
        high: Upper end.
        noisier: Submissions that are noisier than the others and left out of the pool.
        item_se: Standard error that the choice of items leaves on one run's score, root mean square over
            runs; None where a task has a single item.
    """

    sd: float | None
    degrees: int
    low: float | None
    high: float | None
    noisier: tuple[str, ...]
    item_se: float | None


@dataclass(frozen=True)
class PooledNoise:
    """What seeds do to a metric, over submissions.

    Attributes:
        sd: Standard deviation of a run, above 0.
        degrees: Its degrees of freedom, one or more.
    """

    sd: float
    degrees: int


@dataclass(frozen=True)
class Detectable:
    """The smallest true difference found with power 0.8 at the 5 % level, in the metric's unit.

    Attributes:
        seeds: Of a submission.
        against_equal: Compared with a submission of as many seeds; None where the noise is unknown.
        against_most: Compared with the submission that has most seeds here.
    """

    seeds: int
    against_equal: float | None
    against_most: float | None


@dataclass(frozen=True)
class TaskNoise:
    """One task of a metric.

    Attributes:
        task: Name.
        mean: Over submissions.
        noise: Of seeds and items.
        signal: None with fewer than two submissions or unknown noise.
        at_chance: Whether no submission is above chance; None where the metric has no chance level.
        dead: Why the task is to be marked, or nothing.
    """

    task: str
    mean: float
    noise: SeedNoise
    signal: Signal | None
    at_chance: bool | None
    dead: str


@dataclass(frozen=True)
class MetricNoise:
    """One primary metric.

    Attributes:
        metric: Which.
        noise: Of seeds and items.
        signal: None with fewer than two submissions or unknown noise.
        detectable: By number of seeds.
        tasks: Those that the metric averages.
    """

    metric: Metric
    noise: SeedNoise
    signal: Signal | None
    detectable: tuple[Detectable, ...]
    tasks: tuple[TaskNoise, ...]


@dataclass(frozen=True)
class NoiseReport:
    """The noise of one scale.

    Attributes:
        label: `track/scale@version`.
        seal: What the scores were measured under.
        sealed: False where the track's files differ from its recorded seal.
        seeds: Submission name (and, where two share it, digest) to its number of runs.
        metrics: The two primary ones.
    """

    label: str
    seal: str
    sealed: bool
    seeds: dict[str, int]
    metrics: tuple[MetricNoise, ...]


def measure_noise(loaded: LoadedScale) -> NoiseReport | None:
    """Measure the noise of a scale as the ledger has it.

    Runs on other pools or evaluation files under the same seal are left out: the newest decides.

    Returns:
        None where no run of this seal has a record.
    """
    scores = _comparable(loaded)
    if scores is None:
        return None
    names = scores.chosen
    shared = {name for name in names.values() if list(names.values()).count(name) > 1}
    seeds = {
        f"{name} {digest[7:19]}" if name in shared else name: len(scores.groups[digest])
        for digest, name in names.items()
    }
    metrics = tuple(_metric(scores, metric) for metric in PRIMARY_METRICS[loaded.modality])
    return NoiseReport(scores.label, loaded.seal, loaded.sealed, seeds, metrics)


def pooled_noise(report: NoiseReport | None) -> dict[str, PooledNoise]:
    """Return what a report knows of each primary metric's noise; nothing where no two runs share a submission."""
    found = {one.metric.name: one.noise for one in report.metrics} if report else {}
    return {name: PooledNoise(noise.sd, noise.degrees) for name, noise in found.items() if noise.sd}


def planned_effects(noise: Mapping[str, PooledNoise], seeds: int) -> dict[str, float | None]:
    """Return what each primary metric can show between two submissions of so many seeds."""
    return {
        name: detectable_difference(known.sd, known.degrees, seeds, seeds)
        for name, known in noise.items()
    }


def planned_seeds(noise: PooledNoise, difference: float) -> int | None:
    """Return how many seeds a side find a true difference of the ranking metric with power 0.8.

    Args:
        noise: Of that metric.
        difference: In the metric's unit, above 0.
    """
    return seeds_needed(difference / noise.sd, degrees=noise.degrees)


def _comparable(loaded: LoadedScale) -> ScaleScores | None:
    records = ledger.read_ledger(loaded.track, loaded.scale)
    under_seal = [record for record in records if record["track"]["seal"] == loaded.seal]
    if not under_seal:
        return None
    newest, tables = under_seal[-1], group_records(under_seal)
    groups = next(
        groups
        for groups in tables.values()
        if newest in groups.get(newest["submission"]["digest"], {}).values()
    )
    names = {digest: submission_name(groups, digest) for digest in groups}
    return ScaleScores(
        track=loaded.track,
        scale=loaded.scale,
        label=group_label(groups),
        sealed=loaded.sealed,
        groups=groups,
        chosen=names,
        missing=(),
        methods={digest: number for number, digest in enumerate(names)},
    )


def _metric(scores: ScaleScores, metric: Metric) -> MetricNoise:
    noise = estimate_noise(scores.values(metric.name))
    tasks = scores.tasks(metric.name)
    per_run = [
        [_item_error(record["metrics"]["tasks"][task], metric.name) for task in tasks]
        for seeds in scores.groups.values()
        for record in seeds.values()
    ]
    # A mean over tasks: the errors of its tasks add as squares, over their number.
    items = [_root_sum(errors, len(tasks)) for errors in per_run]
    found = _seed_noise(noise, scores.chosen, _root_mean_square(items))
    most = max(map(len, scores.groups.values()))
    return MetricNoise(
        metric=metric,
        noise=found,
        signal=signal_of(noise),
        detectable=tuple(
            Detectable(
                n,
                detectable_difference(found.sd, found.degrees, n, n),
                detectable_difference(found.sd, found.degrees, n, most),
            )
            for n in SEEDS
        ),
        tasks=tuple(_task(scores, metric, task) for task in tasks),
    )


def _task(scores: ScaleScores, metric: Metric, task: str) -> TaskNoise:
    noise = estimate_noise(scores.task_values(metric.name, task))
    records = [r for seeds in scores.groups.values() for r in seeds.values()]
    errors = [_item_error(r["metrics"]["tasks"][task], metric.name) for r in records]
    signal, chance = signal_of(noise), _at_chance(scores, metric, task)
    return TaskNoise(
        task=task,
        mean=mean([mean(values) for values in noise.values.values()]),
        noise=_seed_noise(noise, scores.chosen, _root_mean_square(errors)),
        signal=signal,
        at_chance=chance,
        dead=_dead(signal, chance),
    )


def _dead(signal: Signal | None, chance: bool | None) -> str:
    """Say why a task tells nothing at this scale, in a few words."""
    if chance:
        return "at chance"
    if signal is None:
        return ""
    if signal.ratio is None:
        return "" if signal.spread else "the same score always"
    if signal.ratio < LOWEST_RATIO:
        return f"signal-to-noise {signal.ratio:.1f}"
    return ""


def _at_chance(scores: ScaleScores, metric: Metric, task: str) -> bool | None:
    if metric.name not in CENTERED:
        return None
    name = CENTERED[metric.name]
    noise = estimate_noise(scores.task_values(name, task))
    means, errors = [], []
    for digest, values in noise.values.items():
        known = noise.variance(digest)
        seeds = known[0] / len(values) if known else 0.0
        runs = scores.groups[digest].values()
        items = [_item_error(r["metrics"]["tasks"][task], name) for r in runs]
        means.append(mean(values))
        errors.append(math.hypot(math.sqrt(seeds), _root_mean_square(items) or 0.0))
    return at_chance(means, errors, noise.degrees)


def _item_error(task: dict[str, Any], metric: str) -> float | None:
    """Return the standard error over items of one run's score of a task, in the metric's unit."""
    if metric == "bits_per_byte":
        return task["bits_per_byte_stderr"]
    if metric == "average" or task["stderr"] is None:
        return task["stderr"]
    return task["stderr"] / (1 - task["chance"])


def _seed_noise(noise: Noise, names: dict[str, str], item_se: float | None) -> SeedNoise:
    low, high = sd_interval(noise.sd, noise.degrees) if noise.sd is not None else (None, None)
    noisier = tuple(names[digest] for digest in noise.own)
    return SeedNoise(noise.sd, noise.degrees, low, high, noisier, item_se)


def _root_sum(errors: Iterable[float | None], count: int) -> float | None:
    known = list(errors)
    if any(error is None for error in known):
        return None
    return math.hypot(*(error for error in known if error is not None)) / count


def _root_mean_square(errors: list[float | None]) -> float | None:
    total = _root_sum(errors, 1)
    return None if total is None else total / math.sqrt(len(errors))
