"""Exact deduplication: one document of each set that has the same words in the same order.

Claim:  Removing copies helps a little on its own; most of what deduplication gains comes from near-copies
        (see `minhash`).
Ranks:  above no_filter
Source: Lee et al. 2022, Deduplicating training data makes language models better,
        https://arxiv.org/abs/2107.06499.
Cost:   About 0.02 core-hours for a million documents of 200 words; no model.
Form:   ids
Needs:  Signal exact_duplicates.

"The same" is after NFKC, in lower case, punctuation and white space left out. The copy that stays is the
one with the lowest id, and ids are hashes.
"""

import numpy as np
from numpy.typing import NDArray

from assay.strategy import PoolView


def select(pool: PoolView, *, seed: int) -> NDArray[np.void]:
    """Keep the first of each cluster."""
    return pool.uids[pool.signal("exact_cluster") == np.arange(pool.n)]
