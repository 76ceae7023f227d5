"""Random: every pair equally likely. The line that every method has to beat.

Claim:  None. The spread of several seeds is the noise floor of all other rows.
        DataComp small: average over 38 of 12.6 % at 25 % of the pool, 13.2 % at all of it.
Ranks:  no claim
Source: Gadre et al. 2023, DataComp, https://arxiv.org/abs/2304.14108, random subsets.
Cost:   Nothing.
Form:   ids
Needs:  Nothing.
"""

import numpy as np
from numpy.typing import NDArray

from assay.strategy import PairView


def select(pool: PairView, *, seed: int, fraction: float = 0.3) -> NDArray[np.void]:
    """Draw a fraction of the pairs without replacement."""
    # PCG64's raw stream is the same in every version of numpy, which `permutation` does not promise.
    order = np.argsort(np.random.PCG64(seed).random_raw(pool.n), kind="stable")
    return pool.uids[order[: round(fraction * pool.n)]]
