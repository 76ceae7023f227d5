"""The fourth level: train again, a prefix or the whole, and compare with what the record says."""

import io
import math
import shutil
import tempfile
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow.parquet as pq
from numpy.typing import NDArray

from assay import ledger
from assay.artifact import only_one
from assay.board import PRIMARY_METRICS, Row, Table, build_board
from assay.canonical import digest_bytes, digest_json
from assay.console import say
from assay.errors import UserError
from assay.record import result_digest
from assay.runner.modalities import aggregate, build_modality, evaluate_checkpoint
from assay.runner.plan import RunPlan, write_plan
from assay.runner.training import CHECKPOINT, ensure_trained
from assay.settings import Settings
from assay.stats.rules import SUSPICION_LEVEL, rerun_tolerance, suspicion_p
from assay.track.load import LoadedScale
from assay.train.device import configure_torch
from assay.train.loop import train
from assay.verify.case import Case
from assay.verify.machine import differences, settings_as_recorded
from assay.verify.outputs import first_difference
from assay.verify.report import AbsentError, DiffersError
from assay.versions import versions

PREFIX_FRAC = 0.05
MIN_STEPS = 20
"""A prefix has so large a part of a run's steps, and no fewer than these."""

FIRST_STEPS = 5
FIRST_TOLERANCE = {"fp32": 1e-4, "bf16": 2e-3}
EARLY_TOLERANCE = {"text": 2e-3, "clip": 5e-3}
MEAN_TOLERANCE = 2e-2
"""Elsewhere, losses may differ by so large a part of themselves: any of the first five, by the recipe's
precision; any of the first twenty, by modality; all of the prefix on average, for rounding spreads.

Measured at `pico` on one CPU against the same run with other threads, micro-batches, kernels and
instruction sets: up to 1.4e-6 in five steps, 2e-5 (text) and 5e-4 (clip) in twenty, on average 1e-3 (200
steps of text) and 2e-3 (80 of clip). Another seed gives 3e-3 and more in five steps, 4e-2 and more in twenty,
5e-2 and more on average; a subset with one document exchanged 3e-2 in twenty. Not measured: bf16, GPUs.
"""


def check_prefix(case: Case) -> str:
    """Take the first steps of training again and compare their losses."""
    case.require_models()
    record, recorded = case.record, case.trace
    steps = min(len(recorded), max(MIN_STEPS, math.ceil(PREFIX_FRAC * len(recorded))))
    settings = replace(settings_as_recorded(record, processes=False), checkpoint_seconds=math.inf)
    say(f"replaying {steps:,} of {len(recorded):,} steps")
    with tempfile.TemporaryDirectory(prefix="assay-verify-") as name:
        folder = Path(name)
        modality = build_modality(
            case.loaded,
            case.pool,
            case.selection,
            seed=record["seed"],
            settings=settings,
            folder=folder,
        )
        trained = train(
            modality, seed=record["seed"], folder=folder, settings=settings, last_step=steps
        )
    facts = trained.facts | {"micro_batch": settings.micro_batch, "sharding": "none"}
    here, there = trained.trace[:steps], recorded[:steps]
    if here.tobytes() == there.tobytes():
        return f"the first {steps:,} of {len(recorded):,} losses, bit for bit"
    first = int(np.argmax(here != there))
    told = f"loss {there[first]:.6f} recorded, {here[first]:.6f} here at step {first}"
    elsewhere = differences(record, facts)
    if not elsewhere:
        raise DiffersError(f"{told}, on the same software and machine")
    return _close(here, there, case.loaded, elsewhere)


def _close(
    here: NDArray[np.float32], there: NDArray[np.float32], loaded: LoadedScale, elsewhere: list[str]
) -> str:
    """Compare losses of another machine: strictly at first, on average after rounding has spread."""
    with np.errstate(divide="ignore"):
        gaps = np.abs(here - there) / np.abs(there)
    bands = {
        f"in {FIRST_STEPS} steps": (
            float(gaps[:FIRST_STEPS].max()),
            FIRST_TOLERANCE[loaded.recipe.precision],
        ),
        f"in {MIN_STEPS}": (float(gaps[:MIN_STEPS].max()), EARLY_TOLERANCE[loaded.modality]),
        f"on average over {len(gaps):,}": (float(gaps.mean()), MEAN_TOLERANCE),
    }
    told = ", ".join(f"{gap:.1e} {where} (of {most:.0e})" for where, (gap, most) in bands.items())
    told = f"losses differ by {told}; not bit for bit: {'; '.join(elsewhere)}"
    if not all(gap <= most for gap, most in bands.values()):
        raise DiffersError(f"beyond rounding: {told}")
    return f"within tolerance: {told}"


