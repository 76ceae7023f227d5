"""Oracle: the best documents by the embedded pool's hidden ground truth, one of each duplicate cluster.

Claim:  The ceiling. If a recipe cannot tell this from random, the recipe is no instrument.
Ranks:  above random
Source: The generator of the pool knows what it damaged.
Cost:   Nothing; and nothing that a participant could do: only files of this folder are given `truth`.
Form:   ids
Needs:  The ground truth, which only the embedded pools have.
"""

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from assay.strategy import PoolView


def select(
    pool: PoolView, *, seed: int, truth: pa.Table, fraction: float = 0.3
) -> NDArray[np.void]:
    """Take a fraction of the documents, by falling quality, ties drawn by the seed."""
    quality = truth["quality"].to_numpy()
    ties = np.random.PCG64(seed).random_raw(pool.n)
    order = np.lexsort((ties, -quality))
    _, first_of_cluster = np.unique(truth["cluster"].to_numpy()[order], return_index=True)
    best = order[np.sort(first_of_cluster)]
    return pool.uids[best[: round(fraction * pool.n)]]
