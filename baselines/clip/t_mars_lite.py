"""T-MARS: the pairs whose image still fits its caption when the words in it are painted over.

Claim:  DataComp medium: 6.5 points of ImageNet and 4.7 of VTAB over CLIP score.
Ranks:  above clip_score
Source: Maini et al. 2023, T-MARS, https://arxiv.org/abs/2307.03132.
Cost:   That of `dfn_lite`, and a quarter of a core-hour for a million images of 32 pixels.
Form:   ids
Needs:  Signal refclip (extra `clip`): a reference, by default the embedded one or the pool NAME-reference.

The fraction is what sets the threshold on unpainted images; fewer pairs pass it painted over. Substituted (hence
`_lite`): density of edges for a trained detector of text, and a small network trained in place for CLIP.
"""

import numpy as np
from numpy.typing import NDArray

from assay.strategy import PairView


def select(
    pool: PairView,
    *,
    seed: int,
    fraction: float = 0.3,
    reference: str = "default",
    samples_seen: int = 64_000,
) -> NDArray[np.void]:
    """Keep what reaches, painted over, the score of the best fraction as they are; the seed decides nothing."""
    network = {"reference": reference, "samples_seen": samples_seen}
    threshold = np.nanquantile(pool.signal("clip_score", **network), 1 - fraction)
    return pool.uids[pool.signal("ref_masked_score", **network) >= threshold]