def check_full(case: Case) -> str:
    """Train and evaluate again, and compare the result."""
    case.require_models()
    settings = settings_as_recorded(case.record, processes=True)
    plan = _plan(case, settings)
    plan.folder.parent.mkdir(parents=True, exist_ok=True)
    with only_one(
        plan.folder.with_suffix(".lock"), lambda: say("another process reruns this; waiting")
    ):
        again, device = _rerun(case, plan, settings)
        shutil.rmtree(plan.folder)
    if result_digest(again) == result_digest(case.record):
        return "the whole result, bit for bit"
    elsewhere = differences(case.record, device)
    if elsewhere:
        return f"{agreement(case.record, again['metrics'])} ({'; '.join(elsewhere)})"
    parts = ("digests", "training", "metrics")
    told = (first_difference(case.record[part], again[part], f"{part}.") for part in parts)
    raise DiffersError(
        f"another result on the same software and machine: {'; '.join(one for one in told if one)}"
    )


def _plan(case: Case, settings: Settings) -> RunPlan:
    """Plan the rerun in a folder of its own, where a killed one goes on."""
    record = case.record
    plan = RunPlan(
        track=case.loaded.track,
        scale=case.loaded.scale,
        submission=case.submission.digest,
        unit=case.submission.unit,
        seed=record["seed"],
        key="",
    )
    named = {
        "rerun": asdict(plan),
        "seal": case.loaded.seal,
        "pool": case.pool.root,
        "software": versions(case.loaded.modality),
        "settings": asdict(settings),
    }
    return replace(plan, key=digest_json(named))


def _rerun(case: Case, plan: RunPlan, settings: Settings) -> tuple[dict[str, Any], dict[str, Any]]:
    """Return the record with what this run gives instead, and the facts of its device."""
    say(f"training again in {plan.folder}")
    write_plan(plan, case.submission, settings)
    facts = ensure_trained(plan, settings)
    configure_torch(settings)
    outputs = evaluate_checkpoint(
        case.loaded,
        case.pool,
        plan.folder / CHECKPOINT,
        device=settings.device,
        show_progress=settings.progress,
    )
    stream = io.BytesIO()
    pq.write_table(outputs, stream, compression="zstd")
    budget = case.loaded.recipe.budget
    kept = ("steps", "parameters", "flops", "final_loss")
    digests = {name: facts[name] for name in ("selection", "trace", "checkpoint")}
    again = case.record | {
        "digests": case.digests | digests | {"outputs": digest_bytes(stream.getvalue())},
        "training": {
            f"{budget.unit}_seen": budget.amount,
            **{name: facts[name] for name in kept},
            **facts["extra"],
        },
        "metrics": aggregate(outputs, case.loaded).as_json(),
    }
    return again, facts["device"]


def agreement(record: dict[str, Any], metrics: dict[str, Any]) -> str:
    """Hold a rerun's metrics against the claim's mean and the ledger's own noise.

    Args:
        record: The claim; the ledger's other seeds of its submission belong to the claim.
        metrics: Of the rerun.

    Returns:
        Each primary metric's gap and tolerance.

    Raises:
        DiffersError: If a gap exceeds its tolerance.
        AbsentError: If the ledger cannot say how much seeds differ.
    """
    try:
        others = ledger.read_ledger(record["track"]["name"], record["track"]["scale"])
    except UserError as error:
        raise AbsentError(f"nothing says how much seeds differ: {error}") from None
    row, table = _claim(record, others)
    if not table.degrees:
        raise AbsentError(
            "another result, on another machine, and no submission in the ledger has two seeds to say how "
            "much seeds differ: assay score ... --seeds 3"
        )
    told: list[str] = []
    within = True
    for metric in PRIMARY_METRICS[record["track"]["modality"]]:
        sd = table.pooled_sd[metric.name]
        assert sd is not None, "there are degrees of freedom"
        found, claimed = metrics[metric.name], row.estimates[metric.name].mean
        gain = found - claimed if metric.lower_is_better else claimed - found
        allowed = rerun_tolerance(sd, table.degrees, row.seeds)
        within = within and abs(gain) <= allowed
        told.append(
            f"{metric.name} {found:.4f}, claimed {claimed:.4f} (mean of {row.seeds}), gap {abs(gain):.4f}, "
            f"tolerance {allowed:.4f}{_suspicion(suspicion_p(gain, sd, table.degrees, row.seeds))}"
        )
    if not within:
        raise DiffersError(f"beyond the noise of seeds: {'; '.join(told)}")
    return f"within the noise of seeds: {'; '.join(told)}"


def _suspicion(p: float) -> str:
    """Return what to say of a claim that a rerun does not reach, though it is within the tolerance."""
    told = f", suspiciously better than its rerun (one-sided p {p:.3f}): rank the rerun"
    return told if p < SUSPICION_LEVEL else ""


def _claim(record: dict[str, Any], others: list[dict[str, Any]]) -> tuple[Row, Table]:
    """Return the record's row of the board and its table, with its pooled deviation."""
    track, digests = record["track"], record["digests"]

    def comparable(other: dict[str, Any]) -> bool:
        same_law = other["track"] == track
        same_data = ("pool", "suite_data")
        return same_law and all(other["digests"].get(n) == digests.get(n) for n in same_data)

    # Last, so that of several records of this seed the one under verification counts.
    (table,) = build_board([*filter(comparable, others), record])
    submission = record["submission"]["digest"]
    return next(row for row in table.rows if row.submission == submission), table
