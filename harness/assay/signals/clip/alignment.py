"""How well a pair agrees beside others, and how close it comes to a target: arithmetic on unit vectors.

Source:
    Wang et al. (2024), CLIPLoss and Norm-Based Data Selection, https://arxiv.org/abs/2405.19547.
"""

import numpy as np
from numpy.typing import NDArray

from assay.order import drawn_order

_BLOCK = 512
Vectors = NDArray[np.floating]


def neg_clip_loss(
    images: Vectors,
    texts: Vectors,
    *,
    temperature: float,
    batch_size: int,
    partitions: int,
    seed: int,
) -> NDArray[np.float64]:
    """Return each pair's cosine less what its image and its caption share with others, (n,), NaN without an image.

    score_i = f_i.g_i - (t / 2) (log sum_j exp(f_i.g_j / t) + log sum_j exp(f_j.g_i / t)), the sums over a random
    batch that holds i, averaged over several partitions of the pool into batches. Up to the factor t it is the
    pair's own part of the contrastive loss, negated.

    Args:
        images: (n, d), of length 1, or NaN where there is none: that pair is in no batch.
        texts: (n, d), of length 1.
        temperature: t, of the network.
        batch_size: At most; batches of a partition differ by one pair at most.
        partitions: How many are averaged.
        seed: Of the partitions.
    """
    seen = np.flatnonzero(~np.isnan(images[:, 0]))
    shared = np.zeros(len(images))
    for number in range(partitions):
        mixed = seen[drawn_order(len(seen), "negative batches", seed, number)]
        for batch in np.array_split(mixed, -(-len(seen) // batch_size)):
            shared[batch] += _log_sums(images[batch], texts[batch], temperature)
    cosine = np.einsum("nd,nd->n", images, texts, dtype=np.float64)
    return cosine - temperature / 2 * shared / partitions


def _log_sums(images: Vectors, texts: Vectors, temperature: float) -> NDArray[np.float64]:
    """Return log sum_j exp(f_i.g_j / t) + log sum_j exp(f_j.g_i / t), (k,)."""
    from scipy.special import logsumexp

    one = images.astype(np.float32) / np.float32(temperature)
    other = texts.astype(np.float32)
    found = np.empty(len(one))
    for start in range(0, len(one), _BLOCK):
        rows = slice(start, start + _BLOCK)
        found[rows] = logsumexp(one[rows] @ other.T, axis=1)
        found[rows] += logsumexp(other[rows] @ one.T, axis=1)
    return found


def norm_sim(vectors: Vectors, target: Vectors, *, order: float) -> NDArray[np.float64]:
    """Return the norm of each vector's cosines with the target's, (n,).

    Args:
        vectors: (n, d), of length 1.
        target: (t, d), of length 1.
        order: 2, or infinity for the largest cosine in size.
    """
    found = np.empty(len(vectors))
    other = target.astype(np.float32).T
    for start in range(0, len(vectors), _BLOCK):
        rows = slice(start, start + _BLOCK)
        cosines = vectors[rows].astype(np.float32) @ other
        found[rows] = np.linalg.norm(cosines, ord=order, axis=1)
    return found
