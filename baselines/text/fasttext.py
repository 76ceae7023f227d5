"""fastText classifier: the documents most like a reference of good ones.

Claim:  The best filter of DCLM. 1B-1x, CORE v2: 25.2 for the pool, 27.6 for the best tenth. The reference is
        the method: instructions and explanations 30.2 (v1), Wikipedia 25.3, below the pool's own 27.8.
Ranks:  above no_filter
Source: Li et al. 2024, DataComp-LM, https://arxiv.org/abs/2406.11794, section 4.4; Joulin et al. 2017,
        https://arxiv.org/abs/1607.01759.
Cost:   About 0.05 core-hours for a million documents of 200 words, and up to minutes of training.
Form:   ids
Needs:  Signal fasttext (extra `fasttext`); a reference: the embedded one, a pool NAME-reference, or
        `--set reference=POOL` or `reference=COLUMN~WORD`.

Substituted: DCLM's positives (OpenHermes 2.5 and the best of r/ExplainLikeImFive) cannot be had here, so good
is what the reference says. Negatives are random documents of the pool, as many as positives. DCLM keeps
a tenth of a pool many times its budget; pools here are a few budgets, so 0.3 is the default. Bigrams are hashed into
262,144 buckets, not fastText's 2,000,000 (0.8 GB): references here have some 100,000.
"""

import numpy as np
from numpy.typing import NDArray

from assay.strategy import PoolView
from assay.strategy.sampling import choose, gumbel_noise


def select(
    pool: PoolView, *, seed: int, fraction: float = 0.3, reference: str = "default"
) -> NDArray[np.void]:
    """Keep the fraction with the highest scores."""
    score = pool.signal("fasttext_score", reference=reference, seed=seed)
    noise = gumbel_noise(pool.uids, seed, "fasttext")
    return pool.uids[choose(score, noise, round(fraction * pool.n))]
