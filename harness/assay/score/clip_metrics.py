"""The metrics of image-text tasks, each with its chance level and standard error."""

import math
from dataclasses import dataclass
from fractions import Fraction

import numpy as np
from numpy.typing import NDArray

from assay.score.arithmetic import (
    exact_mean,
    linearized_standard_error,
    standard_error,
)
from assay.score.clip_rows import Rows
from assay.suite.clip import ClipTask

MIN_CLASSES_FOR_TOP5 = 6
"""With five classes or fewer, five answers cannot be wrong."""
RECALL_AT = (1, 5, 10)
MIN_CANDIDATES = 10
"""WinoGAViL's items with ten and twelve candidates are the ones that DataComp averages."""


@dataclass(frozen=True)
class Estimate:
    """One metric.

    Attributes:
        value: In [0, 1].
        chance: Expected value of answers drawn uniformly, from the items themselves.
        stderr: Standard error over items, or None for a single item.
    """

    value: float
    chance: float
    stderr: float | None


def classification_metrics(rows: Rows, task: ClipTask) -> dict[str, Estimate]:
    """Return `acc1`, `acc5`, `mean_per_class_recall`, `f1_macro`, and `acc_wg` and `acc_top5_wg` with groups.

    Classes count that are some item's gold, as in scikit-learn's balanced accuracy and in WILDS.
    """
    has_top5 = task.num_classes >= MIN_CLASSES_FOR_TOP5
    depths = {"acc1": 1} | ({"acc5": 5} if has_top5 else {})
    metrics = {
        name: Estimate(exact_mean(rows.hits(k)), k / task.num_classes, standard_error(rows.hits(k)))
        for name, k in depths.items()
    }
    metrics["mean_per_class_recall"] = _mean_per_class_recall(rows, task)
    metrics["f1_macro"] = _f1_macro(rows, task)
    groups = [] if rows.group is None else sorted({*rows.group.tolist()})
    if groups:
        metrics["acc_wg"] = _worst_group(rows, groups, 1, task)
        if has_top5:
            metrics["acc_top5_wg"] = _worst_group(rows, groups, 5, task)
    return metrics


def retrieval_metrics(image: Rows, text: Rows) -> dict[str, Estimate]:
    """Return recall at 1, 5 and 10 in both directions, and the mean of both at 1.

    A question is answered if any of its golds is among the k likeliest. Standard errors take questions
    as independent, which captions of one image are not.
    """
    metrics: dict[str, Estimate] = {}
    for name, rows in (("text_retrieval", image), ("image_retrieval", text)):
        for k in RECALL_AT:
            hits = rows.hits(k)
            metrics[f"{name}_recall@{k}"] = Estimate(
                exact_mean(hits), exact_mean(_hit_chance(rows, k)), standard_error(hits)
            )
    both = [metrics["text_retrieval_recall@1"], metrics["image_retrieval_recall@1"]]
    errors = [one.stderr for one in both if one.stderr is not None]
    metrics["mean_recall@1"] = Estimate(
        exact_mean([one.value for one in both]),
        exact_mean([one.chance for one in both]),
        math.hypot(*errors) / 2 if len(errors) == 2 else None,
    )
    return metrics


def association_metrics(rows: Rows) -> dict[str, Estimate]:
    """Return the mean Jaccard index of the k likeliest with the k golds, of all items and of large ones.

    Source:
        WinoGAViL (Bitton et al., 2022), https://arxiv.org/abs/2207.12576.
    """
    values = jaccard_indices(rows)
    sizes = zip(rows.num_candidates.tolist(), rows.num_golds.tolist(), strict=True)
    chances = np.array([_jaccard_chance(candidates, golds) for candidates, golds in sizes])
    metrics = {"jaccard_score": _mean(values, chances)}
    large = rows.num_candidates >= MIN_CANDIDATES
    if large.any():
        metrics["jaccard_score_10-12"] = _mean(values[large], chances[large])
    return metrics


def jaccard_indices(rows: Rows) -> NDArray[np.float64]:
    """Return each item's index."""
    values = np.empty(len(rows))
    for i in range(len(rows)):
        gold = set(rows.gold[rows.gold_starts[i] : rows.gold_starts[i + 1]].tolist())
        top = set(rows.top[rows.top_starts[i] : rows.top_starts[i + 1]].tolist())
        values[i] = len(gold & top) / len(gold | top)
    return values


