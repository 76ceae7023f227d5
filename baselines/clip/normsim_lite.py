"""NormSim: the images that come closest to training images of the tasks.

Claim:  DataComp medium, after negCLIPLoss: average over 38 of 35.7 % against 34.4 by negCLIPLoss alone.
Ranks:  no claim
Source: Wang et al. 2024, CLIPLoss and Norm-Based Data Selection, https://arxiv.org/abs/2405.19547.
Cost:   That of `dfn_lite`.
Form:   ids
Needs:  Signal refclip (extra `clip`): a reference, and a target: the training split of the embedded suite, the
        images of the reference, or `--set target=FOLDER`.

The paper's combination is `negclip_loss_normsim_lite`. The infinity norm is of the cosines' sizes, as the paper has
it: one of -0.9 counts as 0.9. Its NormSim-D, which takes what it keeps of the pool for the target, is left out.
Substituted (hence `_lite`): a small network trained in place.
"""

import numpy as np
from numpy.typing import NDArray

from assay.errors import StrategyError
from assay.strategy import PairView
from assay.strategy.sampling import choose, gumbel_noise


def select(
    pool: PairView,
    *,
    seed: int,
    fraction: float = 0.3,
    norm: str = "inf",
    reference: str = "default",
    target: str = "default",
    samples_seen: int = 64_000,
) -> NDArray[np.void]:
    """Keep a fraction of the pairs, by the largest cosine with the target in size or the root of their squares' sum."""
    columns = {"inf": "target_similarity", "2": "target_norm"}
    if norm not in columns:
        raise StrategyError(f"normsim_lite: norm is inf or 2, got {norm!r}")
    score = pool.signal(
        columns[norm], reference=reference, target=target, samples_seen=samples_seen
    )
    return pool.uids[choose(score, gumbel_noise(pool.uids, seed, "ties"), round(fraction * pool.n))]
