"""The second and third levels: metrics from per-item outputs, and per-item outputs from the checkpoint."""

from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray
from safetensors import SafetensorError

from assay.board import metrics_of
from assay.canonical import canonical_json
from assay.console import say
from assay.runner.modalities import aggregate, evaluate_checkpoint
from assay.runner.training import CHECKPOINT
from assay.score.clip import CLIP_OUTPUT_SCHEMA
from assay.train.device import build_accelerator, device_facts
from assay.verify.case import Case
from assay.verify.machine import differences, settings_as_recorded
from assay.verify.report import DiffersError

LOG_TOLERANCE = 1e-3
"""Elsewhere, log-probabilities agree to so many nats, plus so large a part of themselves.

Measured at `pico` on one CPU, from one instruction set to another: 7e-7 (text).
"""
MAX_DECISIONS = 0.01
"""Elsewhere, so large a part of the items (one at least) may be decided differently: near ties."""

CONTINUOUS = ("log_likelihood", "log_prob")
DECISIONS = ("greedy", "top", "rank", "tied")


@dataclass(frozen=True)
class Agreement:
    """How far two tables of per-item outputs agree.

    Attributes:
        exact: Whether they are equal to the bit.
        same_items: Whether they are about the same items with the same golds and sizes.
        excess: Largest difference of a log-probability over its tolerance; above 1 is too much.
        decisions: Items that were decided differently.
        num_items: Rows of a table.
    """

    exact: bool
    same_items: bool
    excess: float
    decisions: int
    num_items: int

    @property
    def close(self) -> bool:
        """Whether rounding can explain what differs."""
        allowed = max(1, int(MAX_DECISIONS * self.num_items))
        return self.same_items and self.excess <= 1 and self.decisions <= allowed


def check_complete(case: Case) -> str:
    """Check that every task and every item of the suite is there, with possible values."""
    aggregate(case.outputs, case.loaded)
    return f"{len(case.loaded.suite.tasks)} tasks, {len(case.outputs):,} items"


def check_metrics(case: Case) -> str:
    """Compute every metric again and compare it exactly."""
    found = aggregate(case.outputs, case.loaded).as_json()
    if difference := first_difference(case.record["metrics"], found):
        raise DiffersError(difference)
    heads = (f"{name} {found[name]:.4f}" for name in metrics_of(case.record))
    return f"all numbers as recorded: {', '.join(heads)}"


def first_difference(claimed: Any, found: Any, where: str = "") -> str | None:
    """Return where two documents first differ and how, or None where they are equal to the bit."""
    if isinstance(claimed, dict) and isinstance(found, dict):
        for key in dict.fromkeys((*found, *claimed)):
            if key not in claimed:
                return f"{where}{key} is missing from the record"
            if key not in found:
                return f"{where}{key} is in the record alone"
            if difference := first_difference(claimed[key], found[key], f"{where}{key}."):
                return difference
        return None
    if canonical_json(claimed) == canonical_json(found):
        return None
    return f"{where[:-1]} is {claimed!r} in the record, {found!r} here"


def check_evaluation(case: Case) -> str:
    """Evaluate the stored checkpoint again and compare per-item outputs and metrics."""
    case.require_models()
    settings = settings_as_recorded(case.record, processes=False)
    facts = device_facts(build_accelerator(settings, "fp32"))
    say("evaluating the checkpoint again")
    try:
        again = evaluate_checkpoint(
            case.loaded,
            case.pool,
            case.artifact(CHECKPOINT),
            device=settings.device,
            show_progress=settings.progress,
        )
    except (OSError, ValueError, RuntimeError, KeyError, SafetensorError) as error:
        raise DiffersError(
            f"the checkpoint does not load: {' '.join(str(error).split())}"
        ) from None
    found = compare_outputs(case.outputs, again)
    if found.exact:
        return f"{found.num_items:,} items to the bit"
    # Evaluation runs in one process, whatever training ran in.
    elsewhere = differences(case.record, {k: v for k, v in facts.items() if k != "processes"})
    metrics = aggregate(again, case.loaded).as_json()
    gaps = (
        f"{name} {case.record['metrics'][name]:.6f} there, {metrics[name]:.6f} here"
        for name in metrics_of(case.record)
    )
    told = (
        f"{found.decisions} of {found.num_items:,} items decided differently, largest difference of a "
        f"log-probability {found.excess:.2g} of its tolerance; {'; '.join(gaps)}"
    )
    if not elsewhere:
        raise DiffersError(f"not the recorded outputs, on the same software and machine: {told}")
    if not found.close:
        raise DiffersError(f"beyond rounding: {told} ({'; '.join(elsewhere)})")
    return f"within tolerance: {told} ({'; '.join(elsewhere)})"


def compare_outputs(stored: pa.Table, again: pa.Table) -> Agreement:
    """Compare two whole tables of per-item outputs, rows in any order."""
    keys = [("task", "ascending"), ("item", "ascending")]
    if stored.schema.equals(CLIP_OUTPUT_SCHEMA):
        keys.append(("part", "ascending"))
    one, two = (table.sort_by(keys).combine_chunks() for table in (stored, again))
    fixed = [name for name in one.column_names if name not in (*CONTINUOUS, *DECISIONS)]
    if not one.select(fixed).equals(two.select(fixed)):
        return Agreement(False, False, float("inf"), len(one), len(one))
    excess, decided = 0.0, np.zeros(len(one), dtype=np.bool_)
    for name in one.column_names:
        if name in CONTINUOUS:
            a, b = _numbers(one[name]), _numbers(two[name])
            if a.shape != b.shape:
                return Agreement(False, False, float("inf"), len(one), len(one))
            gaps = np.abs(a - b) / (LOG_TOLERANCE * (1 + np.abs(a)))
            excess = max(excess, float(gaps.max(initial=0.0)))
        elif name in DECISIONS:
            pairs = zip(one[name].to_pylist(), two[name].to_pylist(), strict=True)
            decided |= np.array([a != b for a, b in pairs], dtype=np.bool_)
    return Agreement(one.equals(two), True, excess, int(decided.sum()), len(one))


def _numbers(column: pa.ChunkedArray) -> NDArray[np.float64]:
    flat = column.combine_chunks()
    if pa.types.is_list(flat.type):
        flat = flat.flatten()
    return flat.to_numpy(zero_copy_only=False)
