"""Semantic duplicates: how close each example comes to one of its cluster that is kept in its stead.

Source:
    Abbas et al. (2023), SemDeDup, https://arxiv.org/abs/2303.09540, algorithm 1; examples far from their
    centroid come first and stay ("hard"), as in the released code. One that fell itself still fells others.
"""

import numpy as np
from numpy.typing import NDArray

_TABLE = 1 << 24
"""Cosines held at a time: 64 MB."""


def closest_before(
    vectors: NDArray[np.floating], labels: NDArray[np.integer], cosines: NDArray[np.floating]
) -> NDArray[np.float32]:
    """Return the largest cosine of each example with one that comes before it in its cluster, (n,).

    Dropping all that lie above 1 - epsilon is SemDeDup with that epsilon.

    Args:
        vectors: (n, d), of length 1; may be memory-mapped.
        labels: (n,) clusters.
        cosines: (n,) with the centroid; the smallest come first, ties by position.

    Returns:
        In [-1, 1]; -1 for the first of a cluster.
    """
    found = np.full(len(labels), -1.0, dtype=np.float32)
    order = np.lexsort((cosines, labels))
    starts = np.flatnonzero(np.diff(labels[order])) + 1
    for members in np.split(order, starts):
        inside = np.asarray(vectors[members], dtype=np.float32)
        size = max(1, _TABLE // len(members))
        for start in range(0, len(members), size):
            block = inside[start : start + size]
            table = block @ inside[: start + len(block)].T
            later = np.arange(table.shape[1]) >= start + np.arange(len(block))[:, None]
            table[later] = -1.0
            found[members[start : start + len(block)]] = table.max(axis=1, initial=-1.0)
    return np.minimum(found, 1.0)
