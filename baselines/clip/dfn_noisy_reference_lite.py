"""Data filtering network with noise in its reference: the control that says whether clean data make the filter.

Claim:  The more of a network's training pairs are noisy, the worse a model trained on what it keeps, although its own
        accuracy hardly moves.
Ranks:  below dfn_lite
Source: Fang et al. 2023, Data Filtering Networks, https://arxiv.org/abs/2309.17425, its ablation of data quality.
Cost:   That of `dfn_lite`.
Form:   ids
Needs:  Signal refclip (extra `clip`): a reference, by default the embedded one or the pool NAME-reference.

A share `reference_noise` of the reference is replaced by pairs of the pool, as they come; all else is `dfn_lite`. The
network's own accuracy, on clean pairs that it did not see, is in the list's manifest and in the table of `reproduce`.
"""

import numpy as np
from numpy.typing import NDArray

from assay.strategy import PairView
from assay.strategy.sampling import choose, gumbel_noise


def select(
    pool: PairView,
    *,
    seed: int,
    fraction: float = 0.15,
    reference: str = "default",
    reference_noise: float = 0.3,
    samples_seen: int = 64_000,
) -> NDArray[np.void]:
    """Keep a fraction of the pairs, by falling score."""
    score = pool.signal(
        "clip_score",
        reference=reference,
        reference_noise=reference_noise,
        samples_seen=samples_seen,
    )
    return pool.uids[choose(score, gumbel_noise(pool.uids, seed, "ties"), round(fraction * pool.n))]
