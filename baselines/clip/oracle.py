"""Oracle: the best pairs by the embedded pool's hidden ground truth.

Claim:  The ceiling. If a recipe cannot tell this from random, the recipe is no instrument.
Ranks:  above random
Source: The generator of the pool knows what it damaged. A copy of a good pair ranks below every good
        pair and above every damaged one: it still shows a caption that is true.
Cost:   Nothing; and nothing that a participant could do: only files of this folder are given `truth`.
Form:   ids
Needs:  The ground truth, which only the embedded pools have.
"""

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from assay.strategy import PairView


def select(
    pool: PairView, *, seed: int, truth: pa.Table, fraction: float = 0.3
) -> NDArray[np.void]:
    """Take a fraction of the pairs, by falling quality, ties drawn by the seed."""
    ties = np.random.PCG64(seed).random_raw(pool.n)
    order = np.lexsort((ties, -truth["quality"].to_numpy()))
    return pool.uids[order[: round(fraction * pool.n)]]
