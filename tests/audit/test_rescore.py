"""Scores without flagged items, against scores of suites that never had them."""

from dataclasses import replace

import numpy as np
import pyarrow as pa
import pytest

from assay.audit.rescore import clean_score, read_outputs
from assay.canonical import digest_file
from assay.errors import RunError
from assay.score.clip import CLIP_OUTPUT_SCHEMA, score_clip
from assay.score.text import OUTPUT_SCHEMA, score
from assay.suite import Suite, Task
from assay.suite.clip import ClipSuite, ClipTask

TEXT = Suite(
    "s",
    1,
    (
        Task("a", "g", "choice", "", 6),
        Task("b", "g", "exact", "", 5),
        Task("h", "g", "text", "", 4),
    ),
)
CLIP = ClipSuite(
    "c",
    1,
    (
        ClipTask("k", "g", "classification", "acc1", 6, num_classes=3),
        ClipTask("r", "g", "retrieval", "mean_recall@1", 4, num_captions=8),
    ),
)


def text_outputs(rng: np.random.Generator) -> pa.Table:
    rows = []
    for task in TEXT.tasks:
        for item in range(task.num_items):
            size = 3 if task.form == "choice" else 1
            rows.append(
                {
                    "task": task.name,
                    "item": item,
                    "gold": int(rng.integers(size)),
                    "log_likelihood": (-rng.exponential(3.0, size)).tolist(),
                    "num_tokens": [2] * size,
                    "num_bytes": rng.integers(3, 9, size).tolist(),
                    "greedy": [bool(rng.integers(2))] * size,
                }
            )
    return pa.Table.from_pylist(rows, schema=OUTPUT_SCHEMA)


def clip_row(task: str, item: int, part: str, gold: list[int], scores: np.ndarray) -> dict:
    """Return one question's outputs from the scores of its candidates, all different."""
    order = np.argsort(-scores)
    best = max(scores[gold])
    wrong = np.setdiff1d(np.arange(len(scores)), gold)
    log_prob = float(np.log(np.exp(scores)[gold].sum() / np.exp(scores).sum()))
    return {
        "task": task, "item": item, "part": part, "gold": gold, "top": order[:5].tolist(),
        "rank": int((scores[wrong] > best).sum()), "tied": 0, "num_candidates": len(scores),
        "log_prob": min(0.0, log_prob), "group": None,
    }  # fmt: skip


def clip_outputs(rng: np.random.Generator) -> pa.Table:
    rows = [clip_row("k", i, "", [i % 3], rng.normal(size=3)) for i in range(6)]
    rows += [clip_row("r", i, "image", [2 * i, 2 * i + 1], rng.normal(size=8)) for i in range(4)]
    rows += [clip_row("r", i, "text", [i // 2], rng.normal(size=4)) for i in range(8)]
    return pa.Table.from_pylist(rows, schema=CLIP_OUTPUT_SCHEMA)


def test_without_flags_the_score_is_the_records_own() -> None:
    rng = np.random.default_rng(1)
    outputs = text_outputs(rng)
    full = score(outputs, TEXT)
    clean = clean_score(outputs, TEXT, {}, None)
    assert clean.metrics == {name: vars(full)[name] for name in clean.metrics}
    assert clean.removed == 0
    pairs = clip_outputs(rng)
    again = clean_score(pairs, CLIP, {}, None).metrics
    assert again == {name: vars(score_clip(pairs, CLIP))[name] for name in again}


def test_removing_the_last_items_scores_a_suite_without_them() -> None:
    outputs = text_outputs(np.random.default_rng(2))
    flagged = {"a": {4, 5}, "h": {3}, "unknown": {1}}
    smaller = replace(
        TEXT,
        tasks=tuple(
            replace(t, num_items=t.num_items - len(flagged.get(t.name, ()))) for t in TEXT.tasks
        ),
    )
    kept = [r for r in outputs.to_pylist() if r["item"] not in flagged.get(r["task"], ())]
    expected = score(pa.Table.from_pylist(kept, schema=OUTPUT_SCHEMA), smaller)
    clean = clean_score(outputs, TEXT, flagged, None)
    assert clean.removed == 3
    assert clean.metrics == {name: vars(expected)[name] for name in clean.metrics}


def test_an_item_that_was_not_asked_removes_nothing() -> None:
    outputs = text_outputs(np.random.default_rng(3))
    first = outputs.filter(pa.array(np.array(outputs["item"]) < 4))
    clean = clean_score(first, TEXT, {"a": {5}}, 4)
    assert clean.removed == 0
    assert clean.metrics["bits_per_byte"] == score(first, TEXT, 4).bits_per_byte


def test_flagged_images_and_their_captions_are_not_asked() -> None:
    outputs = clip_outputs(np.random.default_rng(4))
    clean = clean_score(outputs, CLIP, {"k": {0, 3}, "r": {1}}, None)
    rows = outputs.to_pylist()
    k = [r["rank"] == 0 for r in rows if r["task"] == "k" and r["item"] not in (0, 3)]
    image = [r["rank"] == 0 for r in rows if r["part"] == "image" and r["item"] != 1]
    text = [r["rank"] == 0 for r in rows if r["part"] == "text" and r["item"] not in (2, 3)]
    assert (len(k), len(image), len(text)) == (4, 3, 6)
    recall = (np.mean(image) + np.mean(text)) / 2
    assert clean.metrics["average"] == pytest.approx((np.mean(k) + recall) / 2)
    assert clean.removed == 3


def test_a_task_without_items_makes_no_smaller_average() -> None:
    outputs = text_outputs(np.random.default_rng(5))
    clean = clean_score(outputs, TEXT, {"b": set(range(5))}, None)
    assert clean.emptied == ("b",)
    assert set(clean.metrics.values()) == {None}


def test_a_held_out_task_without_items_leaves_the_other_metrics() -> None:
    outputs = text_outputs(np.random.default_rng(5))
    whole = clean_score(outputs, TEXT, {}, None)
    (heldout,) = [task for task in TEXT.tasks if task.form == "text"]
    clean = clean_score(outputs, TEXT, {heldout.name: set(range(heldout.num_items))}, None)
    assert clean.emptied == (heldout.name,)
    assert clean.metrics == whole.metrics | {"heldout_bits_per_byte": None}
    assert whole.metrics["heldout_bits_per_byte"] is not None


def test_outputs_that_are_not_the_records_are_refused(tmp_path) -> None:
    path = tmp_path / "outputs.parquet"
    record = {"digest": "sha256:" + "0" * 64, "digests": {"outputs": "sha256:11"}}
    assert read_outputs(tmp_path, record) is None
    pa.parquet.write_table(text_outputs(np.random.default_rng(6)), path)
    with pytest.raises(RunError, match="not what record"):
        read_outputs(tmp_path, record)
    record["digests"]["outputs"] = digest_file(path)
    assert read_outputs(tmp_path, record).num_rows == 15
