"""CCNet: bands of perplexity under an n-gram language model of a reference; by default the lowest, the head.

Claim:  Depends on the pool: +1.2 CORE for the lowest tenth in DCLM (1B-1x, v1: 29.0 against 27.8), +1.0 in
        PreSelect, -2.25 in Meta-rater; all against random or the pool.
Ranks:  above no_filter
Source: Wenzek et al. 2020, CCNet, https://arxiv.org/abs/1911.00359: head, middle and tail are cut at the 30th
        and 60th percentile. Heafield et al. 2013, https://aclanthology.org/P13-2121, for the model.
Cost:   About 0.1 core-hours for a million documents of 200 words, training included.
Form:   ids
Needs:  Signal perplexity; a reference: the embedded one, a pool NAME-reference, or
        `--set reference=POOL` or `reference=COLUMN~WORD`.

Substituted: tokens are the pool's own, where CCNet has SentencePiece by language; a document is scored as a
whole, not line by line; the model is trained on the reference, not on Wikipedia; percentiles are of the whole pool,
where CCNet has a model and percentiles for each language. `harmful_lm_perplexity` is the same with a reference of what
to drop.
"""

import numpy as np
from numpy.typing import NDArray

from assay.errors import StrategyError
from assay.strategy import PoolView


def select(
    pool: PoolView,
    *,
    seed: int,
    band: str = "head",
    head: float = 0.3,
    middle: float = 0.3,
    reference: str = "default",
) -> NDArray[np.void]:
    """Keep a band: the lowest perplexities are the head, those after it the middle, the rest the tail."""
    edges = {"head": (0.0, head), "middle": (head, head + middle), "tail": (head + middle, 1.0)}
    if band not in edges:
        raise StrategyError(
            f"band is head, middle or tail, got {band!r}; give one: --set band=tail"
        )
    order = np.argsort(pool.signal("perplexity", reference=reference), kind="stable")
    start, stop = (round(edge * pool.n) for edge in edges[band])
    return pool.uids[order[start:stop]]
