"""RefinedWeb: Gopher's rules, then drop what loses more than 5 % of its words to rules for lines.

Claim:  DCLM 1B-1x, CORE v2: RefinedWeb 22.6 against C4's 21.1; in DCLM's own reproduction, with better
        extraction and deduplication, 25.0.
Ranks:  above c4
Source: Penedo et al. 2023, https://arxiv.org/abs/2306.01116, section G.2; Li et al. 2024,
        https://arxiv.org/abs/2406.11794 (`dclm_baseline_refinedweb.yaml`).
Cost:   About 0.2 core-hours for a million documents of 200 words; no model.
Form:   ids
Needs:  Signals gopher_quality, gopher_repetition, refinedweb_lines.

Substituted: Gopher's rules in datatrove's reading, where DCLM counts each occurrence of a stop word and more
kinds of bullets; documents that keep 95 % of their words stay whole, where RefinedWeb cuts the lines out.
Without ban lists of addresses, removal of URLs in the text and deduplication (see `minhash`); language is a
matter of its own: `assay select --where 'language == "en" & ...'`.
"""

import numpy as np
from numpy.typing import NDArray

from assay.strategy import PoolView
from assay.strategy.sampling import choose, gumbel_noise


def select(pool: PoolView, *, seed: int, fraction: float = 1.0) -> NDArray[np.void]:
    """Keep what passes, or a random fraction of it."""
    kept = pool.signal("gopher_quality_ok") & pool.signal("gopher_repetition_ok")
    kept &= pool.signal("refinedweb_lines_ok")
    noise = gumbel_noise(pool.uids, seed, "refinedweb")
    rows = choose(np.where(kept, 0.0, np.nan), noise, round(fraction * np.count_nonzero(kept)))
    return pool.uids[rows]
