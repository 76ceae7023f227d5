"""Score a submission: the whole benchmark, read top to bottom."""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial
from itertools import count
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq

from assay import ledger
from assay.artifact import atomic_file, only_one
from assay.board import half_width, headline, metrics_of, pooled_sd
from assay.canonical import digest_file, digest_json
from assay.console import say
from assay.errors import SubmissionError
from assay.pool import AnyPool
from assay.record import build_record
from assay.runner.environment import peak_memory_bytes, software
from assay.runner.modalities import (
    aggregate,
    check_installed,
    evaluate_checkpoint,
    input_digests,
    prepare,
)
from assay.runner.plan import RunPlan, make_plan, write_plan
from assay.runner.training import CHECKPOINT, ensure_trained
from assay.score.clip import ClipMetrics
from assay.score.text import Metrics
from assay.seeds import GivenSeed
from assay.settings import Settings
from assay.spec import plain
from assay.submission import Manifest, Report, Submission, Unit, validate_file
from assay.track.load import LoadedScale, load
from assay.track.pools import open_pool
from assay.train.device import configure_torch, resolve_device

OUTPUTS_FILE = "outputs.parquet"


@dataclass(frozen=True)
class _Entry:
    """An accepted submission at one scale, with all that its runs read."""

    loaded: LoadedScale
    pool: AnyPool
    report: Report
    manifest: Manifest

    @property
    def submission(self) -> Submission:
        assert self.report.submission is not None, "a file that cannot be read was refused"
        return self.report.submission


def score_file(
    path: Path,
    *,
    track: str,
    scale: str,
    seeds: int,
    settings: Settings,
    manifest: Manifest,
    unit: Unit | None = None,
    fresh: bool = False,
) -> list[dict[str, Any]]:
    """Train on a submission with each seed, evaluate, and append a record a seed to the ledger.

    A run whose record exists already is not repeated.

    Args:
        path: The id list.
        track: Name of a track.
        scale: Name of a scale of it.
        seeds: Number of runs; the harness derives the seeds.
        settings: How to run here.
        manifest: What the participant declares.
        unit: What chunk ids count; None takes the word of the manifest beside the file.
        fresh: Train and evaluate again, from nothing, even where a record exists.

    Raises:
        SubmissionError: If the submission breaks a rule of the track.
        UserError: If the track, its pool or its suite cannot be used.
    """
    entry = _enter(path, load(track, scale), manifest, unit)
    records = []
    for index in range(seeds):
        say(f"seed {index + 1} of {seeds}: {entry.loaded.label}")
        with _planned(entry, index, settings) as plan:
            records.append(_score_seed(entry, plan, settings, fresh))
    return records


def score_given(
    path: Path,
    loaded: LoadedScale,
    seed: GivenSeed,
    *,
    settings: Settings,
    manifest: Manifest,
    unit: Unit | None = None,
) -> dict[str, Any]:
    """Train on a submission with the seed that a leaderboard drew, evaluate, and return the record.

    No ledger of this machine is read or appended to: the record is for the leaderboard's.

    Raises:
        SubmissionError: If the submission breaks a rule of the track.
        UserError: If the track, its pool or its suite cannot be used.
    """
    entry = _enter(path, loaded, manifest, unit)
    with _planned(entry, seed, settings) as plan:
        return _run(entry, plan, settings)


def _enter(path: Path, loaded: LoadedScale, manifest: Manifest, unit: Unit | None) -> _Entry:
    """Check everything that a run needs now, not after hours of training."""
    check_installed(loaded.modality)
    if not loaded.sealed:
        say(f"note: {loaded.label} differs from its seal; the records will say so")
    pool = open_pool(loaded)
    prepare(loaded)
    report = validate_file(path, pool, loaded.rules, loaded.recipe.budget, unit)
    _refuse_invalid(report, path, loaded)
    return _Entry(loaded, pool, report, manifest)


@contextmanager
def _planned(entry: _Entry, seed: int | GivenSeed, settings: Settings) -> Iterator[RunPlan]:
    """Plan a run and keep other processes from it meanwhile."""
    plan = make_plan(entry.loaded, entry.submission, entry.pool, seed, settings)
    plan.folder.parent.mkdir(parents=True, exist_ok=True)
    with only_one(plan.folder.with_suffix(".lock"), partial(_say_busy, plan)):
        yield plan


def _refuse_invalid(report: Report, path: Path, loaded: LoadedScale) -> None:
    """Stop at the first error; say what is only worth knowing."""
    if refusal := report.refusal:
        raise SubmissionError(
            refusal.rule,
            f"{refusal.message} (all findings: assay validate {path} --track {loaded.track} "
            f"--scale {loaded.scale})",
            refusal.row,
        )
    for finding in report.findings:
        say(f"note {finding.rule}: {finding.message}")


def _say_busy(plan: RunPlan) -> None:
    say(f"another process works on run {plan.folder.name}; waiting for it")


