"""negCLIPLoss and NormSim: of the pairs that agree more than with others, those closest to the tasks.

Claim:  DataComp medium: average over 38 of 35.7 % against 34.4 by negCLIPLoss alone.
Ranks:  above negclip_loss_lite
Source: Wang et al. 2024, CLIPLoss and Norm-Based Data Selection, https://arxiv.org/abs/2405.19547.
Cost:   That of `negclip_loss_lite`.
Form:   ids
Needs:  Signal refclip (extra `clip`): a reference, and a target: the training split of the embedded suite, the
        images of the reference, or `--set target=FOLDER`.

Both fractions are of the whole pool, as in the paper. NormSim is the largest cosine in size, as there: one of -0.9
counts as 0.9. Substituted as in `negclip_loss_lite`.
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
    loss_fraction: float = 0.3,
    fraction: float = 0.2,
    batch_size: int = 4_096,
    partitions: int = 10,
    reference: str = "default",
    target: str = "default",
    samples_seen: int = 64_000,
) -> NDArray[np.void]:
    """Keep `loss_fraction` of the pairs by the loss, and of these `fraction` of the pool by NormSim."""
    network = {"reference": reference, "target": target, "samples_seen": samples_seen}
    score = neg_clip_loss(
        pool.signal("ref_image", **network),
        pool.signal("ref_text", **network),
        temperature=float(pool.signal("ref_temperature", **network)[0]),
        batch_size=batch_size,
        partitions=partitions,
        seed=seed,
    )
    noise = gumbel_noise(pool.uids, seed, "ties")
    agreeing = choose(score, noise, round(loss_fraction * pool.n))
    close = np.full(pool.n, np.nan)
    close[agreeing] = pool.signal("target_similarity", **network)[agreeing]
    return pool.uids[choose(close, noise, round(fraction * pool.n))]
