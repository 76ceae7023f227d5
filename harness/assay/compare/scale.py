"""Submissions at one scale: intervals, ranks, and differences to the first with their tests."""

import math
from dataclasses import dataclass, replace

import numpy as np

from assay.board import Metric
from assay.compare.entries import ScaleScores
from assay.compare.items import shared_item_error
from assay.stats.bradley_terry import bradley_terry
from assay.stats.items import on_new_items
from assay.stats.multiplicity import benjamini_hochberg, holm
from assay.stats.noise import Difference, Noise, estimate_noise, mean, pooled_sd
from assay.stats.power import best_of_inflation, detectable_difference
from assay.stats.ranks import (
    RankInterval,
    displayed_ranks,
    leave_one_task_out,
    rank_intervals,
    seed_stability,
)
from assay.stats.rules import RecordVerdict, record_verdict

SEED = 20_260_101
"""Of every draw and bootstrap in a comparison: the same records give the same numbers."""


@dataclass(frozen=True)
class TaskDifference:
    """One task of a submission against the first one's.

    Attributes:
        task: Name.
        delta: Submission minus first, in the task's unit.
        difference: The same with its error; None where the noise is unknown.
        p_holm: Two-sided, adjusted over the tasks.
        p_bh: False discovery rate over the tasks.
    """

    task: str
    delta: float
    difference: Difference | None
    p_holm: float | None
    p_bh: float | None


@dataclass(frozen=True)
class Versus:
    """A submission against the first one.

    Attributes:
        delta: Submission minus first, in the metric's unit.
        on_this_suite: The same with its seed error; None where the noise is unknown.
        p_holm: Two-sided, adjusted over all submissions compared with the first.
        on_new_items: The same difference with the items' error added; None where per-item outputs are not
            at hand.
        detectable: Smallest true difference that these seeds find with power 0.8, in the metric's unit.
        tasks: Task by task.
    """

    delta: float
    on_this_suite: Difference | None
    p_holm: float | None
    on_new_items: Difference | None
    detectable: float | None
    tasks: tuple[TaskDifference, ...]


@dataclass(frozen=True)
class Compared:
    """One submission at one scale.

    Attributes:
        name: As the participant gave it.
        submission: Digest.
        seeds: Number of runs.
        mean: Over seeds.
        sd: Over seeds; None with one.
        half_width: Of the 95 % interval; None where the noise is unknown.
        keeps_own_variance: True where it is noisier than the others and left out of the pool.
        rank: 1 + number of significantly better ones; None where the noise is unknown.
        interval: Of the rank; None where the noise is unknown.
        task_range: Best and worst rank with any one task left out; None with a single task.
        strength: Bradley-Terry log-strength over tasks won; None with a single task.
        versus_first: None for the first.
    """

    name: str
    submission: str
    seeds: int
    mean: float
    sd: float | None
    half_width: float | None
    keeps_own_variance: bool
    rank: int | None
    interval: RankInterval | None
    task_range: tuple[int, int] | None
    strength: float | None
    versus_first: Versus | None


@dataclass(frozen=True)
class Lead:
    """The best mean of the compared, and what it is worth.

    Attributes:
        best: Its name.
        second: The name of the next one.
        luck: How far the best of as many equally good submissions would lie from their mean by chance
            alone, in the metric's unit; None where the noise is unknown.
        verdict: The record rule on these seeds; it holds for a board only on seeds drawn after both were
            handed in. None where the noise is unknown.
    """

    best: str
    second: str
    luck: float | None
    verdict: RecordVerdict | None


@dataclass(frozen=True)
class ScaleComparison:
    """All of it, at one scale.

    Attributes:
        label: `track/scale@version`.
        scale: Name.
        sealed: False where the track's files differ from its recorded seal.
        metric: Compared.
        pooled_sd: Over every submission of this table that shares its noise; None where no two seeds do.
        degrees: Of freedom.
        stability: Lowest Kendall tau-b of the ranking with one seed left out; None where undefined.
        lead: Of the best over the second.
        entries: In the order asked for.
        missing: Names without a record here.
    """

    label: str
    scale: str
    sealed: bool
    metric: Metric
    pooled_sd: float | None
    degrees: int
    stability: float | None
    lead: Lead
    entries: tuple[Compared, ...]
    missing: tuple[str, ...]


