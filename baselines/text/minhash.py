"""MinHash deduplication: one document of each cluster of near-duplicates.

Claim:  Deduplication pays: DCLM 1B-1x, CORE v1, same extraction: 24.1 before, 27.5 after (resiliparse), 24.5
        and 26.5 (trafilatura). Global deduplication of many crawls did not beat deduplicating each (FineWeb).
Ranks:  above no_filter
Source: Broder 1997, https://doi.org/10.1109/SEQUEN.1997.666900; the numbers are FineWeb's: Penedo et al.
        2024, https://arxiv.org/abs/2406.17557, section 3.4 (words in runs of 5, 14 bands of 8 hashes).
Cost:   About 0.02 core-hours for a million documents of 200 words, and 112 bytes of memory each; no model.
Form:   ids
Needs:  Signal minhash.

The copy that stays is the one with the lowest id, and ids are hashes.
"""

import numpy as np
from numpy.typing import NDArray

from assay.strategy import PoolView


def select(pool: PoolView, *, seed: int) -> NDArray[np.void]:
    """Keep the first of each cluster."""
    return pool.uids[pool.signal("minhash_cluster") == np.arange(pool.n)]
