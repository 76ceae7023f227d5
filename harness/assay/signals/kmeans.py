"""Spherical k-means on batches: clusters of directions, for more vectors than fit a distance table.

Source:
    Sculley (2010), https://doi.org/10.1145/1772690.1772862, with cosines: Dhillon and Modha (2001),
    https://doi.org/10.1023/A:1007612920971.
"""

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from assay.order import drawn_order

BATCH = 4_096
EPOCHS = 10


def spherical_kmeans(
    vectors: NDArray[np.floating], num_clusters: int, *, seed: int, epochs: int = EPOCHS
) -> NDArray[np.float32]:
    """Find directions that vectors gather around.

    Args:
        vectors: (n, d), of length 1; may be memory-mapped.
        num_clusters: At most; no more than there are vectors.
        seed: Of the first directions and of the order of batches.
        epochs: Times that every vector is looked at.

    Returns:
        (k, d) of length 1. A cluster that an epoch leaves empty starts again at a vector far from all;
        after the last epoch too, so every direction is near some vector.
    """
    n = len(vectors)
    centroids = _take(vectors, drawn_order(n, "k-means start", seed)[:num_clusters])
    seen = np.zeros(len(centroids))
    for epoch in range(epochs):
        used = np.zeros(len(centroids))
        order = drawn_order(n, "k-means", seed, epoch)
        for start in range(0, n, BATCH):
            batch = _take(vectors, order[start : start + BATCH])
            labels, _ = nearest(batch, centroids)
            sums, counts = _sums(batch, labels, len(centroids))
            used += counts
            seen += counts
            step = np.divide(1.0, seen, out=np.zeros_like(seen), where=counts > 0)[:, None]
            moved = centroids * (1 - counts[:, None] * step) + sums * step
            centroids = _unit(moved.astype(np.float32))
        _restart(centroids, used == 0, _take(vectors, order[:BATCH]))
        seen *= 0.5  # so that later epochs still move
    return centroids


def nearest(
    vectors: NDArray[np.floating], centroids: NDArray[np.float32]
) -> tuple[NDArray[np.int32], NDArray[np.float32]]:
    """Return the (n,) nearest direction of each vector and the (n,) cosine with it."""
    labels = np.empty(len(vectors), dtype=np.int32)
    cosines = np.empty(len(vectors), dtype=np.float32)
    for start, block in _blocks(vectors):
        table = block @ centroids.T
        best = table.argmax(axis=1)
        labels[start : start + len(block)] = best
        cosines[start : start + len(block)] = table[np.arange(len(block)), best]
    return labels, cosines


def _restart(
    centroids: NDArray[np.float32], lost: NDArray[np.bool_], batch: NDArray[np.float32]
) -> None:
    _, cosines = nearest(batch, centroids)
    places = np.flatnonzero(lost)[: len(batch)]
    centroids[places] = batch[np.argsort(cosines, kind="stable")[: len(places)]]


def _blocks(vectors: NDArray[np.floating]) -> Iterator[tuple[int, NDArray[np.float32]]]:
    for start in range(0, len(vectors), BATCH):
        yield start, vectors[start : start + BATCH].astype(np.float32, copy=False)


def _take(vectors: NDArray[np.floating], rows: NDArray[np.int64]) -> NDArray[np.float32]:
    return vectors[rows].astype(np.float32, copy=False)


def _sums(
    batch: NDArray[np.float32], labels: NDArray[np.int32], k: int
) -> tuple[NDArray[np.float32], NDArray[np.float64]]:
    from scipy.sparse import csr_array

    ones = np.ones(len(batch), dtype=np.float32)
    members = csr_array((ones, (labels, np.arange(len(batch)))), shape=(k, len(batch)))
    return members @ batch, np.bincount(labels, minlength=k).astype(float)


def _unit(vectors: NDArray[np.float32]) -> NDArray[np.float32]:
    return vectors / np.maximum(np.linalg.norm(vectors, axis=1, keepdims=True), 1e-12)
