"""How much of a document stood in the pool before: runs of 13 words in a Bloom filter, as DCLM's BFF does.

Source:
    Groeneveld (2023), https://github.com/allenai/bff; Li et al. (2024), https://arxiv.org/abs/2406.11794,
    section 4.2 and appendix L: n-grams within paragraphs, threshold 0.8, paragraphs and whole documents.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from assay.signals.text.words import Words, mix

GRAM_WORDS = 13
DUPLICATE_SHARE = 0.8
"""Of a paragraph's n-grams; one that has so many from before is a duplicate."""

NUM_PROBES = 4
_BITS_A_KEY = 10
"""At least: once the filter is full, one new n-gram in eighty or fewer is taken for an old one."""


@dataclass(frozen=True, eq=False)
class Repeated:
    """What of n documents stood before.

    Attributes:
        ngram_fraction: (n,) of its n-grams, in [0, 1]; 0 for a document without one.
        paragraph_fraction: (n,) of its words, in [0, 1], those in duplicate paragraphs.
    """

    ngram_fraction: NDArray[np.float32]
    paragraph_fraction: NDArray[np.float32]


class BloomFilter:
    """A set of 64-bit keys that may take a new one for an old one, never the reverse."""

    def __init__(self, num_keys: int):
        """Make room for so many keys, in 1.25 to 2.5 bytes each."""
        self._exponent = max(16, (num_keys * _BITS_A_KEY - 1).bit_length())
        self._words = np.zeros(1 << (self._exponent - 5), dtype=np.uint32)

    def add(self, keys: NDArray[np.uint64]) -> NDArray[np.bool_]:
        """Put keys in, in their order, and return which were in before their turn came, (k,)."""
        different, first = np.unique(keys, return_index=True)
        probes = [self._probe(different, number) for number in range(NUM_PROBES)]
        known = np.ones(len(different), dtype=np.bool_)
        for words, bits in probes:
            known &= (self._words[words] & bits) != 0
        for words, bits in probes:
            np.bitwise_or.at(self._words, words, bits)
        seen = np.ones(len(keys), dtype=np.bool_)
        seen[first] = known
        return seen

    def _probe(
        self, keys: NDArray[np.uint64], number: int
    ) -> tuple[NDArray[np.int64], NDArray[np.uint32]]:
        places = mix(keys + np.uint64(number + 1)) >> np.uint64(64 - self._exponent)
        bits = np.uint32(1) << (places & np.uint64(31)).astype(np.uint32)
        return (places >> np.uint64(5)).astype(np.int64), bits


def repeated(texts: Sequence[str], before: BloomFilter) -> Repeated:
    """Tell what of each text stood in one before it, or earlier in itself; then remember it too."""
    paragraphs = [text.split("\n") for text in texts]
    owner = np.repeat(np.arange(len(texts)), [len(parts) for parts in paragraphs])
    words = Words.of([part for parts in paragraphs for part in parts])
    inside = np.flatnonzero(words.within_text(GRAM_WORDS))
    paragraph = words.texts[inside]
    seen = before.add(words.grams(GRAM_WORDS)[inside])
    grams = np.bincount(paragraph, minlength=len(owner))
    old = np.bincount(paragraph[seen], minlength=len(owner))
    duplicate = (grams > 0) & (old >= DUPLICATE_SHARE * grams)
    lengths = np.bincount(words.texts, minlength=len(owner))
    return Repeated(
        _shares(owner, old, grams, len(texts)),
        _shares(owner, lengths * duplicate, lengths, len(texts)),
    )


def _shares(
    owner: NDArray[np.int64], part: NDArray[np.int64], whole: NDArray[np.int64], n: int
) -> NDArray[np.float32]:
    parts = np.bincount(owner, part, minlength=n)
    return (parts / np.maximum(np.bincount(owner, whole, minlength=n), 1)).astype(np.float32)
