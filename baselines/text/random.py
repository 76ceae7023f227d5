"""Random: every document equally likely. The line that every method has to beat.

Claim:  None. The spread of several seeds is the noise floor of all other rows.
        DCLM 1B-1x, RefinedWeb reproduction: CORE 25.2 (v2).
Ranks:  no claim
Source: Li et al. 2024, DataComp-LM, https://arxiv.org/abs/2406.11794, table of baselines.
Cost:   Nothing.
Form:   ids
Needs:  Nothing.

`random_by_domain` draws exactly its share from each domain, `random_domain_uniform` the same from each.
"""

import numpy as np
from numpy.typing import NDArray

from assay.strategy import PoolView


def select(pool: PoolView, *, seed: int, fraction: float = 0.3) -> NDArray[np.void]:
    """Draw a fraction of the documents without replacement."""
    # PCG64's raw stream is the same in every version of numpy, which `permutation` does not promise.
    order = np.argsort(np.random.PCG64(seed).random_raw(pool.n), kind="stable")
    return pool.uids[order[: round(fraction * pool.n)]]
