"""What each question adds to an image-text task's main metric, and which questions are one draw of evidence."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from assay.score.clip_metrics import (
    MIN_CANDIDATES,
    Estimate,
    association_metrics,
    class_f1,
    class_recalls,
    classification_metrics,
    in_worst_group,
    jaccard_indices,
    retrieval_metrics,
)
from assay.score.clip_rows import Rows, task_rows
from assay.suite.clip import ClipTask


@dataclass(frozen=True, eq=False)
class ClipItems:
    """The questions of a task.

    Attributes:
        values: (n,) each question's part; their mean is the task's value. Of a metric that is no mean over
            questions, such as recall by class, the first order of it: what the infinitesimal jackknife adds up.
        clusters: (n,) the image that a question is about. An image of a retrieval and its captions are one draw;
            elsewhere each item is one. Classes and groups are the same on new items, and no draw.
    """

    values: NDArray[np.float64]
    clusters: NDArray[np.int64]


def clip_item_values(
    outputs: pa.Table, tasks: Sequence[ClipTask], metric: str, items_per_task: int | None = None
) -> dict[str, ClipItems]:
    """Return each question's part of a headline metric by task.

    Args:
        outputs: A table of `CLIP_OUTPUT_SCHEMA` that `score_clip` accepted.
        tasks: Some with a main metric.
        metric: `average` or `centered_average`.
        items_per_task: Only the first so many items were asked, or None for all.

    Source:
        The infinitesimal jackknife (Jaeckel, 1972).
    """
    names = np.array(outputs["task"].to_pylist(), dtype=np.str_)
    found: dict[str, ClipItems] = {}
    for task in tasks:
        parts = task_rows(outputs.filter(pa.array(names == task.name)), task, items_per_task)
        influences = _influences(parts, task)
        main = _main(parts, task)
        values = main.value + len(influences) * influences
        if metric == "centered_average":
            values = (values - main.chance) / (1 - main.chance)
        found[task.name] = ClipItems(values, _clusters(parts))
    return found


def _main(parts: Mapping[str, Rows], task: ClipTask) -> Estimate:
    assert task.main_metric is not None, "tasks that enter an average"
    if task.kind == "retrieval":
        return retrieval_metrics(parts["image"], parts["text"])[task.main_metric]
    if task.kind == "association":
        return association_metrics(parts[""])[task.main_metric]
    return classification_metrics(parts[""], task)[task.main_metric]


def _influences(parts: Mapping[str, Rows], task: ClipTask) -> NDArray[np.float64]:
    """Return what each question adds to the main metric to first order; they sum to 0."""
    if task.kind == "retrieval":
        both = (parts[name].hits(1) for name in ("image", "text"))
        return np.concatenate([_of_mean(hits) / 2 for hits in both])
    rows, metric = parts[""], task.main_metric
    if metric == "mean_per_class_recall":
        return class_recalls(rows)[1]
    if metric == "f1_macro":
        return class_f1(rows, task)[1]
    if task.kind == "association":
        counted = rows.num_candidates >= (MIN_CANDIDATES if metric != "jaccard_score" else 0)
        return _of_mean(jaccard_indices(rows), counted)
    if metric == "acc1":
        return _of_mean(rows.hits(1))
    k = 1 if metric == "acc_wg" else 5
    assert rows.group is not None, "scored by its worst group"
    return _of_mean(rows.hits(k), in_worst_group(rows, sorted({*rows.group.tolist()}), k))


def _of_mean(
    values: NDArray[np.float64], counted: NDArray[np.bool_] | None = None
) -> NDArray[np.float64]:
    """Return what each value adds to the mean of those that count."""
    among = np.ones(len(values), dtype=np.bool_) if counted is None else counted
    return np.where(among, values - values[among].mean(), 0.0) / among.sum()


def _clusters(parts: Mapping[str, Rows]) -> NDArray[np.int64]:
    if "text" not in parts:
        return np.arange(len(parts[""]))
    # A caption's gold is the image that it belongs to.
    return np.concatenate([np.arange(len(parts["image"])), parts["text"].gold])