def _score_seed(entry: _Entry, plan: RunPlan, settings: Settings, fresh: bool) -> dict[str, Any]:
    """Find a run's record in the ledger, or make it and append it."""
    if fresh:
        _put_aside(plan.folder)
    elif found := ledger.find_run(entry.loaded.track, entry.loaded.scale, plan.key):
        kept = found["submission"]["manifest"]["name"]
        if entry.manifest.name and entry.manifest.name != kept:
            say(f"  the record keeps its name, {kept!r}")
        say(
            f"  found record {found['digest'][7:19]} of run {plan.folder.name}; --fresh runs it again"
        )
        return found
    record = _run(entry, plan, settings)
    path = ledger.append(record)
    say(f"  {headline(record)}: {path}")
    return record


def _run(entry: _Entry, plan: RunPlan, settings: Settings) -> dict[str, Any]:
    """Take one run from its plan to its record; what a killed attempt left is not done again."""
    started = datetime.now(UTC)
    write_plan(plan, entry.submission, settings)
    facts = ensure_trained(plan, settings)
    evaluating = time.monotonic()
    metrics = _evaluate(entry.loaded, plan, entry.pool, settings)
    clock = {
        "started": started.isoformat(timespec="seconds"),
        "finished": datetime.now(UTC).isoformat(timespec="seconds"),
        "train_seconds": round(facts["seconds"], 3),
        "evaluate_seconds": round(time.monotonic() - evaluating, 3),
        "peak_memory_bytes": peak_memory_bytes(),
    }
    return _record(entry, plan, facts, metrics, clock)


def _put_aside(folder: Path) -> None:
    """Keep an earlier attempt: a record's digests may point at its outputs."""
    if folder.exists():
        number = next(n for n in count(1) if not folder.with_name(f"{folder.name}.{n}").exists())
        folder.rename(folder.with_name(f"{folder.name}.{number}"))


def _evaluate(
    loaded: LoadedScale, plan: RunPlan, pool: AnyPool, settings: Settings
) -> Metrics | ClipMetrics:
    """Evaluate the checkpoint unless its per-item outputs are there, then aggregate them."""
    outputs = plan.folder / OUTPUTS_FILE
    if not outputs.is_file():
        device = resolve_device(settings)
        configure_torch(settings)
        table = evaluate_checkpoint(
            loaded,
            pool,
            plan.folder / CHECKPOINT,
            device=device,
            show_progress=settings.progress,
        )
        with atomic_file(outputs) as stream:
            pq.write_table(table, stream, compression="zstd")
    return aggregate(pq.read_table(outputs), loaded)


def _record(
    entry: _Entry,
    plan: RunPlan,
    facts: dict[str, Any],
    metrics: Metrics | ClipMetrics,
    clock: dict[str, Any],
) -> dict[str, Any]:
    loaded, pool, report, submission = entry.loaded, entry.pool, entry.report, entry.submission
    assert report.shown, "an accepted submission shows something"
    recipe, budget = loaded.recipe, loaded.recipe.budget
    return build_record(
        submission={
            "digest": submission.digest,
            "form": submission.form,
            "unit": submission.unit,
            "n": submission.n,
            "unique": report.unique,
            report.counts: report.shown,
            "repeats": round(budget.amount / report.shown, 4),
            "pool_n": pool.n,
            "manifest": entry.manifest.plain(),
        },
        track={
            "name": loaded.track,
            "scale": loaded.scale,
            "version": loaded.spec.version,
            "modality": loaded.modality,
            "seal": loaded.seal,
            "sealed": loaded.sealed,
        },
        seed=plan.seed,
        digests={
            "run": plan.key,
            "pool": pool.root,
            **input_digests(loaded, pool),
            "selection": facts["selection"],
            "recipe": digest_json(plain(recipe)),
            "suite": digest_json(plain(loaded.suite)),
            "trace": facts["trace"],
            "checkpoint": facts["checkpoint"],
            "outputs": digest_file(plan.folder / OUTPUTS_FILE),
        },
        training={
            f"{budget.unit}_seen": budget.amount,
            **{key: facts[key] for key in ("steps", "parameters", "flops", "final_loss")},
            **facts["extra"],
        },
        metrics=metrics.as_json(),
        software=software(loaded.modality),
        device=facts["device"],
        clock=clock,
        seed_source=plan.seed_source,
    )


def summarise(records: list[dict[str, Any]]) -> dict[str, Any]:
    """Return mean, deviation and 95 % half-width of both primary metrics over the seeds."""
    summary: dict[str, Any] = {"seeds": len(records)}
    for metric in metrics_of(records[0]):
        values = [record["metrics"][metric] for record in records]
        sd, degrees = pooled_sd([values])
        summary[metric] = {
            "mean": sum(values) / len(values),
            "sd": sd,
            "half_width": half_width(sd, degrees, len(values)),
        }
    return summary
