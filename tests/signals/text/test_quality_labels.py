"""A classifier of encyclopedia against web pages, asked about documents that people labelled."""

import io
import json
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
import zstandard
from scipy.stats import mannwhitneyu

from assay.signals.text.fasttext import Classifier

REAL = Path(__file__).parents[3] / ".." / "shared" / "data" / "text"

pytestmark = [
    pytest.mark.realdata,
    pytest.mark.skipif(not REAL.is_dir(), reason="real data is not here"),
]


def records(*names: str) -> Iterator[dict]:
    for name in names:
        with (REAL / name).open("rb") as stream:
            reader = zstandard.ZstdDecompressor().stream_reader(stream)
            yield from map(json.loads, io.TextIOWrapper(reader, encoding="utf-8"))


def test_a_classifier_trained_on_named_sources_agrees_with_people_beyond_chance() -> None:
    shards = [f"pool/shard_{number:08d}.jsonl.zst" for number in range(3)]
    good, crowd = [], []
    for record in records(*shards):
        encyclopedia = "wikipedia.org" in (record.get("url") or "")
        (good if encyclopedia else crowd).append(record["text"][:5_000])
    assert len(good) > 100
    rng = np.random.default_rng(0)
    negatives = [crowd[i] for i in rng.choice(len(crowd), len(good), replace=False)]
    labelled = list(records("quality_labels.jsonl.zst"))
    scores = Classifier.train(good, negatives).score([one["text"] for one in labelled])
    label = np.array([one["label"] for one in labelled], dtype=bool)
    test = mannwhitneyu(scores[label], scores[~label], alternative="greater")
    assert test.pvalue < 0.01, test.statistic / (label.sum() * (~label).sum())
