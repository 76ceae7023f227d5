"""What scoring would take and could show, before anything runs."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from assay.board import PRIMARY_METRICS
from assay.errors import UserError
from assay.noise import (
    Marks,
    PooledNoise,
    measure_noise,
    planned_effects,
    planned_seeds,
    pooled_noise,
    read_marks,
)
from assay.pool import AnyPool, pool_path
from assay.runner.campaign import finished_runs, list_if_made
from assay.settings import Settings
from assay.submission import read_submission, validate_file
from assay.track.load import LoadedScale
from assay.track.pools import open_pool


@dataclass(frozen=True)
class PlannedSubmission:
    """One submission at one scale.

    Attributes:
        name: As it was given.
        submission: Digest; None for a baseline that has not chosen yet.
        finished: Runs that have a record already.
        to_run: Runs that remain.
        elsewhere: Those of them that have a record under other settings or software.
        problem: Why it cannot be scored, or nothing.
        note: What could not be checked yet, or nothing.
    """

    name: str
    submission: str | None
    finished: int
    to_run: int
    elsewhere: int
    problem: str
    note: str


@dataclass(frozen=True)
class PlannedScale:
    """All submissions at one scale.

    Attributes:
        label: `track/scale@version`.
        scale: Name.
        submissions: In the order given.
        finished: Runs that have a record already.
        to_run: Runs that remain.
        seconds_each: One run's expected wall time; None where nobody has measured it.
        expected_on: Which machine that time is of.
        seconds: Of all remaining runs, one after the other.
        gpu_hours: Of all remaining runs; 0 on a CPU.
        usd: Of all remaining runs, at the price in conf/costs.yaml; None on a CPU or on this machine.
        calibration: How to measure the noise here, where nobody has; else nothing.
        published: Whether what follows rests on the noise that came with the track, not on runs here.
        detectable: By metric, the smallest true difference between two submissions that these seeds find with
            power 0.8, in the metric's unit; None where a single seed shows none, empty where the noise is unknown.
        degrees: Of freedom of the noise that this rests on.
        seeds_needed: To find the difference that was asked for; None where none was, or the noise is unknown.
        noisy_tasks: By metric, tasks that are marked at this scale.
    """

    label: str
    scale: str
    submissions: tuple[PlannedSubmission, ...]
    finished: int
    to_run: int
    seconds_each: float | None
    expected_on: str
    seconds: float | None
    gpu_hours: float | None
    usd: float | None
    calibration: str
    published: bool
    detectable: dict[str, float | None]
    degrees: int
    seeds_needed: int | None
    noisy_tasks: dict[str, tuple[str, ...]]


@dataclass(frozen=True)
class Forecast:
    """The whole matrix of submissions, scales and seeds.

    Attributes:
        track: Name.
        seeds: Of each submission at each scale.
        scales: In the order given.
        finished: Runs that have a record already.
        to_run: Runs that remain.
        seconds: Of all of them, one after the other; None where a scale's is unknown.
        gpu_hours: Of all of them; None where a scale's is unknown.
        usd: Of those that have a price; None where none has.
    """

    track: str
    seeds: int
    scales: tuple[PlannedScale, ...]
    finished: int
    to_run: int
    seconds: float | None
    gpu_hours: float | None
    usd: float | None

    @property
    def ok(self) -> bool:
        """Whether every submission can be scored at every scale."""
        return not any(one.problem for scale in self.scales for one in scale.submissions)


def forecast_scale(
    loaded: LoadedScale,
    about: dict[str, Any],
    words: Sequence[str],
    *,
    seeds: int,
    settings: Settings,
    difference: float | None = None,
) -> PlannedScale:
    """Plan one scale; no pool is built and no strategy is run for it.

    Args:
        loaded: The scale.
        about: Its expected time and cost, as `assay tracks` describes it.
        words: Files of ids, or names of baselines.
        seeds: Of each.
        settings: How to run here: other settings are other runs.
        difference: Of the ranking metric, that one wants to find.

    Raises:
        SubmissionError: If a word is neither a file nor a baseline.
        PoolError: If the pool is damaged.
    """
    built = (pool_path(loaded.spec.pool.name) / "pool.json").is_file()
    pool = open_pool(loaded) if built else None
    planned = tuple(_submission(loaded, pool, word, seeds, settings) for word in words)
    to_run, each = sum(one.to_run for one in planned), about["expected_seconds"]
    usd = about["expected_cost_usd"]
    marks = read_marks(loaded)
    noise, published = _noise(loaded, marks)
    ranking = noise.get(PRIMARY_METRICS[loaded.modality][0].name)
    calibrate = f"assay noise --track {loaded.track} --scale {loaded.scale} --seeds 10"
    return PlannedScale(
        label=loaded.label,
        scale=loaded.scale,
        submissions=planned,
        finished=sum(one.finished for one in planned),
        to_run=to_run,
        seconds_each=each,
        expected_on=about["expected_on"],
        seconds=_times(to_run, each),
        gpu_hours=_times(to_run * about["expected_gpus"] / 3600, each),
        usd=None if usd is None else to_run * usd,
        calibration="" if noise else calibrate,
        published=published,
        detectable=planned_effects(noise, seeds),
        degrees=ranking.degrees if ranking else 0,
        seeds_needed=planned_seeds(ranking, difference) if ranking and difference else None,
        noisy_tasks={m: tuple(tasks) for m, tasks in marks.tasks.items()} if marks else {},
    )


def _noise(loaded: LoadedScale, marks: Marks | None) -> tuple[dict[str, PooledNoise], bool]:
    """Return the noise of this machine's runs, or the track's where that rests on more; and whether it is the track's."""
    here, shipped = pooled_noise(measure_noise(loaded)), marks.noise if marks else {}
    degrees = [sum(noise.degrees for noise in known.values()) for known in (here, shipped)]
    return (shipped, True) if degrees[1] > degrees[0] else (here, False)


