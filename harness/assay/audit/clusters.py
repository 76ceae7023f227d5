"""Copies counted."""

from dataclasses import dataclass

import numpy as np

from assay.signals.clusters import Pairs, cluster


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


def count_duplicates(n: int, pairs: Pairs) -> Duplicates:
    """Count the groups that pairs of n things make."""
    labels = cluster(n, pairs)
    sizes = np.bincount(labels) if n else np.empty(0, dtype=np.int64)
    redundant = n - len(sizes)
    return Duplicates(
        int((sizes > 1).sum()), int(sizes.max(initial=1)), redundant, redundant / n if n else 0.0
    )
