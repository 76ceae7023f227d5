"""RedPajama-V2: Gopher's rules on its published quality signals.

Claim:  Published as signals to filter by, with ablations up to 1.6B parameters and no single number.
        DCLM 1B-1x, CORE v2: RedPajama (the first version) 23.1.
Ranks:  no claim
Source: Weber et al. 2024, https://arxiv.org/abs/2411.12372, and the rules of the data set's card.
Cost:   About 0.15 core-hours for a million documents of 200 words; no model.
Form:   ids
Needs:  Signal redpajama_v2.

The limits are Gopher's, on signals that differ from `gopher`'s: words are lower-case and without punctuation,
n-grams count from their first occurrence. Left out: stop words, perplexity and classifiers (see
`ccnet_perplexity`, `fasttext`, `dsir`).
"""

import numpy as np
from numpy.typing import NDArray

from assay.strategy import PoolView
from assay.strategy.sampling import choose, gumbel_noise

LIMITS = {
    "rps_doc_word_count": (50, 100_000),
    "rps_doc_mean_word_length": (3, 10),
    "rps_doc_symbol_to_word_ratio": (0, 0.1),
    "rps_doc_frac_no_alph_words": (0, 0.2),
    "rps_doc_frac_lines_end_with_ellipsis": (0, 0.3),
    "rps_lines_start_with_bulletpoint": (0, 0.9),
    "rps_doc_frac_chars_top_2gram": (0, 0.2),
    "rps_doc_frac_chars_top_3gram": (0, 0.18),
    "rps_doc_frac_chars_top_4gram": (0, 0.16),
    "rps_doc_frac_chars_dupe_5grams": (0, 0.15),
    "rps_doc_frac_chars_dupe_6grams": (0, 0.14),
    "rps_doc_frac_chars_dupe_7grams": (0, 0.13),
    "rps_doc_frac_chars_dupe_8grams": (0, 0.12),
    "rps_doc_frac_chars_dupe_9grams": (0, 0.11),
    "rps_doc_frac_chars_dupe_10grams": (0, 0.10),
}


def select(pool: PoolView, *, seed: int, fraction: float = 1.0) -> NDArray[np.void]:
    """Keep what lies within all limits, or a random fraction of it."""
    kept = np.ones(pool.n, dtype=np.bool_)
    for name, (least, most) in LIMITS.items():
        values = pool.signal(name)
        kept &= (values >= least) & (values <= most)
    noise = gumbel_noise(pool.uids, seed, "redpajama_v2")
    rows = choose(np.where(kept, 0.0, np.nan), noise, round(fraction * np.count_nonzero(kept)))
    return pool.uids[rows]
