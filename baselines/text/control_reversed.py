"""Control, a reversed score: what `fasttext` finds least like the reference.

Claim:  A method that works turns into harm when its score is reversed. Where it does not, its gain is not its
        score's.
Ranks:  below random
Source: A negative control as in any experiment; no paper.
Cost:   As `fasttext`.
Form:   ids
Needs:  Signal fasttext (extra `fasttext`); a reference: the embedded one, a pool NAME-reference, or
        `--set reference=POOL` or `reference=COLUMN~WORD`.
"""

import numpy as np
from numpy.typing import NDArray

from assay.strategy import PoolView
from assay.strategy.sampling import choose, gumbel_noise


def select(
    pool: PoolView, *, seed: int, fraction: float = 0.3, reference: str = "default"
) -> NDArray[np.void]:
    """Keep the fraction with the lowest scores."""
    score = pool.signal("fasttext_score", reference=reference, seed=seed)
    noise = gumbel_noise(pool.uids, seed, "fasttext")
    return pool.uids[choose(-score, noise, round(fraction * pool.n))]
