"""Score a submission: the whole benchmark, read top to bottom."""

import time
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
from assay.settings import Settings
from assay.spec import plain
from assay.submission import Manifest, Report, Unit, validate_file
from assay.track.load import LoadedScale, load
from assay.track.pools import open_pool
from assay.train.device import configure_torch, resolve_device

OUTPUTS_FILE = "outputs.parquet"


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
    loaded = load(track, scale)
    check_installed(loaded.modality)
    if not loaded.sealed:
        say(f"note: {loaded.label} differs from its seal; the records will say so")
    pool = open_pool(loaded)
    # Now, not after hours of training.
    prepare(loaded)
    report = validate_file(path, pool, loaded.rules, loaded.recipe.budget, unit)
    _refuse_invalid(report, path, loaded)
    assert report.submission is not None, "a file that cannot be read was refused"
    records = []
    for index in range(seeds):
        say(f"seed {index + 1} of {seeds}: {loaded.label}")
        plan = make_plan(loaded, report.submission, pool, index, settings)
        plan.folder.parent.mkdir(parents=True, exist_ok=True)
        with only_one(plan.folder.with_suffix(".lock"), partial(_say_busy, plan)):
            records.append(_score_seed(loaded, pool, report, manifest, plan, settings, fresh))
    return records


def _refuse_invalid(report: Report, path: Path, loaded: LoadedScale) -> None:
    """Stop at the first error; say what is only worth knowing."""
    for finding in report.findings:
        if finding.severity == "error":
            raise SubmissionError(
                finding.rule,
                f"{finding.message} (all findings: assay validate {path} --track {loaded.track} "
                f"--scale {loaded.scale})",
                finding.row,
            )
        say(f"note {finding.rule}: {finding.message}")


def _say_busy(plan: RunPlan) -> None:
    say(f"another process works on run {plan.folder.name}; waiting for it")


def _score_seed(
    loaded: LoadedScale,
    pool: AnyPool,
    report: Report,
    manifest: Manifest,
    plan: RunPlan,
    settings: Settings,
    fresh: bool,
) -> dict[str, Any]:
    """Take one run from its plan to its record."""
    assert report.submission is not None
    if fresh:
        _put_aside(plan.folder)
    elif found := ledger.find_run(loaded.track, loaded.scale, plan.key):
        kept = found["submission"]["manifest"]["name"]
        if manifest.name and manifest.name != kept:
            say(f"  the record keeps its name, {kept!r}")
        say(
            f"  found record {found['digest'][7:19]} of run {plan.folder.name}; --fresh runs it again"
        )
        return found
    started = datetime.now(UTC)
    write_plan(plan, report.submission, settings)
    facts = ensure_trained(plan, settings)
    evaluating = time.monotonic()
    metrics = _evaluate(loaded, plan, pool, settings)
    clock = {
        "started": started.isoformat(timespec="seconds"),
        "finished": datetime.now(UTC).isoformat(timespec="seconds"),
        "train_seconds": round(facts["seconds"], 3),
        "evaluate_seconds": round(time.monotonic() - evaluating, 3),
        "peak_memory_bytes": peak_memory_bytes(),
    }
    record = _record(loaded, pool, report, manifest, plan, facts, metrics, clock)
    path = ledger.append(record)
    say(f"  {headline(record)}: {path}")
    return record


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
    loaded: LoadedScale,
    pool: AnyPool,
    report: Report,
    manifest: Manifest,
    plan: RunPlan,
    facts: dict[str, Any],
    metrics: Metrics | ClipMetrics,
    clock: dict[str, Any],
) -> dict[str, Any]:
    submission = report.submission
    assert submission is not None
    assert report.shown
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
            "manifest": manifest.plain(),
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
