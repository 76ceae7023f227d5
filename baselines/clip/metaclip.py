"""MetaCLIP: pairs drawn so that no concept is named more often than a threshold, and none without a concept.

Claim:  ImageNet, zero-shot, 400M pairs: 65.5 (B/32), 70.8 (B/16) and 76.2 (L/14), above OpenAI's CLIP.
Ranks:  no claim
Source: Xu et al. 2023, Demystifying CLIP Data, https://arxiv.org/abs/2309.16671, algorithm 1.
Cost:   A minute of one core for a million pairs; no image is read.
Form:   ids
Needs:  Signal concepts; a list of concepts: words and pairs of words of the reference's captions, or
        `--set concepts=FILE` with one a line.

Substituted: the list, for synsets of WordNet and words, pairs and titles of Wikipedia. The threshold is not
20,000 but what leaves the share `tail` of all matches below it, as 20,000 does at 400M pairs.
"""

import numpy as np
from numpy.typing import NDArray

from assay.strategy import PairView
from assay.strategy.sampling import gumbel_noise


def select(
    pool: PairView,
    *,
    seed: int,
    tail: float = 0.06,
    concepts: str = "grams",
    reference: str = "default",
) -> NDArray[np.void]:
    """Draw each pair with its probability of being kept."""
    probability = pool.signal(
        "metaclip_probability", concepts=concepts, tail=tail, reference=reference
    )
    # exp(-exp(-g)) of Gumbel noise is uniform, and belongs to the pair, not to its place.
    uniform = np.exp(-np.exp(-gumbel_noise(pool.uids, seed, "metaclip")))
    return pool.uids[uniform < probability]
