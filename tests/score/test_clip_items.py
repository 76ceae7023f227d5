"""Errors over items of image-text tasks: against the scorer's own, and against a bootstrap over images."""

import math
from dataclasses import replace

import numpy as np
import pytest

from assay.score.clip import score_clip
from assay.score.clip_items import ClipItems, clip_item_values
from assay.stats.items import item_error
from assay.suite.clip import ClipSuite, ClipTask
from score.test_clip import CLASSES, ask, retrieval_outputs


def spread(items: ClipItems) -> float:
    """Standard error of one task's value over clusters."""
    return item_error({"t": items.values}, {"t": items.clusters}).se


@pytest.mark.parametrize(
    "metric", ["acc1", "mean_per_class_recall", "f1_macro", "acc_wg", "acc_top5_wg"]
)
def test_independent_items_have_the_error_that_the_scorer_gives(metric: str) -> None:
    rng = np.random.default_rng(3)
    golds = rng.integers(0, CLASSES, 400)
    logits = rng.normal(size=(400, CLASSES)) + np.eye(CLASSES)[golds]
    groups = np.where(np.arange(400) % 4 == 0, "a", "b").tolist()
    outputs = ask(logits, golds[:, None].tolist(), task="c", groups=groups)
    task = ClipTask("c", "g", "classification", metric, 400, CLASSES, shards=("sha256:0",))
    scored = score_clip(outputs, ClipSuite("s", 1, (task,))).tasks["c"]
    for name, value in (
        ("average", scored.main_metric),
        ("centered_average", scored.centered_main_metric),
    ):
        items = clip_item_values(outputs, [task], name)["c"]
        assert items.values.mean() == pytest.approx(value)
    # The scorer divides a group's sum by its own n - 1, this by that of all items.
    error = spread(clip_item_values(outputs, [task], "average")["c"])
    assert error == pytest.approx(scored.stderr, rel=1e-2 if metric.endswith("wg") else 1e-9)


def test_an_association_counts_the_items_that_its_metric_counts() -> None:
    rng = np.random.default_rng(4)
    sizes = rng.choice([5, 10, 12], 90)
    tables = [rng.normal(size=size) for size in sizes]
    golds = [sorted(rng.choice(size, 2, replace=False).tolist()) for size in sizes]
    outputs = ask(tables, golds, task="w", depth=2)
    task = ClipTask("w", "g", "association", "jaccard_score", 90, shards=("sha256:0",))
    for metric in ("jaccard_score", "jaccard_score_10-12"):
        one = replace(task, main_metric=metric)
        scored = score_clip(outputs, ClipSuite("s", 1, (one,))).tasks["w"]
        items = clip_item_values(outputs, [one], "average")["w"]
        assert items.values.mean() == pytest.approx(scored.main_metric)
        assert spread(items) == pytest.approx(scored.stderr, rel=1e-2)


def test_an_image_and_its_captions_are_one_draw() -> None:
    rng = np.random.default_rng(5)
    images, captions = 120, 5
    owners = np.repeat(np.arange(images), captions)
    # Some images are easy for all their captions, others for none.
    ease = np.repeat(rng.normal(2.5, 2.0, images), captions)
    scores = rng.normal(size=(images, len(owners)))
    scores[owners, np.arange(len(owners))] += ease
    outputs = retrieval_outputs(scores, owners)
    task = ClipTask("r", "g", "retrieval", "mean_recall@1", images, num_captions=len(owners))
    scored = score_clip(outputs, ClipSuite("s", 1, (task,))).tasks["r"]
    items = clip_item_values(outputs, [task], "average")["r"]
    assert items.values.mean() == pytest.approx(scored.main_metric)
    assert np.bincount(items.clusters).tolist() == [1 + captions] * images
    sums = np.bincount(items.clusters, items.values) / len(items.values)
    draws = rng.integers(0, images, (20_000, images))
    bootstrap = float(sums[draws].sum(axis=1).std())
    assert spread(items) == pytest.approx(bootstrap * math.sqrt(images / (images - 1)), rel=0.03)
    assert scored.stderr is not None
    assert spread(items) > 1.2 * scored.stderr
