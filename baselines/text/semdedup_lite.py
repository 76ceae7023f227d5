"""SemDeDup: drop documents whose embedding nearly coincides with another's of the same cluster.

Claim:  On image-text pools half of the data can go; on text expect nothing: DCLM 1B-1x, CORE v1: 27.1 where
        75 % are kept against 27.8 of the pool.
Ranks:  no claim
Source: Abbas et al. 2023, SemDeDup, https://arxiv.org/abs/2303.09540, algorithm 1.
Cost:   About 0.1 core-hours for a million documents of 200 words; no model.
Form:   ids
Needs:  Signal semantic_duplicates.

Substituted (hence `_lite`): embeddings are TF-IDF brought down to 128 dimensions, where the paper has those
of OPT-125M; they see words, not meaning. Epsilon is whatever keeps `fraction`.
"""

import numpy as np
from numpy.typing import NDArray

from assay.strategy import PoolView


def select(pool: PoolView, *, seed: int, fraction: float = 0.75) -> NDArray[np.void]:
    """Keep the fraction that comes least close to a document kept in its stead."""
    closeness = pool.signal("semdedup_similarity")
    order = np.argsort(closeness, kind="stable")
    return pool.uids[order[: round(fraction * pool.n)]]
