"""C4: keep the documents that C4's rules keep.

Claim:  GLUE 83.3 against 81.5 without the rules (its table 8). A baseline that later rules beat: DCLM 1B-1x, CORE
        v2: 21.1, below RefinedWeb's 22.6 and the 25.2 of a pool that was extracted and deduplicated better.
Ranks:  above no_filter
Source: Raffel et al. 2020, https://arxiv.org/abs/1910.10683, section 2.2, in datatrove's reading.
Cost:   About 0.05 core-hours for a million documents of 200 words; no model.
Form:   ids
Needs:  Signal c4.

C4 also cuts lines out of the documents that it keeps, which a list of ids cannot say: they stay whole here.
`min_kept_words` drops documents of which the rules would leave less than this share of words. Without the
list of bad words.
"""

import numpy as np
from numpy.typing import NDArray

from assay.strategy import PoolView
from assay.strategy.sampling import choose, gumbel_noise


def select(
    pool: PoolView, *, seed: int, fraction: float = 1.0, min_kept_words: float = 0.0
) -> NDArray[np.void]:
    """Keep what passes, or a random fraction of it."""
    kept = pool.signal("c4_ok") & (pool.signal("c4_kept_words") >= min_kept_words)
    noise = gumbel_noise(pool.uids, seed, "c4")
    rows = choose(np.where(kept, 0.0, np.nan), noise, round(fraction * np.count_nonzero(kept)))
    return pool.uids[rows]
