"""Graded: a list whose quality is known beforehand, mixed of the oracle's choice and the worst.

Claim:  Scores rise with `grade`. So lists of several grades show which differences a scale can tell,
        and whether a small scale orders lists as a larger one does.
Ranks:  below oracle
Source: The generator of the pool knows what it damaged.
Cost:   Nothing; and nothing that a participant could do: only files of this folder are given `truth`.
Form:   ids
Needs:  The ground truth, which only the embedded pools have.
"""

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from assay.strategy import PairView


def select(
    pool: PairView, *, seed: int, truth: pa.Table, fraction: float = 0.3, grade: float = 0.5
) -> NDArray[np.void]:
    """Take a fraction of the pairs: a share `grade` of them the best, all others the worst."""
    ties = np.random.PCG64(seed).random_raw(pool.n)
    order = np.lexsort((ties, -truth["quality"].to_numpy()))
    best = order[: round(grade * fraction * pool.n)]
    worst = order[::-1][: round(fraction * pool.n) - len(best)]
    return pool.uids[np.union1d(best, worst)]
