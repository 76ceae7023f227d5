"""Gopher: keep the documents that pass Gopher's rules of quality and of repetition.

Claim:  The base of most later sets of rules; alone, no published score in DCLM's protocol.
Ranks:  no claim
Source: Rae et al. 2021, https://arxiv.org/abs/2112.11446, section A.1.1 and table A1, in datatrove's reading.
Cost:   About 0.15 core-hours for a million documents of 200 words; no model.
Form:   ids
Needs:  Signals gopher_quality, gopher_repetition.

Substituted: words are runs of word characters and of punctuation (NLTK's WordPunct), where datatrove has
spaCy's tokens. `repetition=false` leaves the second set out.
"""

import numpy as np
from numpy.typing import NDArray

from assay.strategy import PoolView
from assay.strategy.sampling import choose, gumbel_noise


def select(
    pool: PoolView, *, seed: int, fraction: float = 1.0, repetition: bool = True
) -> NDArray[np.void]:
    """Keep what passes, or a random fraction of it."""
    kept = pool.signal("gopher_quality_ok")
    if repetition:
        kept = kept & pool.signal("gopher_repetition_ok")
    noise = gumbel_noise(pool.uids, seed, "gopher")
    rows = choose(np.where(kept, 0.0, np.nan), noise, round(fraction * np.count_nonzero(kept)))
    return pool.uids[rows]
