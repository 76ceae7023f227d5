"""MinHash and locality-sensitive hashing: which documents are near-duplicates, all in arrays.

Source:
    Broder (1997), https://doi.org/10.1109/SEQUEN.1997.666900; the numbers are those of FineWeb, Penedo et
    al. (2024), section 3.4, https://arxiv.org/abs/2406.17557.
"""

import numpy as np
from numpy.typing import NDArray

from assay.signals.clusters import Clusters, join_equal
from assay.signals.text.words import Words, mix

SHINGLE_WORDS = 5
BANDS = 14
ROWS = 8
"""Documents of Jaccard index s share a band with probability 1 - (1 - s^8)^14: 0.5 at 0.69, 0.92 at 0.8."""

_BLOCK = 16_384
"""Shingles hashed at a time: small enough for all that is touched to stay in a core's cache."""


def signatures(words: Words, num_texts: int, num_hashes: int) -> NDArray[np.uint32]:
    """Return the MinHash signatures of a batch of texts over runs of five words.

    Args:
        words: The texts'.
        num_texts: How many there are.
        num_hashes: Width of a signature. Of a wider one the first columns are the narrower one.

    Returns:
        (num_texts, num_hashes); of a text under five words, all 0.
    """
    found = np.zeros((num_texts, num_hashes), dtype=np.uint32)
    inside = np.flatnonzero(words.within_text(SHINGLE_WORDS))
    if not len(inside):
        return found
    shingles = words.grams(SHINGLE_WORDS)[inside]
    texts = words.texts[inside]
    found[texts] = np.iinfo(np.uint32).max
    for start in range(0, len(shingles), _BLOCK):
        block, of_text = shingles[start : start + _BLOCK], texts[start : start + _BLOCK]
        first = np.flatnonzero(np.append(True, of_text[1:] != of_text[:-1]))
        values = np.empty(len(block), dtype=np.uint64)
        least = np.empty((num_hashes, len(first)), dtype=np.uint32)
        for number, multiplier in enumerate(_multipliers(num_hashes)):
            np.multiply(block, multiplier, out=values)
            least[number] = np.minimum.reduceat(values.view(_HIGH_HALF)["high"], first)
        rows = of_text[first]
        found[rows] = np.minimum(found[rows], least.T)
    return found


_HIGH_HALF = np.dtype([("low", "<u4"), ("high", "<u4")])


def _multipliers(num_hashes: int) -> NDArray[np.uint64]:
    return mix(np.arange(1, num_hashes + 1, dtype=np.uint64)) | np.uint64(1)


def band_keys(words: Words, num_texts: int) -> NDArray[np.uint64]:
    """Return what has to be kept of each text, (num_texts, 14): one key a band, 0 for a text under five words."""
    signed = signatures(words, num_texts, BANDS * ROWS).reshape(num_texts, BANDS, ROWS)
    keys = np.zeros((num_texts, BANDS), dtype=np.uint64)
    for row in range(ROWS):
        keys = mix(keys ^ signed[:, :, row])
    keys[~signed.any(axis=(1, 2))] = 0
    return keys


def near_duplicates(keys: NDArray[np.uint64]) -> Clusters:
    """Join documents that share a band, and those that they share one with.

    Args:
        keys: (n, 14) band keys.
    """
    told = np.flatnonzero(keys.any(axis=1))
    return join_equal(len(keys), ((told, keys[told, band]) for band in range(keys.shape[1])))
