"""No filter: the whole pool, once, as often as the budget goes.

Claim:  What crawling alone is worth. DataComp small: ImageNet 2.5 %, average over 38 of 13.2 %.
Ranks:  no claim
Source: Gadre et al. 2023, DataComp, https://arxiv.org/abs/2304.14108, table 3.
Cost:   Nothing.
Form:   ids
Needs:  Nothing.
"""

import numpy as np
from numpy.typing import NDArray

from assay.strategy import PairView


def select(pool: PairView, *, seed: int) -> NDArray[np.void]:
    """Take everything; the seed has nothing to decide."""
    return pool.uids
