"""Groups of equal or nearly equal things, from pairs of them."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Pairs = tuple[NDArray[np.int64], NDArray[np.int64]]
"""Two (k,) arrays of positions."""


@dataclass(frozen=True, eq=False)
class Clusters:
    """Which of n things belong together.

    Attributes:
        first: (n,) the lowest position of each thing's cluster: the cluster's id, and the one to keep.
        size: (n,) things in its cluster, at least 1.
    """

    first: NDArray[np.int64]
    size: NDArray[np.int64]


def clusters_of(labels: NDArray[np.integer]) -> Clusters:
    """Turn any labels into clusters: equal labels are one cluster, wherever they stand."""
    _, firsts, inverse, counts = np.unique(
        labels, return_index=True, return_inverse=True, return_counts=True
    )
    return Clusters(firsts.astype(np.int64)[inverse], counts.astype(np.int64)[inverse])


def join_equal(n: int, keys: Iterable[tuple[NDArray[np.int64], NDArray[np.uint64]]]) -> Clusters:
    """Join all things that have an equal value of any key, one key in memory at a time.

    Args:
        n: Number of things.
        keys: For each key the (k,) positions that have it, and its (k,) values.
    """
    first = np.arange(n, dtype=np.int64)
    for positions, key in keys:
        one, other = equal_neighbours([key])
        lefts = np.concatenate([np.arange(n), positions[one]])
        labels = cluster(n, (lefts, np.concatenate([first, positions[other]])))
        first = np.unique(labels, return_index=True)[1][labels]
    return clusters_of(first)


def equal_neighbours(keys: Sequence[NDArray[np.uint64]]) -> Pairs:
    """Return pairs that chain equal values of each key together: k - 1 pairs for k equal ones."""
    lefts, rights = [np.empty(0, dtype=np.int64)], [np.empty(0, dtype=np.int64)]
    for key in keys:
        order = np.argsort(key, kind="stable")
        same = key[order[1:]] == key[order[:-1]]
        lefts.append(order[:-1][same])
        rights.append(order[1:][same])
    return np.concatenate(lefts), np.concatenate(rights)


def cluster(n: int, pairs: Pairs) -> NDArray[np.int32]:
    """Return the (n,) group of each thing: the connected components of the pairs."""
    from scipy.sparse import coo_array
    from scipy.sparse.csgraph import connected_components

    links = coo_array((np.ones(len(pairs[0]), dtype=np.bool_), pairs), shape=(n, n))
    return connected_components(links, directed=False)[1]
