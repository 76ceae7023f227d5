"""negCLIPLoss: CLIP score less what an image and a caption share with everything else.

Claim:  DataComp medium: average over 38 of 34.4 % against 32.8 by CLIP score, with the same network; a caption that
        suits all images no longer scores high.
Ranks:  above clip_score
Source: Wang et al. 2024, CLIPLoss and Norm-Based Data Selection, https://arxiv.org/abs/2405.19547.
Cost:   That of `dfn_lite`, and about a core-hour for a million pairs.
Form:   ids
Needs:  Signal refclip (extra `clip`): a reference, by default the embedded one or the pool NAME-reference.

The paper goes on with NormSim: `negclip_loss_normsim_lite`. Substituted (hence `_lite`): a small network trained in
place, with the temperature that it learnt, and batches of 4,096 for 32,768.
"""

import numpy as np
from numpy.typing import NDArray

from assay.signals.clip.alignment import neg_clip_loss
from assay.strategy import PairView
from assay.strategy.sampling import choose, gumbel_noise


def select(
    pool: PairView,
    *,
    seed: int,
    fraction: float = 0.3,
    batch_size: int = 4_096,
    partitions: int = 10,
    reference: str = "default",
    samples_seen: int = 64_000,
) -> NDArray[np.void]:
    """Keep a fraction of the pairs, by falling score."""
    network = {"reference": reference, "samples_seen": samples_seen}
    score = neg_clip_loss(
        pool.signal("ref_image", **network),
        pool.signal("ref_text", **network),
        temperature=float(pool.signal("ref_temperature", **network)[0]),
        batch_size=batch_size,
        partitions=partitions,
        seed=seed,
    )
    return pool.uids[choose(score, gumbel_noise(pool.uids, seed, "ties"), round(fraction * pool.n))]
