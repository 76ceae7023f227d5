"""How much of each cluster of images to keep: more of those that are wide and stand apart.

Source:
    Abbas et al. (2024), Effective pruning of web-scale datasets based on complexity of concept clusters,
    https://arxiv.org/abs/2401.04578, equations 1 to 4.
"""

import numpy as np
from numpy.typing import NDArray

NEIGHBOURS = 20
"""Nearest other centroids that a cluster's distance is averaged over."""

Floats = NDArray[np.float64]


def complexity(
    labels: NDArray[np.integer], cosines: NDArray[np.floating], centroids: NDArray[np.floating]
) -> Floats:
    """Return the complexity of each cluster: mean distance to its centroid times that to other centroids, (k,).

    Args:
        labels: (n,) clusters.
        cosines: (n,) with the own centroid.
        centroids: (k, d), of length 1.
    """
    k = len(centroids)
    sizes = np.maximum(np.bincount(labels, minlength=k), 1)
    within = np.bincount(labels, weights=1.0 - cosines.astype(np.float64), minlength=k) / sizes
    gaps = 1.0 - centroids.astype(np.float64) @ centroids.T.astype(np.float64)
    np.fill_diagonal(gaps, np.inf)
    nearest = np.sort(gaps, axis=1)[:, : min(NEIGHBOURS, k - 1)]
    return within * (nearest.mean(axis=1) if k > 1 else 1.0)


def quotas(
    complexities: Floats,
    sizes: NDArray[np.integer],
    amount: int,
    *,
    temperature: float,
    balance: float,
) -> NDArray[np.int64]:
    """Return how many examples of each cluster to keep, (k,), with sum `amount`.

    The closest, in squares, to amount * softmax(complexity / temperature) that a cluster can give: no more than
    it has, and no fewer than `balance` times an equal share, or than it has.

    Args:
        complexities: (k,).
        sizes: (k,) examples that each cluster has.
        amount: From 0 to the sum of sizes.
        temperature: Above 0; the lower, the more the complex clusters get.
        balance: In [0, 1].
    """
    assert 0 <= amount <= sizes.sum(), (amount, sizes.sum())
    raised = np.exp((complexities - complexities.max()) / temperature)
    # An empty cluster pulls nothing.
    wanted = np.where(sizes > 0, raised, 0.0)
    wanted *= amount / max(wanted.sum(), 1e-300)
    least = np.minimum(np.floor(balance * amount / len(sizes)), np.maximum(sizes - 1, 0))
    return _whole(water_fill(wanted, least, sizes.astype(np.float64), amount), sizes)


def water_fill(wanted: Floats, least: Floats, most: Floats, amount: float) -> Floats:
    """Return the point closest to `wanted` with least <= x <= most and sum `amount`, (k,).

    It is clip(wanted - level, least, most) for one level, found between the places where some bound is met:
    the sum falls linearly from one to the next.

    Args:
        wanted: (k,).
        least: (k,).
        most: (k,) not below `least`.
        amount: From the sum of `least` to that of `most`.
    """
    bends = np.unique(np.concatenate([wanted - most, wanted - least]))
    sums = np.array([np.clip(wanted - level, least, most).sum() for level in bends])
    after = int(np.searchsorted(-sums, -amount))
    if after == 0 or after == len(bends):
        return np.clip(wanted - bends[min(after, len(bends) - 1)], least, most)
    high, low = sums[after - 1], sums[after]
    part = (high - amount) / (high - low)
    level = bends[after - 1] + part * (bends[after] - bends[after - 1])
    return np.clip(wanted - level, least, most)


def _whole(values: Floats, sizes: NDArray[np.integer]) -> NDArray[np.int64]:
    """Round to whole numbers with the same sum, the largest remainders up."""
    down = np.floor(values + 1e-9).astype(np.int64)
    missing = round(float(values.sum())) - int(down.sum())
    spare = np.where(down < sizes, values - down, -1.0)
    down[np.argsort(-spare, kind="stable")[:missing]] += 1
    return down
