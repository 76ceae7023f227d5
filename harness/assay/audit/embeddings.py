"""Near-duplicates by the features that came with a pool."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from assay.pool import ImageTextPool

SIMILAR = 0.96
"""Cosine above which two images of CLIP's features are near-duplicates: of the order that SemDeDup removes.

Source:
    Abbas et al. (2023), https://arxiv.org/abs/2303.09540.
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
