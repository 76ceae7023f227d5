"""FineWeb: Gopher's rules, C4's without terminal punctuation, and three of its own.

Claim:  Better models than other open data sets give, in its own ablations (1.82B parameters, 28B tokens). In
        DCLM's protocol (1B-1x, CORE v2) its educational subset has 24.0, RefinedWeb 22.5, C4 21.1.
Ranks:  above c4
Source: Penedo et al. 2024, https://arxiv.org/abs/2406.17557, sections 3.3 to 3.6, in datatrove's reading.
Cost:   About 0.2 core-hours for a million documents of 200 words; no model.
Form:   ids
Needs:  Signals gopher_quality, gopher_repetition, c4, fineweb.

Substituted: words are WordPunct tokens, where datatrove has spaCy's. The rules that follow C4's see whole
documents, where FineWeb's see the lines that C4's left. Without ban lists of addresses and deduplication
(see `minhash`); language is a matter of its own.
"""

import numpy as np
from numpy.typing import NDArray

from assay.strategy import PoolView
from assay.strategy.sampling import choose, gumbel_noise


def select(pool: PoolView, *, seed: int, fraction: float = 1.0) -> NDArray[np.void]:
    """Keep what passes, or a random fraction of it."""
    kept = pool.signal("gopher_quality_ok") & pool.signal("gopher_repetition_ok")
    kept &= pool.signal("c4_unended_ok") & pool.signal("fineweb_ok")
    noise = gumbel_noise(pool.uids, seed, "fineweb")
    rows = choose(np.where(kept, 0.0, np.nan), noise, round(fraction * np.count_nonzero(kept)))
    return pool.uids[rows]
