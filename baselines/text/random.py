"""Random: every document equally likely, or every domain. The line that every method has to beat.

Claim:  None. The spread of several seeds is the noise floor of all other rows.
        DCLM 1B-1x, RefinedWeb reproduction: CORE 25.2 (v2).
Ranks:  no claim
Source: Li et al. 2024, DataComp-LM, https://arxiv.org/abs/2406.11794, table of baselines.
Cost:   Nothing.
Form:   ids
Needs:  Nothing; with `by=proportional` or `by=uniform`, the pool's column that `domain` names.

`by` is `pool`, every document equally likely; `proportional`, the same with exactly its share for each
domain; or `uniform`, as many of each domain, the small ones whole. A domain is a value of the column that
`domain` names; of an address, its host.
"""

from urllib.parse import urlsplit

import numpy as np
from numpy.typing import NDArray

from assay.errors import StrategyError
from assay.strategy import PoolView
from assay.strategy.sampling import choose, gumbel_noise


def select(
    pool: PoolView, *, seed: int, fraction: float = 0.3, by: str = "pool", domain: str = "url"
) -> NDArray[np.void]:
    """Draw a fraction of the documents without replacement."""
    amount = round(fraction * pool.n)
    if by == "pool":
        # PCG64's raw stream is the same in every version of numpy, which `permutation` does not promise.
        order = np.argsort(np.random.PCG64(seed).random_raw(pool.n), kind="stable")
        return pool.uids[order[:amount]]
    if by not in ("proportional", "uniform"):
        raise StrategyError(f"by is pool, proportional or uniform, got {by!r}")
    numbers: dict[str, int] = {}
    values = map(_domain, pool.column(domain).to_pylist())
    domains = np.array([numbers.setdefault(value, len(numbers)) for value in values])
    noise = gumbel_noise(pool.uids, seed, "random")
    rows = choose(np.zeros(pool.n), noise, amount, groups=domains, shares=by)
    return pool.uids[rows]


def _domain(value: object) -> str:
    text = "" if value is None else str(value)
    return urlsplit(text).hostname or text
