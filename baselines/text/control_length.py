"""Control, length only: the documents with the most tokens.

Claim:  None. A score that prefers long documents has to be read beside this row.
Ranks:  no claim
Source: A control as in any experiment; no paper.
Cost:   Nothing.
Form:   ids
Needs:  Nothing.
"""

import numpy as np
from numpy.typing import NDArray

from assay.strategy import PoolView
from assay.strategy.sampling import choose, gumbel_noise


def select(pool: PoolView, *, seed: int, fraction: float = 0.3) -> NDArray[np.void]:
    """Keep the fraction with the most tokens; the seed decides between equals."""
    noise = gumbel_noise(pool.uids, seed, "ties")
    return pool.uids[choose(pool.n_tokens, noise, round(fraction * pool.n))]
