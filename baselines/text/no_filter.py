"""No filter: the whole pool, once, as far as the budget goes.

Claim:  What crawling and extraction alone are worth. DataComp medium: ImageNet 17.6 %.
Ranks:  no claim
Source: Gadre et al. 2023, DataComp, https://arxiv.org/abs/2304.14108, table 3.
Cost:   Nothing.
Form:   ids
Needs:  Nothing.
"""

import numpy as np
from numpy.typing import NDArray

from assay.strategy import PoolView


def select(pool: PoolView, *, seed: int) -> NDArray[np.void]:
    """Take everything; the seed has nothing to decide."""
    return pool.uids
