"""Data filtering network: the pairs that a network finds alike which was trained on clean data alone.

Claim:  DataComp medium: ImageNet 37.1 %, average over 38 of 37.3 against 25.8 without a filter. A network that
        filters well need not classify well; what it was trained on decides, and noise among that hurts.
Ranks:  above no_filter
Source: Fang et al. 2023, Data Filtering Networks, https://arxiv.org/abs/2309.17425.
Cost:   One training of a minute or two, and about 0.6 core-hours for a million pairs of 32 pixels.
Form:   ids
Needs:  Signal refclip (extra `clip`): a reference, by default the embedded one or the pool NAME-reference.

The paper's ablation, with noise in the reference, is `dfn_noisy_reference_lite`. Substituted (hence `_lite`): a
network of half a million weights and some thousand pairs, for a ViT-B/32 and 357 million; it is not fine-tuned on the
target.
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
    samples_seen: int = 64_000,
) -> NDArray[np.void]:
    """Keep a fraction of the pairs, by falling score."""
    score = pool.signal("clip_score", reference=reference, samples_seen=samples_seen)
    return pool.uids[choose(score, gumbel_noise(pool.uids, seed, "ties"), round(fraction * pool.n))]
