"""CLIP score by a network of the unfiltered pool itself: the control that says whether clean pairs make the filter.

Claim:  What a filtering network was trained on decides, and noise among that hurts: one that learnt from the very
        noise that it has to find gains less than one of clean pairs.
Ranks:  below clip_score
Source: Fang et al. 2023, Data Filtering Networks, https://arxiv.org/abs/2309.17425, taken to its end; the rule is
        that of `clip_score`.
Cost:   That of `dfn_lite`.
Form:   ids
Needs:  Signal selfclip (extra `clip`): nothing but the pool.

Substituted (hence `_lite`): a small network trained in place.
"""

import numpy as np
from numpy.typing import NDArray

from assay.strategy import PairView
from assay.strategy.sampling import choose, gumbel_noise


def select(
    pool: PairView, *, seed: int, fraction: float = 0.3, samples_seen: int = 64_000
) -> NDArray[np.void]:
    """Keep a fraction of the pairs, by falling score."""
    score = pool.signal("self_score", samples_seen=samples_seen)
    return pool.uids[choose(score, gumbel_noise(pool.uids, seed, "ties"), round(fraction * pool.n))]
