"""negCLIPLoss: CLIP score less what an image and a caption share with everything else.

Claim:  DataComp medium: average over 38 of 34.4 % against 32.8 by CLIP score, with the same network; a caption that
        suits all images no longer scores high.
Ranks:  above clip_score
Source: Wang et al. 2024, CLIPLoss and Norm-Based Data Selection, https://arxiv.org/abs/2405.19547.
Cost:   That of `dfn_lite`, and about a core-hour for a million pairs.
Form:   ids
Needs:  Signal refclip (extra `clip`): a reference, by default the embedded one or the pool NAME-reference.

`norm_sim=true` goes on as the paper does: of the best by this score, `target_fraction` of the pool by NormSim.
Substituted (hence `_lite`): a small network trained in place, with the temperature that it learnt, and batches
of 4,096 for 32,768.
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
    norm_sim: bool = False,
    target_fraction: float = 0.2,
    batch_size: int = 4_096,
    partitions: int = 10,
    reference: str = "default",
    target: str = "default",
    samples_seen: int = 64_000,
) -> NDArray[np.void]:
    """Keep a fraction of the pairs, by falling score."""
    network = {"reference": reference, "target": target, "samples_seen": samples_seen}
    images = np.asarray(pool.signal("ref_image", **network), dtype=np.float32)
    seen = ~np.isnan(images[:, 0])
    score = np.full(pool.n, np.nan)
    score[seen] = neg_clip_loss(
        images[seen],
        np.asarray(pool.signal("ref_text", **network), dtype=np.float32)[seen],
        temperature=float(pool.signal("ref_temperature", **network)[0]),
        batch_size=batch_size,
        partitions=partitions,
        seed=seed,
    )
    noise = gumbel_noise(pool.uids, seed, "ties")
    rows = choose(score, noise, round(fraction * pool.n))
    if norm_sim:
        close = np.full(pool.n, np.nan)
        close[rows] = pool.signal("target_similarity", **network)[rows]
        rows = choose(close, noise, round(target_fraction * pool.n))
    return pool.uids[rows]
