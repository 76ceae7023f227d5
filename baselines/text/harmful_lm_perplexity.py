"""Harmful-LM perplexity: drop what an n-gram language model of harmful text finds likely.

Claim:  A model of adult and harmful text alone separates such documents from the rest of a crawl by a threshold,
        where a model of Wikipedia does not; no score of a model trained on the result.
Ranks:  no claim
Source: Jansen et al. 2022, Perplexed by Quality, https://arxiv.org/abs/2212.10440.
Cost:   As `ccnet_perplexity`: about 0.1 core-hours for a million documents of 200 words, training included.
Form:   ids
Needs:  Signal perplexity; a reference of what to drop: the embedded one, a pool NAME-harmful, or
        `--set reference=POOL` or `reference=COLUMN~WORD`.

Documents of the highest perplexity stay: `fraction` of them, or with `threshold` those above it. The paper puts the
threshold into the valley between the two peaks of the histogram, of words under KenLM; here perplexity is by token of
the pool's tokenizer, so that its values do not carry over. Substituted on the embedded pool: nothing in it is adult or
harmful, so its reference is keyword spam, generated apart from the pool, of which 4.5 % is such; the fraction that stays
is far from that, as it is where one does not know it.
"""

import numpy as np
from numpy.typing import NDArray

from assay.strategy import PoolView
from assay.strategy.sampling import choose, gumbel_noise


def select(
    pool: PoolView,
    *,
    seed: int,
    reference: str = "harmful",
    fraction: float = 0.7,
    threshold: float = 0.0,
) -> NDArray[np.void]:
    """Keep what is unlike the reference."""
    perplexity = pool.signal("perplexity", reference=reference)
    if threshold > 0:
        return pool.uids[perplexity > threshold]
    noise = gumbel_noise(pool.uids, seed, "ties")
    return pool.uids[choose(perplexity, noise, round(fraction * pool.n))]
