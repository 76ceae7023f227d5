"""Repeated paragraphs, beside a plain set of strings."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from assay.foundry import documents
from assay.signals.text.paragraphs import DUPLICATE_SHARE, GRAM_WORDS, BloomFilter, repeated
from assay.signals.text.words import normal_form


def slowly(texts: list[str]) -> list[tuple[float, float]]:
    seen: set[tuple[str, ...]] = set()
    found = []
    for text in texts:
        old = grams = duplicate = words = 0
        for paragraph in text.split("\n"):
            parts = normal_form(paragraph).split()
            runs = [tuple(parts[i : i + GRAM_WORDS]) for i in range(len(parts) - GRAM_WORDS + 1)]
            known = 0
            for run in runs:
                known += run in seen
                seen.add(run)
            words += len(parts)
            grams += len(runs)
            old += known
            duplicate += len(parts) if runs and known >= DUPLICATE_SHARE * len(runs) else 0
        found.append((old / max(1, grams), duplicate / max(1, words)))
    return found


@pytest.mark.parametrize("batch", [7, 200])
def test_what_repeats_is_what_a_set_has_seen(batch: int) -> None:
    texts = [page.text for page in documents(0, 400)]
    before = BloomFilter(2_000_000)
    parts = [repeated(texts[i : i + batch], before) for i in range(0, 400, batch)]
    expected = np.array(slowly(texts))
    assert expected[:, 0].max() == 1.0
    assert np.concatenate([p.ngram_fraction for p in parts]) == pytest.approx(
        expected[:, 0], abs=1e-3
    )
    assert np.concatenate([p.paragraph_fraction for p in parts]) == pytest.approx(
        expected[:, 1], abs=1e-3
    )


@settings(max_examples=50)
@given(st.lists(st.lists(st.integers(0, 60), max_size=20), max_size=8))
def test_a_filter_forgets_nothing(batches: list[list[int]]) -> None:
    filled = BloomFilter(1000)
    known: set[int] = set()
    for batch in batches:
        seen = filled.add(np.array(batch, dtype=np.uint64))
        for key, was in zip(batch, seen.tolist(), strict=True):
            assert was or key not in known
            known.add(key)


def test_a_full_filter_takes_one_new_key_in_eighty_for_an_old_one() -> None:
    rng = np.random.default_rng(0)
    keys = np.unique(rng.integers(0, 1 << 63, 420_000, dtype=np.uint64))
    rng.shuffle(keys)
    filled = BloomFilter(209_715)  # the most that 2^21 bits are meant for
    assert filled.add(keys[:209_715]).mean() < 1 / 80
    absent = filled._probe(keys[209_715:], 0)[0]
    assert len(absent) == len(keys) - 209_715
    assert filled.add(keys[209_715 : 209_715 + 5_000]).mean() < 1 / 60
    assert filled.add(keys[:1000]).all()
