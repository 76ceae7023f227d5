"""Concept balancing: pairs weighted against how often their commonest concept is named.

Claim:  Accuracy on a concept grows with the logarithm of how many training pairs show it, so what is rare is
        not learnt; flattening frequencies is the remedy that suggests itself. DataComp found that balancing by
        repetition collapses at large scale.
Ranks:  no claim
Source: Udandarao et al. 2024, No "Zero-Shot" Without Exponential Data, https://arxiv.org/abs/2404.04125; cap:
        Xu et al. 2023, https://arxiv.org/abs/2309.16671.
Cost:   A minute of one core for a million pairs; no image is read.
Form:   ids
Needs:  Signal concepts; a list of concepts, by default the generator's nouns or the words of the reference's
        captions, or `--set concepts=FILE` with one a line.

A pair is drawn with weight 1 / frequency^alpha of its commonest concept: alpha 0 is random, 1 flat. Pairs without
any concept are left out. Substituted: captions alone say what is shown, where the paper asks a tagger of images too.
"""

import numpy as np
from numpy.typing import NDArray

from assay.strategy import PairView
from assay.strategy.sampling import choose, gumbel_noise


def select(
    pool: PairView,
    *,
    seed: int,
    fraction: float = 0.3,
    alpha: float = 0.5,
    concepts: str = "nouns",
    reference: str = "default",
) -> NDArray[np.void]:
    """Draw a fraction of the pool without replacement, by weight."""
    frequency = pool.signal("commonest_concept", concepts=concepts, reference=reference)
    weight = np.where(frequency > 0, -alpha * np.log(np.maximum(frequency, 1)), np.nan)
    noise = gumbel_noise(pool.uids, seed, "concept balance")
    rows = choose(weight, noise, round(fraction * pool.n), temperature=1.0)
    return pool.uids[rows]
