"""Copies and near-copies against exact set arithmetic."""

import numpy as np
import pytest

from assay.audit.clusters import count_duplicates
from assay.audit.duplicates import NUM_HASHES, content_keys, similar_documents
from assay.signals.clusters import cluster, equal_neighbours
from assay.signals.text.minhash import signatures
from assay.signals.text.words import Words

NAMES = [f"w{i}" for i in range(3000)]


def shingles(text: str) -> set[tuple[str, ...]]:
    words = text.split()
    return {tuple(words[i : i + 5]) for i in range(len(words) - 4)}


def jaccard(one: str, other: str) -> float:
    a, b = shingles(one), shingles(other)
    return len(a & b) / len(a | b)


@pytest.fixture(scope="module")
def texts() -> list[str]:
    """Documents of 300 words, each with a copy in which some more words are changed than in the last."""
    rng = np.random.default_rng(3)
    found = []
    for changes in range(0, 60, 2):
        words = rng.choice(NAMES, 300)
        copy = words.copy()
        copy[rng.choice(300, changes, replace=False)] = "changed"
        found += [" ".join(words), " ".join(copy)]
    return found


def test_signatures_estimate_the_jaccard_index(texts: list[str]) -> None:
    signed = signatures(Words.of(texts), len(texts), NUM_HASHES)
    estimates = (signed[::2] == signed[1::2]).mean(axis=1)
    exact = np.array([jaccard(a, b) for a, b in zip(texts[::2], texts[1::2], strict=True)])
    # Of 64 hashes the standard error is at most 1/16.
    assert np.abs(estimates - exact).max() < 4 / 16
    assert abs((estimates - exact).mean()) < 4 / 16 / np.sqrt(len(exact))


def test_near_copies_are_joined_and_others_are_not(texts: list[str]) -> None:
    one, other = similar_documents(signatures(Words.of(texts), len(texts), NUM_HASHES))
    assert {(min(p) // 2 * 2, max(p)) for p in zip(one, other, strict=True)} == {
        (min(p), max(p)) for p in zip(one, other, strict=True)
    }
    joined = {int(min(a, b)) // 2 for a, b in zip(one, other, strict=True)}
    for number in range(len(texts) // 2):
        exact = jaccard(texts[2 * number], texts[2 * number + 1])
        if exact > 0.95:
            assert number in joined
        if exact < 0.5:
            assert number not in joined


def test_texts_of_a_few_words_are_near_nothing() -> None:
    texts = ["one two", "one two", "three", ""]
    assert len(similar_documents(signatures(Words.of(texts), 4, NUM_HASHES))[0]) == 0
    assert count_duplicates(4, equal_neighbours([content_keys(texts)])).redundant == 1


def test_groups_are_counted() -> None:
    keys = np.array([5, 1, 5, 2, 2, 5, 9], dtype=np.uint64)
    counted = count_duplicates(len(keys), equal_neighbours([keys]))
    assert (counted.groups, counted.largest, counted.redundant) == (2, 3, 3)
    assert counted.redundant_fraction == 3 / 7
    labels = cluster(len(keys), equal_neighbours([keys]))
    assert [labels[i] == labels[0] for i in range(7)] == [
        True,
        False,
        True,
        False,
        False,
        True,
        False,
    ]
    assert (
        count_duplicates(0, (np.empty(0, np.int64), np.empty(0, np.int64))).redundant_fraction == 0
    )
