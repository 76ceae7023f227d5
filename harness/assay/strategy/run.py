"""Run a strategy, and note what that took."""

import inspect
import os
import sys
import time
from contextlib import redirect_stdout
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np

from assay.errors import StrategyError, SubmissionError
from assay.pool import AnyPool, ImageTextPool
from assay.pool.manifest import truth_path
from assay.pool.uid import UID_DTYPE
from assay.signals.columns import TrainedModel
from assay.signals.reading import SignalReader
from assay.strategy.load import Setting, Strategy, errors_of
from assay.strategy.view import PairView, PoolView
from assay.submission import (
    Manifest,
    Report,
    Submission,
    submission_of,
    validate,
    write_submission,
)
from assay.track.load import LoadedScale, embedded_pools
from assay.track.spec import Budget


@dataclass(frozen=True)
class Outcome:
    """What a strategy returned, and what that took.

    Attributes:
        submission: In canonical form.
        seconds: Wall time.
        cpu_seconds: Processor time, finished child processes included, and that of the signals it read,
            whenever they were computed.
        inputs: Columns of signals and lists of ids that it read -> their digests.
        models: Networks that these columns rest on.
        fitted: Whether they rest on a model of any kind that was fitted in place.
    """

    submission: Submission
    seconds: float
    cpu_seconds: float
    inputs: dict[str, str] = field(default_factory=dict)
    models: tuple[TrainedModel, ...] = ()
    fitted: bool = False


def run_strategy(
    strategy: Strategy, pool: AnyPool, *, budget: Budget, seed: int, settings: dict[str, Setting]
) -> Outcome:
    """Let a strategy choose.

    Args:
        strategy: What `load_strategy` returned.
        pool: The candidates.
        budget: What a run may see, which the strategy is told.
        seed: Seeds every choice that it makes.
        settings: A value for every parameter, as `parse_settings` returns them.

    Raises:
        StrategyError: If it fails, or returns no submission.
    """
    keywords: dict[str, Any] = {**settings, "seed": seed}
    if strategy.reads_truth:
        keywords["truth"] = read_truth(pool)
    pairs = isinstance(pool, ImageTextPool)
    signals = SignalReader(pool)
    view = (
        PairView(pool, budget.amount, signals) if pairs else PoolView(pool, budget.amount, signals)
    )
    _check_kind(strategy, view)
    started, started_cpu = time.perf_counter(), _cpu_seconds()
    # Standard output belongs to the answer, whatever a strategy prints.
    with errors_of(strategy.path), redirect_stdout(sys.stderr):
        returned = strategy.select(view, **keywords)
    return Outcome(
        submission=_submission(strategy, returned),
        seconds=time.perf_counter() - started,
        cpu_seconds=_cpu_seconds() - started_cpu - signals.spent + signals.cpu_seconds,
        inputs=dict(signals.used),
        models=tuple(signals.models.values()),
        fitted=signals.fitted,
    )


def _check_kind(strategy: Strategy, view: PairView | PoolView) -> None:
    """Refuse a strategy whose `pool` is annotated as the other kind of view."""
    wanted = inspect.signature(strategy.select).parameters["pool"].annotation
    wanted = wanted if isinstance(wanted, str) else getattr(wanted, "__name__", "")
    if wanted in ("PairView", "PoolView") and wanted != type(view).__name__:
        kinds = {"PairView": "image-text pairs", "PoolView": "documents"}
        raise StrategyError(
            f"{strategy.path.name} chooses among {kinds[wanted]} (its pool is a {wanted}), but this track's pool "
            f"holds {kinds[type(view).__name__]}; see the tracks with: assay tracks"
        )


def _cpu_seconds() -> float:
    return sum(os.times()[:4])


def _submission(strategy: Strategy, returned: Any) -> Submission:
    if isinstance(returned, Submission):
        return returned
    if not isinstance(returned, np.ndarray) or returned.dtype != UID_DTYPE:
        got = getattr(returned, "dtype", type(returned).__name__)
        raise StrategyError(
            f"{strategy.path.name}: `select` returned {got}; it returns ids, such as "
            "pool.uids[rows], or a Submission"
        )
    return submission_of(returned)


def read_truth(pool: AnyPool) -> Any:
    """Return the hidden ground truth as a pyarrow table, aligned to the pool's rows.

    Raises:
        StrategyError: If the pool has none, as pools of real data do not, or it is damaged.
    """
    import pyarrow as pa
    import pyarrow.parquet as pq

    path = truth_path(pool.path)
    again = f"remove the folder {pool.path} and run the same command again, which builds both"
    if not path.is_file():
        if pool.name in {ref.name for ref in embedded_pools()}:
            raise StrategyError(f"the ground truth {path} is missing; {again}")
        raise StrategyError(
            f"pool {pool.name} has no ground truth ({path} is absent); only the embedded pools have"
        )
    try:
        truth = pq.read_table(path)
    except (pa.ArrowException, OSError) as error:
        raise StrategyError(f"{path} cannot be read ({error}); {again}") from None
    if len(truth) != pool.n:
        raise StrategyError(f"{path} has {len(truth)} rows for {pool.n} examples; {again}")
    return truth


def make_list(
    strategy: Strategy,
    pool: AnyPool,
    loaded: LoadedScale,
    path: Path,
    *,
    seed: int,
    settings: dict[str, Setting],
    declared: Manifest,
) -> tuple[Report, dict[str, Any]]:
    """Let a strategy choose for a scale, check what it chose, and write the list with its manifest.

    Args:
        strategy: What `load_strategy` returned.
        pool: The scale's.
        loaded: The scale.
        path: Of the list; its suffix says the format.
        seed: Seeds every choice that the strategy makes.
        settings: A value for every parameter.
        declared: The manifest but for how the list was made.

    Returns:
        The report of the rules, and the part of the manifest that says how the list was made.

    Raises:
        StrategyError: If the strategy fails.
        SubmissionError: If what it chose breaks a rule of the track.
    """
    budget = loaded.recipe.budget
    outcome = run_strategy(strategy, pool, budget=budget, seed=seed, settings=settings)
    report = validate(outcome.submission, pool, loaded.rules, budget)
    if refusal := report.refusal:
        raise SubmissionError(
            refusal.rule, f"{strategy.name} for {loaded.label}: {refusal.message}"
        )
    made = manifest_of(strategy, outcome, pool, seed=seed, settings=settings)
    write_submission(outcome.submission, path, replace(declared, **made))
    return report, made


def manifest_of(
    strategy: Strategy, outcome: Outcome, pool: AnyPool, *, seed: int, settings: dict[str, Setting]
) -> dict[str, Any]:
    """Return the part of a manifest that says how the list was made."""
    models = {model.weights: model.plain() for model in outcome.models}
    return {
        "curation_seconds": round(outcome.cpu_seconds, 3),
        "strategy": {
            "name": strategy.name,
            "digest": strategy.digest,
            "parameters": settings,
            "seed": seed,
            "pool": pool.name,
            "pool_root": pool.root,
            "seconds": round(outcome.seconds, 3),
            "cpu_seconds": round(outcome.cpu_seconds, 3),
            **({"inputs": outcome.inputs} if outcome.inputs else {}),
            **({"fitted": True} if outcome.fitted else {}),
            **({"models": models} if models else {}),
        },
    }
