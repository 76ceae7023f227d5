"""Random by domain: every document equally likely, and of each domain exactly its share.

Claim:  None. It is `random` without the chance of which domains a draw favours.
Ranks:  no claim
Source: Stratified sampling with proportional allocation: Neyman 1934, https://doi.org/10.2307/2342192.
Cost:   Nothing.
Form:   ids
Needs:  Nothing but a column that names domains, `--set domain=COLUMN`; by default the host of the address.
"""

import numpy as np
from numpy.typing import NDArray

from assay.strategy import PoolView
from assay.strategy.domains import domains_of
from assay.strategy.sampling import choose, gumbel_noise


def select(
    pool: PoolView, *, seed: int, fraction: float = 0.3, domain: str = "host"
) -> NDArray[np.void]:
    """Draw a fraction of each domain's documents without replacement."""
    _, domains = domains_of(pool, domain)
    noise = gumbel_noise(pool.uids, seed, "random")
    amount = round(fraction * pool.n)
    return pool.uids[choose(np.zeros(pool.n), noise, amount, groups=domains)]
