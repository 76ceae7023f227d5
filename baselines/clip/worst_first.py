"""Worst first: the oracle upside down. A negative control that random has to beat.

Claim:  The floor. A board on which this does not come last measures something else.
Ranks:  below random
Source: The generator of the pool knows what it damaged.
Cost:   Nothing.
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
    """Take a fraction of the pairs, by rising quality, ties drawn by the seed."""
    ties = np.random.PCG64(seed).random_raw(pool.n)
    order = np.lexsort((ties, truth["quality"].to_numpy()))
    return pool.uids[order[: round(fraction * pool.n)]]