def _mean(values: NDArray[np.float64], chances: NDArray[np.float64]) -> Estimate:
    return Estimate(exact_mean(values), exact_mean(chances), standard_error(values))


def _mean_per_class_recall(rows: Rows, task: ClipTask) -> Estimate:
    recalls, influences = class_recalls(rows)
    return Estimate(
        exact_mean(recalls), 1.0 / task.num_classes, linearized_standard_error(influences.tolist())
    )


def class_recalls(rows: Rows) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return the recall of each class that is some item's gold, and what each item adds to their mean."""
    hits = rows.hits(1)
    classes, inverse, counts = np.unique(rows.gold, return_inverse=True, return_counts=True)
    recalls = np.array([exact_mean(hits[inverse == number]) for number in range(len(classes))])
    return recalls, (hits - recalls[inverse]) / (counts[inverse] * len(classes))


def _f1_macro(rows: Rows, task: ClipTask) -> Estimate:
    """Return the mean F1 of classes that occur; chance is that of expected counts."""
    golds = np.bincount(rows.gold, minlength=task.num_classes)
    chance = 2 * golds / (task.num_classes * golds + len(rows))
    f1, influences = class_f1(rows, task)
    return Estimate(
        exact_mean(f1),
        exact_mean(chance[golds > 0]),
        linearized_standard_error(influences.tolist()),
    )


def class_f1(rows: Rows, task: ClipTask) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return the F1 of each class that is some item's gold, and what each item adds to their mean.

    Here a tie is answered by the first of the equals: F1 is about the answers given, to all classes.
    """
    predicted = rows.top[rows.top_starts[:-1]]
    size = task.num_classes
    golds = np.bincount(rows.gold, minlength=size)
    answers = np.bincount(predicted, minlength=size)
    right = np.bincount(rows.gold[rows.gold == predicted], minlength=size)
    total = np.maximum(golds + answers, 1)
    f1 = 2 * right / total
    occurs = golds > 0
    # What an item adds: to its gold's F1 as a gold, to its answer's F1 as an answer, to both if right.
    hit = rows.gold == predicted
    as_gold = (2.0 * hit - f1[rows.gold]) / total[rows.gold]
    as_answer = np.where(occurs[predicted], -f1[predicted] / total[predicted], 0.0)
    return f1[occurs], (as_gold + as_answer) / int(occurs.sum())


def _worst_group(rows: Rows, groups: list[str], k: int, task: ClipTask) -> Estimate:
    """Return accuracy in the worst of the groups; chance is that of any one group."""
    worst = rows.hits(k)[in_worst_group(rows, groups, k)]
    return Estimate(exact_mean(worst), k / task.num_classes, standard_error(worst))


def in_worst_group(rows: Rows, groups: list[str], k: int) -> NDArray[np.bool_]:
    """Tell which items are in the group with the fewest hits among the k likeliest, the first of equals."""
    hits = rows.hits(k)
    worst = min(groups, key=lambda name: exact_mean(hits[rows.group == name]))
    return np.asarray(rows.group == worst)


def _hit_chance(rows: Rows, k: int) -> NDArray[np.float64]:
    """Return the probability that k candidates drawn without replacement hold a gold."""
    sizes, inverse = np.unique(
        np.stack([rows.num_candidates, rows.num_golds]), axis=1, return_inverse=True
    )
    chances = [
        float(
            1 - Fraction(math.comb(total - golds, min(k, total)), math.comb(total, min(k, total)))
        )
        for total, golds in sizes.T.tolist()
    ]
    return np.array(chances)[inverse.reshape(-1)]


def _jaccard_chance(candidates: int, golds: int) -> float:
    """Return the expected Jaccard index of `golds` candidates drawn without replacement."""
    ways = math.comb(candidates, golds)
    return math.fsum(
        math.comb(golds, both)
        * math.comb(candidates - golds, golds - both)
        / ways
        * (both / (2 * golds - both))
        for both in range(golds + 1)
    )
