"""Near-duplicate documents: MinHash signatures and locality-sensitive hashing, all in arrays."""

import hashlib
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from assay.signals.clusters import Pairs, equal_neighbours
from assay.signals.text.words import mix

NUM_HASHES = 64
BANDS = 16
"""Two documents of Jaccard index s meet in some band with probability 1 - (1 - s^4)^16: 0.998 at 0.75."""

SIMILAR = 0.75
"""Jaccard index of shingles above which two documents are near-duplicates (FineWeb's choice).

Source:
    Penedo et al. (2024), section 3.4, https://arxiv.org/abs/2406.17557.
"""


def content_keys(texts: Sequence[str]) -> NDArray[np.uint64]:
    """Return (n,) keys that are the same for the same text alone."""
    digests = (hashlib.blake2b(text.encode("utf-8"), digest_size=8).digest() for text in texts)
    return np.frombuffer(b"".join(digests), dtype="<u8").astype(np.uint64)


def similar_documents(signed: NDArray[np.uint32]) -> Pairs:
    """Return pairs of near-duplicates, both (k,): enough of them to join each group together.

    Args:
        signed: (n, 64) signatures.
    """
    told = np.flatnonzero(signed.any(axis=1))
    bands = np.ascontiguousarray(signed[told]).reshape(len(told), BANDS, NUM_HASHES // BANDS)
    keys = [_band_key(bands[:, band]) for band in range(BANDS)]
    one, other = equal_neighbours(keys)
    alike = (signed[told[one]] == signed[told[other]]).mean(axis=1) >= SIMILAR
    return told[one[alike]], told[other[alike]]


def _band_key(band: NDArray[np.uint32]) -> NDArray[np.uint64]:
    key = np.zeros(len(band), dtype=np.uint64)
    for column in range(band.shape[1]):
        key = mix(key ^ band[:, column])
    return key
