"""Image-based and CLIP score: what both keep. DataComp's best at large scales.

Claim:  DataComp medium: average over 38 of 32.8 %, as CLIP score alone; large 53.7 against 52.9, and xlarge made
        DataComp-1B. At small it is worse: 14.4 against 17.3.
Ranks:  above no_filter
Source: Gadre et al. 2023, DataComp, https://arxiv.org/abs/2304.14108, section 3.3.
Cost:   That of `image_based` and `clip_score`, which share a network.
Form:   ids
Needs:  What `image_based` and `clip_score` need.

The two baselines of these names choose; the fraction is of the whole pool, before they are intersected.
"""

import numpy as np
from numpy.typing import NDArray

from assay.strategy import PairView, load_strategy


def select(
    pool: PairView,
    *,
    seed: int,
    fraction: float = 0.3,
    threshold: float = 0.0,
    column: str = "clip_l14_similarity_score",
    embedding: str = "refclip",
    centroids: str = "",
    target: str = "default",
    reference: str = "default",
    samples_seen: int = 64_000,
    language_model: str = "",
) -> NDArray[np.void]:
    """Intersect."""
    network = {"seed": seed, "reference": reference, "samples_seen": samples_seen}
    by_image = load_strategy("image_based", "clip").select(
        pool,
        embedding=embedding,
        centroids=centroids,
        target=target,
        language_model=language_model,
        **network,
    )
    by_score = load_strategy("clip_score", "clip").select(
        pool, fraction=fraction, threshold=threshold, column=column, **network
    )
    return np.intersect1d(by_image, by_score)
