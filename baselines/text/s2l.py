"""S2L: as many documents from each way in which a small model comes to know them.

Claim:  Fine-tuning on 11 % of MathInstruct, chosen by a 70M model, equals all of it; 50,000 of its examples
        take Phi-2 to 32.7 % on MATH. A method for fine-tuning: of pre-training nobody has claimed anything.
Ranks:  no claim
Source: Yang et al. 2024, SmallToLarge, https://arxiv.org/abs/2403.07384, and its released code.
Cost:   One small training, some 20 seconds of one core, and the pool read four times: about 3 core-hours for a
        million documents of 200 words.
Form:   ids
Needs:  Signal loss_trajectory.

Documents whose losses fall alike along the training of a small model are taken to teach a large one alike: their
trajectories are clustered (k-means, 20 rounds), and clusters give in turn, the smallest first and whole where they
have too little, equal shares of what is left to choose. The paper does so in each of its sources; here a pool is one.
"""

import warnings

import numpy as np
from numpy.typing import NDArray
from scipy.cluster.vq import kmeans2

from assay.strategy import PoolView
from assay.strategy.sampling import choose, gumbel_noise


def select(
    pool: PoolView,
    *,
    seed: int,
    fraction: float = 0.3,
    clusters: int = 100,
    moments: int = 4,
    proxy_tokens: int = 262_144,
) -> NDArray[np.void]:
    """Keep a fraction, shared out equally among clusters of loss trajectories."""
    losses = pool.signal("loss_trajectory", tokens_seen=proxy_tokens, moments=moments, seed=seed)
    known = np.nan_to_num(
        losses.astype(np.float64)
    )  # what has no token has no loss: the original's 0
    with warnings.catch_warnings(
        action="ignore"
    ):  # that a cluster is left empty, which gives nothing
        rng = np.random.default_rng(seed)
        _, labels = kmeans2(known, min(clusters, pool.n), iter=20, minit="++", rng=rng)
    noise = gumbel_noise(pool.uids, seed, "s2l")
    amount = round(fraction * pool.n)
    rows = choose(np.zeros(pool.n), noise, amount, groups=labels, shares="uniform")
    return pool.uids[rows]
