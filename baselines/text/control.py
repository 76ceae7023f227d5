"""Control: the longest documents, or another method's choice with its score shuffled or reversed.

Claim:  Length alone must be seen for what it is. A shuffled score must not differ from random; a reversed one
        must fall below it. Where that fails, the method's gain is not its score's.
Ranks:  no claim
Source: Negative controls as in any experiment; no paper.
Cost:   That of the signal that is shuffled or reversed; of length, nothing.
Form:   ids
Needs:  Nothing; with `kind=shuffled` or `kind=reversed`, the column `score` of any signal.

`kind` is `length`, the documents with the most tokens; `shuffled`, the top of `score` with its values dealt
out at random; `reversed`, the bottom of `score`.
"""

import numpy as np
from numpy.typing import NDArray

from assay.errors import StrategyError
from assay.strategy import PoolView
from assay.strategy.sampling import choose, gumbel_noise


def select(
    pool: PoolView,
    *,
    seed: int,
    kind: str = "length",
    score: str = "c4_kept_words",
    fraction: float = 0.3,
) -> NDArray[np.void]:
    """Take a fraction of the documents by what is known to say nothing, or the wrong thing."""
    if kind == "length":
        values = pool.n_tokens.astype(np.float64)
    elif kind in ("shuffled", "reversed"):
        values = pool.signal(score).astype(np.float64)
        deal = np.argsort(gumbel_noise(pool.uids, seed, "deal"), kind="stable")
        values = values[deal] if kind == "shuffled" else -values
    else:
        raise StrategyError(f"kind is length, shuffled or reversed, got {kind!r}")
    noise = gumbel_noise(pool.uids, seed, "control")
    return pool.uids[choose(values, noise, round(fraction * pool.n))]