def forecast(track: str, seeds: int, scales: Sequence[PlannedScale]) -> Forecast:
    """Add up the scales."""
    priced = [scale.usd for scale in scales if scale.usd is not None]
    return Forecast(
        track=track,
        seeds=seeds,
        scales=tuple(scales),
        finished=sum(scale.finished for scale in scales),
        to_run=sum(scale.to_run for scale in scales),
        seconds=_total([scale.seconds for scale in scales]),
        gpu_hours=_total([scale.gpu_hours for scale in scales]),
        usd=sum(priced) if priced else None,
    )


def _submission(
    loaded: LoadedScale, pool: AnyPool | None, word: str, seeds: int, settings: Settings
) -> PlannedSubmission:
    path = list_if_made(loaded, word, pool)
    if path is None:
        return PlannedSubmission(word, None, 0, seeds, 0, "", "the baseline has not chosen yet")
    if pool is None:
        note = f"not checked: pool {loaded.spec.pool.name} is not built yet"
        try:
            return PlannedSubmission(word, read_submission(path).digest, 0, seeds, 0, "", note)
        except UserError as error:
            return PlannedSubmission(word, None, 0, 0, 0, str(error), "")
    report = validate_file(path, pool, loaded.rules, loaded.recipe.budget)
    refusal, submission = report.refusal, report.submission
    if refusal or submission is None:
        told = f"{refusal.rule}: {refusal.message}" if refusal else "cannot be read"
        digest = submission.digest if submission else None
        return PlannedSubmission(word, digest, 0, 0, 0, told, "")
    finished, elsewhere = finished_runs(loaded, submission, pool, seeds, settings)
    return PlannedSubmission(word, submission.digest, finished, seeds - finished, elsewhere, "", "")


def _times(count: float, seconds: float | None) -> float | None:
    """Nothing to do takes no time, even where nobody knows how long one run takes."""
    if not count:
        return 0.0
    return None if seconds is None else count * seconds


def _total(parts: Sequence[float | None]) -> float | None:
    known = [part for part in parts if part is not None]
    return sum(known) if len(known) == len(parts) else None