def compare_scale(scores: ScaleScores, metric: Metric) -> ScaleComparison:
    """Compare the chosen submissions; noise is pooled over all submissions of the table."""
    noise = estimate_noise(scores.values(metric.name))
    chosen = list(scores.chosen)
    here = replace(noise, values={digest: noise.values[digest] for digest in chosen})
    lower = metric.lower_is_better
    intervals = rank_intervals(here, lower_is_better=lower, seed=SEED)
    ranks = displayed_ranks(here, lower_is_better=lower)
    task_ranges, strengths = _task_columns(scores, metric)
    versus = _versus_first(scores, metric, noise)
    entries = []
    for index, digest in enumerate(chosen):
        values = here.values[digest]
        entries.append(
            Compared(
                name=scores.chosen[digest],
                submission=digest,
                seeds=len(values),
                mean=mean(values),
                sd=pooled_sd([values])[0],
                half_width=here.half_width(digest),
                keeps_own_variance=digest in here.own,
                rank=ranks[digest] if ranks else None,
                interval=intervals.get(digest),
                task_range=task_ranges[index] if task_ranges else None,
                strength=strengths[index] if strengths else None,
                versus_first=versus.get(digest),
            )
        )
    return ScaleComparison(
        label=scores.label,
        scale=scores.scale,
        sealed=scores.sealed,
        metric=metric,
        pooled_sd=noise.sd,
        degrees=noise.degrees,
        stability=seed_stability([here.values[digest] for digest in chosen]),
        lead=_lead(here, scores.chosen, lower_is_better=lower),
        entries=tuple(entries),
        missing=scores.missing,
    )


def _task_columns(
    scores: ScaleScores, metric: Metric
) -> tuple[list[tuple[int, int]] | None, list[float] | None]:
    tasks = scores.tasks(metric.name)
    if len(tasks) < 2:
        return None, None
    by_task = [scores.task_values(metric.name, task) for task in tasks]
    table = np.array([[mean(values[d]) for values in by_task] for d in scores.chosen])
    lower = metric.lower_is_better
    return (
        leave_one_task_out(table, lower_is_better=lower),
        bradley_terry(table, lower_is_better=lower),
    )


def _versus_first(scores: ScaleScores, metric: Metric, noise: Noise) -> dict[str, Versus]:
    first, *others = scores.chosen
    found = [noise.difference(digest, first) for digest in others]
    adjusted = _adjust([noise.family_p(digest, first) for digest in others], holm)
    task_noise = {
        task: estimate_noise(scores.task_values(metric.name, task))
        for task in scores.tasks(metric.name)
    }
    versus = {}
    for digest, difference, p in zip(others, found, adjusted, strict=True):
        versus[digest] = Versus(
            delta=mean(noise.values[digest]) - mean(noise.values[first]),
            on_this_suite=difference,
            p_holm=p,
            on_new_items=_with_items(scores, metric, digest, difference),
            detectable=detectable_difference(
                noise.sd, noise.degrees, len(noise.values[digest]), len(noise.values[first])
            ),
            tasks=_task_differences(task_noise, digest, first),
        )
    return versus


def _with_items(
    scores: ScaleScores, metric: Metric, digest: str, difference: Difference | None
) -> Difference | None:
    if difference is None:
        return None
    first = next(iter(scores.chosen))
    records = [list(scores.groups[which].values()) for which in (digest, first)]
    items = shared_item_error(records[0], records[1], metric.name)
    return None if items is None else on_new_items(difference, items)


def _lead(noise: Noise, names: dict[str, str], *, lower_is_better: bool) -> Lead:
    by_mean = sorted(noise.values, key=lambda d: mean(noise.values[d]), reverse=not lower_is_better)
    best, second = by_mean[:2]
    luck = None
    if noise.sd is not None:
        fewest = min(map(len, noise.values.values()))
        luck = best_of_inflation(len(by_mean)) * noise.sd / math.sqrt(fewest)
    verdict = record_verdict(noise, best, second, lower_is_better=lower_is_better)
    return Lead(names[best], names[second], luck, verdict)


def _task_differences(
    noise: dict[str, Noise], digest: str, first: str
) -> tuple[TaskDifference, ...]:
    deltas = [mean(task.values[digest]) - mean(task.values[first]) for task in noise.values()]
    found = [task.difference(digest, first) for task in noise.values()]
    p_values = [task.family_p(digest, first) for task in noise.values()]
    adjusted = _adjust(p_values, holm), _adjust(p_values, benjamini_hochberg)
    columns = zip(noise, deltas, found, *adjusted, strict=True)
    return tuple(TaskDifference(*column) for column in columns)


def _adjust(p_values: list[float | None], method) -> list[float | None]:
    """Adjust the p-values that are known, as one family."""
    adjusted = iter(method([p for p in p_values if p is not None]))
    return [None if p is None else next(adjusted) for p in p_values]
