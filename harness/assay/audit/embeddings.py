"""Near-duplicates by embeddings: those that came with a pool, and one of thumbnails that no recolouring moves."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from assay.pool import ImageTextPool

SIMILAR = 0.96
"""Cosine above which two images of CLIP's features are near-duplicates: of the order that SemDeDup removes.

Source:
    Abbas et al. (2023), https://arxiv.org/abs/2303.09540.
"""

COPY = 0.99
"""Cosine of `shape_embedding` from which an image may be a mirrored or recoloured copy.

Measured with copies of 300 evaluation images among 12,000 others. Mirrored: recall 1.00 among photographs (CIFAR-10)
and 0.997 among drawn scenes; darkened by up to 40 % a channel, mirrored or not: 1.00 and 0.97; precision 0.99 and
0.95. Cropped and grey copies are not found. The image encoder that signals train cannot do it: at a cosine of 0.99,
where it flags 119 of the other scenes, it finds 0.21 of the mirrored copies, and 0.23 among photographs.
"""

QUERIES = 20_000
BLOCK = 512
SEED = 20


@dataclass(frozen=True)
class EmbeddingDuplicates:
    """What of a selection has a near-duplicate in it.

    Attributes:
        embedding: Name of the features.
        threshold: Cosine that counts as near.
        queried: Examples that were compared with all others; of a large selection a fixed sample.
        similar: Of these, examples with a near-duplicate.
        similar_fraction: Of the queried ones.
    """

    embedding: str
    threshold: float
    queried: int
    similar: int
    similar_fraction: float


def embedding_duplicates(
    pool: ImageTextPool, rows: NDArray[np.int64], name: str
) -> EmbeddingDuplicates:
    """Compare the selection with itself by cosine.

    Args:
        pool: With features beside it.
        rows: (n,) different rows.
        name: One of the pool's `embedding_names`.
    """
    features = pool.embedding(name, rows).astype(np.float32)
    features /= np.maximum(np.linalg.norm(features, axis=1, keepdims=True), 1e-12)
    n = len(rows)
    queries = np.arange(n)
    if n > QUERIES:
        queries = np.sort(np.random.default_rng(SEED).choice(n, QUERIES, replace=False))
    similar = 0
    for start in range(0, len(queries), BLOCK):
        block = queries[start : start + BLOCK]
        cosines = features[block] @ features.T
        cosines[np.arange(len(block)), block] = -1.0
        similar += int((cosines.max(axis=1, initial=-1.0) >= SIMILAR).sum())
    return EmbeddingDuplicates(name, SIMILAR, len(queries), similar, similar / len(queries))


def shape_embedding(thumbs: NDArray[np.uint8]) -> NDArray[np.float32]:
    """Return what is left of thumbnails once each channel's brightness and contrast are taken out.

    Cosines are mean normalised cross-correlations of channels. An image of one colour has next to nothing left and is
    like no other.

    Args:
        thumbs: (n, s, s, 3).

    Returns:
        (n, 3 s^2), of length 1 at most.
    """
    channels = thumbs.astype(np.float32).transpose(0, 3, 1, 2).reshape(len(thumbs), 3, -1)
    channels -= channels.mean(axis=2, keepdims=True)
    # A channel that varies by less than a level is rounding.
    lengths = np.maximum(np.linalg.norm(channels, axis=2, keepdims=True), thumbs.shape[1])
    return (channels / lengths).reshape(len(thumbs), -1) / np.float32(np.sqrt(3))
