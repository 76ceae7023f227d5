"""Scores without the items that a selection holds, recomputed from what a run left behind."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from numpy.typing import NDArray

from assay.canonical import digest_file
from assay.errors import RunError
from assay.score.arithmetic import centered_accuracy, exact_mean
from assay.score.clip_metrics import (
    association_metrics,
    classification_metrics,
    retrieval_metrics,
)
from assay.score.clip_rows import Rows, task_rows
from assay.score.text import score
from assay.suite import Suite
from assay.suite.clip import ClipSuite, ClipTask

Flagged = Mapping[str, set[int]]
"""Task to the items that do not count."""


@dataclass(frozen=True)
class CleanScore:
    """A run's headline metrics over the items that are left.

    Attributes:
        metrics: Metric to its value; None where a task that it averages has no item left, since an average over
            fewer tasks would be another metric.
        removed: Items that do not count.
        emptied: Tasks that have none left.
    """

    metrics: dict[str, float | None]
    removed: int
    emptied: tuple[str, ...]


def read_outputs(folder: Path, record: Mapping[str, Any]) -> pa.Table | None:
    """Read the per-item outputs of a run, or None where this machine no longer has them.

    Raises:
        RunError: If they are not the ones that the record's metrics were made from.
    """
    path = folder / "outputs.parquet"
    if not path.is_file():
        return None
    if digest_file(path) != record["digests"]["outputs"]:
        raise RunError(
            f"{path} is not what record {record['digest'][7:19]} was made from; score the submission again "
            "with: assay score ... --fresh"
        )
    return pq.read_table(path)


def clean_score(
    outputs: pa.Table, suite: Suite | ClipSuite, flagged: Flagged, items_per_task: int | None
) -> CleanScore:
    """Aggregate per-item outputs without flagged items.

    Of a retrieval, flagged images and their captions are not asked, and stay among the candidates.

    Args:
        outputs: Of a run.
        suite: That it was asked.
        flagged: Items to leave out.
        items_per_task: Only the first so many items were asked, or None for all.
    """
    asked = {
        task.name: min(task.num_items, items_per_task or task.num_items) for task in suite.tasks
    }
    out = {
        name: sorted(i for i in flagged.get(name, ()) if i < size) for name, size in asked.items()
    }
    removed = sum(map(len, out.values()))
    emptied = tuple(name for name, items in out.items() if len(items) == asked[name])
    if isinstance(suite, ClipSuite):
        names = ("average", "centered_average")
        if emptied:
            return CleanScore(dict.fromkeys(names), removed, emptied)
        values = _clip_values(outputs, suite, out, items_per_task)
        return CleanScore({name: values[name] for name in names}, removed, ())
    metrics: dict[str, float | None] = dict.fromkeys(
        ("bits_per_byte", "centered_accuracy", "heldout_bits_per_byte")
    )
    forms = {task.form for task in suite.tasks if task.name in emptied}
    if forms <= {"text"}:
        kept = tuple(task for task in suite.tasks if task.name not in emptied)
        values = vars(_text_metrics(outputs, replace(suite, tasks=kept), out, asked))
        metrics |= {name: values[name] for name in metrics}
    if forms:
        metrics["heldout_bits_per_byte"] = None
    return CleanScore(metrics, removed, emptied)


def _text_metrics(
    outputs: pa.Table, suite: Suite, out: Mapping[str, list[int]], asked: Mapping[str, int]
) -> Any:
    """Number the items that are left anew, so that the same arithmetic sees a whole, smaller suite."""
    tables = []
    for task in suite.tasks:
        rows = _of_task(outputs, task.name).sort_by("item")
        keep = np.setdiff1d(np.arange(asked[task.name]), out[task.name])
        rows = rows.take(keep)
        column = rows.schema.get_field_index("item")
        tables.append(
            rows.set_column(column, "item", pa.array(np.arange(len(keep)), type=pa.int32()))
        )
    smaller = tuple(
        replace(task, num_items=asked[task.name] - len(out[task.name])) for task in suite.tasks
    )
    return score(pa.concat_tables(tables), replace(suite, tasks=smaller))


def _clip_values(
    outputs: pa.Table,
    suite: ClipSuite,
    out: Mapping[str, list[int]],
    items_per_task: int | None,
) -> dict[str, float]:
    mains: list[float] = []
    centered: list[float] = []
    for task in suite.tasks:
        if task.main_metric is None:
            continue
        rows = _of_task(outputs, task.name)
        parts = task_rows(rows, task, items_per_task)
        estimate = _estimates(parts, task, np.array(out[task.name], dtype=np.int64))[
            task.main_metric
        ]
        mains.append(estimate.value)
        centered.append(centered_accuracy(estimate.value, estimate.chance))
    return {"average": exact_mean(mains), "centered_average": exact_mean(centered)}


def _of_task(outputs: pa.Table, task: str) -> pa.Table:
    names = np.array(outputs["task"].to_pylist(), dtype=np.str_)
    return outputs.filter(pa.array(names == task))


def _estimates(parts: Mapping[str, Rows], task: ClipTask, out: NDArray[np.int64]) -> Any:
    if task.kind == "retrieval":
        image, text = parts["image"], parts["text"]
        # A caption's gold is the image that it belongs to.
        kept = ~np.isin(text.gold[text.gold_starts[:-1]], out)
        return retrieval_metrics(_without(image, out), _subset(text, np.flatnonzero(kept)))
    rows = _without(parts[""], out)
    if task.kind == "classification":
        return classification_metrics(rows, task)
    return association_metrics(rows)


def _without(rows: Rows, out: NDArray[np.int64]) -> Rows:
    return _subset(rows, np.setdiff1d(np.arange(len(rows)), out))


def _subset(rows: Rows, keep: NDArray[np.int64]) -> Rows:
    gold, gold_starts = _lists(rows.gold, rows.gold_starts, keep)
    top, top_starts = _lists(rows.top, rows.top_starts, keep)
    return Rows(
        gold=gold,
        gold_starts=gold_starts,
        top=top,
        top_starts=top_starts,
        rank=rows.rank[keep],
        tied=rows.tied[keep],
        num_candidates=rows.num_candidates[keep],
        log_prob=rows.log_prob[keep],
        group=None if rows.group is None else rows.group[keep],
    )


def _lists(
    values: NDArray[np.int64], starts: NDArray[np.int64], keep: NDArray[np.int64]
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    lengths = np.diff(starts)
    kept = np.zeros(len(lengths), dtype=np.bool_)
    kept[keep] = True
    return values[np.repeat(kept, lengths)], np.append(0, np.cumsum(lengths[keep]))
