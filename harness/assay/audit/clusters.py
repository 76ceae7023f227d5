"""Groups of equal or nearly equal things, from pairs of them."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components

Pairs = tuple[NDArray[np.int64], NDArray[np.int64]]
"""Two (k,) arrays of positions."""


@dataclass(frozen=True)
class Duplicates:
    """Copies within a selection.

    Attributes:
        groups: Groups of two and more that are the same.
        largest: Members of the largest group; 1 where there is none.
        redundant: Examples that could go without anything being lost: all but one of each group.
        redundant_fraction: Of all examples.
    """

    groups: int
    largest: int
    redundant: int
    redundant_fraction: float


def sorted_neighbours(keys: Sequence[NDArray[np.uint64]], reach: int) -> Pairs:
    """Return pairs of positions that come within `reach` of each other in any of the sorted keys.

    Source:
        The sorted neighbourhood method (Hernandez and Stolfo, 1995),
        https://doi.org/10.1145/223784.223807.
    """
    lefts, rights = [np.empty(0, dtype=np.int64)], [np.empty(0, dtype=np.int64)]
    for key in keys:
        order = np.argsort(key, kind="stable")
        for step in range(1, min(reach, len(order) - 1) + 1):
            lefts.append(order[:-step])
            rights.append(order[step:])
    return np.concatenate(lefts), np.concatenate(rights)


def equal_neighbours(keys: Sequence[NDArray[np.uint64]]) -> Pairs:
    """Return pairs that chain equal values of each key together: k - 1 pairs for k equal ones."""
    lefts, rights = [np.empty(0, dtype=np.int64)], [np.empty(0, dtype=np.int64)]
    for key in keys:
        order = np.argsort(key, kind="stable")
        same = key[order[1:]] == key[order[:-1]]
        lefts.append(order[:-1][same])
        rights.append(order[1:][same])
    return np.concatenate(lefts), np.concatenate(rights)


def count_duplicates(n: int, pairs: Pairs) -> Duplicates:
    """Count the groups that pairs of n things make."""
    labels = cluster(n, pairs)
    sizes = np.bincount(labels) if n else np.empty(0, dtype=np.int64)
    redundant = n - len(sizes)
    return Duplicates(
        int((sizes > 1).sum()), int(sizes.max(initial=1)), redundant, redundant / n if n else 0.0
    )


def cluster(n: int, pairs: Pairs) -> NDArray[np.int32]:
    """Return the (n,) group of each thing."""
    links = coo_array((np.ones(len(pairs[0]), dtype=np.bool_), pairs), shape=(n, n))
    return connected_components(links, directed=False)[1]
