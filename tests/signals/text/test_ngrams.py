"""Hashed n-grams and importance weights, beside a direct reading of DSIR's formulas."""

from collections import Counter
from itertools import pairwise
from math import log

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from nltk.tokenize import wordpunct_tokenize

from assay.foundry import documents
from assay.signals.text.ngrams import Grams, ImportanceWeights, bucket_totals

TEXTS = st.lists(st.text(alphabet="aBé_9 .,!\\n中٣'", max_size=30), min_size=1, max_size=5)


def spelled(text: str) -> list[tuple[str, ...]]:
    words = wordpunct_tokenize(text.lower())
    return [*((word,) for word in words), *pairwise(words)]


@settings(max_examples=60)
@given(TEXTS)
def test_buckets_stand_for_words_and_pairs_of_words(texts: list[str]) -> None:
    huge = 1 << 40  # so that no two share a bucket
    found = Grams.of(texts, huge)
    grams = [spelled(text) for text in texts]
    assert np.bincount(found.texts, minlength=len(texts)).tolist() == [len(one) for one in grams]
    seen: dict[tuple[str, ...], int] = {}
    for number, one in enumerate(grams):
        mine = Counter(found.buckets[found.texts == number].tolist())
        assert sorted(mine.values()) == sorted(Counter(one).values())
        for gram in set(one):
            bucket = Grams.of([" ".join(gram)], huge).buckets[-1]
            assert seen.setdefault(gram, bucket) == bucket
            assert mine[bucket] == one.count(gram)


def test_counts_are_those_of_each_text() -> None:
    texts = ["a b a", "", "b"]
    counts = Grams.of(texts, 1000).counts(1000)
    assert counts.sum(axis=1).tolist() == [5, 0, 1]
    assert counts.max() == 2
    assert np.array_equal(counts.sum(axis=0), bucket_totals([texts[:1], texts[1:]], 1000))


def test_weights_are_those_of_the_papers_formulas() -> None:
    target = [page.text for page in documents(0, 60) if not page.truth.defects]
    pool = [page.text for page in documents(60, 160)]
    buckets = 500

    def slow_totals(texts: list[str]) -> Counter[int]:
        return Counter(int(b) for text in texts for b in Grams.of([text], buckets).buckets)

    p, q = slow_totals(target), slow_totals(pool)

    def slow_weight(text: str) -> float:
        total = 0.0
        for bucket, count in slow_totals([text]).items():
            ratio = log(p[bucket] / p.total() + 1e-8) - log(q[bucket] / q.total() + 1e-8)
            total += count * ratio
        return total

    weights = ImportanceWeights.fit(
        bucket_totals([target], buckets), bucket_totals([pool], buckets)
    )
    expected = np.array([slow_weight(text) for text in pool])
    assert weights.score(pool) == pytest.approx(expected, rel=1e-9)
    sizes = np.array([len(spelled(text)) for text in pool])
    assert weights.mean_score(pool) == pytest.approx(expected / sizes, rel=1e-9)
    assert weights.mean_score(target).mean() > weights.mean_score(pool).mean()


def test_buckets_never_change() -> None:
    assert Grams.of(["the cat"], 10_000).buckets.tolist() == [9565, 4222, 4526]
