"""From per-item outputs of image-text tasks to metrics: every number that reaches a record or a board.

Sums are correctly rounded, so that the order of rows moves no bit. A task, an item or a value that is
missing is an error and never a smaller average.
"""

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa

from assay.errors import SuiteError
from assay.score.arithmetic import centered_accuracy, exact_mean
from assay.score.clip_metrics import (
    Estimate,
    association_metrics,
    classification_metrics,
    retrieval_metrics,
)
from assay.score.clip_rows import CLIP_OUTPUT_SCHEMA, Rows, task_rows
from assay.suite.clip import ClipSuite, ClipTask

__all__ = ["CLIP_OUTPUT_SCHEMA", "ClipMetrics", "ClipTaskScore", "score_clip"]


@dataclass(frozen=True)
class ClipTaskScore:
    """The metrics of one task.

    Attributes:
        metrics: All that apply to its kind: `acc1`, `acc5` (six classes and more),
            `mean_per_class_recall`, `f1_macro`, and with groups `acc_wg`, `acc_top5_wg`;
            `text_retrieval_recall@k`, `image_retrieval_recall@k` (k of 1, 5, 10), `mean_recall@1`;
            `jaccard_score`, `jaccard_score_10-12`. Fractions in [0, 1].
        main_metric: The value of the one that enters averages; None for a task that enters none.
        chance: Of the main metric, for uniform guessing.
        centered_main_metric: Rescaled so that guessing is 0 and perfection 1.
        stderr: Standard error of the main metric over items; None for a single item.
        bits_per_answer: Mean of -log2 of the golds' probability; of a retrieval, mean of both directions.
        num_items: Items that the numbers rest on.
    """

    metrics: dict[str, float]
    main_metric: float | None
    chance: float | None
    centered_main_metric: float | None
    stderr: float | None
    bits_per_answer: float
    num_items: int


@dataclass(frozen=True)
class ClipMetrics:
    """The metrics of one run.

    Attributes:
        average: Mean of the main metrics over all tasks that have one, as DataComp averages.
        centered_average: The same of the centered main metrics.
        bits_per_answer: Mean over the same tasks.
        groups: Group to the mean of its tasks' main metrics.
        tasks: Task name to its metrics, in the suite's order.
    """

    average: float
    centered_average: float
    bits_per_answer: float
    groups: dict[str, float]
    tasks: dict[str, ClipTaskScore]

    def as_json(self) -> dict[str, Any]:
        """Return plain data, as records hold it."""
        return {
            "average": self.average,
            "centered_average": self.centered_average,
            "bits_per_answer": self.bits_per_answer,
            "groups": dict(self.groups),
            "tasks": {name: dict(vars(task)) for name, task in self.tasks.items()},
        }


def score_clip(
    outputs: pa.Table, suite: ClipSuite, items_per_task: int | None = None
) -> ClipMetrics:
    """Aggregate per-item outputs.

    Args:
        outputs: A table of `CLIP_OUTPUT_SCHEMA`, rows in any order.
        suite: What had to be evaluated.
        items_per_task: Only the first so many items of each task had to be, or None for all.

    Raises:
        SuiteError: If a task or an item is missing, unknown or repeated, or a value is impossible.
    """
    if not outputs.schema.equals(CLIP_OUTPUT_SCHEMA):
        raise SuiteError(
            f"per-item outputs have the columns {outputs.schema.names}, evaluate again"
        )
    names = np.array(outputs["task"].to_pylist(), dtype=np.str_)
    if unknown := sorted(set(names.tolist()) - {task.name for task in suite.tasks}):
        raise SuiteError(f"outputs hold task {unknown[0]!r}, which suite {suite.name!r} has not")
    scores: dict[str, ClipTaskScore] = {}
    for task in suite.tasks:
        rows = outputs.filter(pa.array(names == task.name))
        scores[task.name] = _score_task(task_rows(rows, task, items_per_task), task)
    counted = [task for task in suite.tasks if task.main_metric is not None]
    if not counted:
        raise SuiteError(f"suite {suite.name!r} has no task with a main metric; name one")
    mains = {task.name: _known(scores[task.name].main_metric) for task in counted}
    groups = dict.fromkeys(task.group for task in counted)
    return ClipMetrics(
        average=exact_mean(list(mains.values())),
        centered_average=exact_mean(
            [_known(scores[task.name].centered_main_metric) for task in counted]
        ),
        bits_per_answer=exact_mean([scores[task.name].bits_per_answer for task in counted]),
        groups={
            group: exact_mean([mains[task.name] for task in counted if task.group == group])
            for group in groups
        },
        tasks=scores,
    )


def _score_task(parts: dict[str, Rows], task: ClipTask) -> ClipTaskScore:
    if task.kind == "classification":
        estimates = classification_metrics(parts[""], task)
    elif task.kind == "retrieval":
        estimates = retrieval_metrics(parts["image"], parts["text"])
    else:
        estimates = association_metrics(parts[""])
    main = _main(estimates, task)
    return ClipTaskScore(
        metrics={name: estimate.value for name, estimate in estimates.items()},
        main_metric=main and main.value,
        chance=main and main.chance,
        centered_main_metric=main and centered_accuracy(main.value, main.chance),
        stderr=main and main.stderr,
        bits_per_answer=exact_mean([_bits(rows) for rows in parts.values()]),
        num_items=len(next(iter(parts.values()))),
    )


def _main(estimates: dict[str, Estimate], task: ClipTask) -> Estimate | None:
    if task.main_metric is None:
        return None
    if task.main_metric not in estimates:
        raise SuiteError(
            f"task {task.name!r}: its items do not give {task.main_metric!r} (no groups, under six "
            f"classes, or too few of them evaluated), only {', '.join(estimates)}; evaluate more items"
        )
    main = estimates[task.main_metric]
    if main.chance == 1:
        raise SuiteError(
            f"task {task.name!r}: guessing is always right where there is one candidate; evaluate more items"
        )
    return main


def _bits(rows: Rows) -> float:
    return exact_mean(-rows.log_prob / math.log(2))


def _known(value: float | None) -> float:
    assert value is not None
    return value
