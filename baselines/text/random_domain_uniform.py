"""Random, domains alike: as many documents of each domain, the small ones whole.

Claim:  None. It shows what the mix of domains is worth, without a look into any document.
Ranks:  no claim
Source: A starting point of work on mixtures: Xie et al. 2023, DoReMi, https://arxiv.org/abs/2305.10429, takes uniform
        weights for the reference on the GLaM data.
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
    """Draw a fraction of the documents without replacement, the same number from every domain."""
    _, domains = domains_of(pool, domain)
    noise = gumbel_noise(pool.uids, seed, "random")
    amount = round(fraction * pool.n)
    rows = choose(np.zeros(pool.n), noise, amount, groups=domains, shares="uniform")
    return pool.uids[rows]
