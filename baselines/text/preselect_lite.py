"""PreSelect: documents on which better models do better, as a fastText classifier recognises them.

Claim:  Average over its tasks, best tenth of the pool: 400M/8B 27.0 against 24.2 at random and 25.7 for DCLM's
        classifier; 1B/30B 33.4, 28.1 and 31.2. REWIRE's rerun of the released set disagrees: CORE 1B-1x .277
        against DCLM's .289.
Ranks:  above random
Source: Shum et al. 2025, Predictive Data Selection, https://arxiv.org/abs/2503.00808, and its released code.
Cost:   Five small trainings, some 45 seconds of one core, and 10,000 documents read by each model, some 5 minutes; then
        a classifier as in `fasttext`.
Form:   ids
Needs:  Signal proxy_ladder, and the extra `fasttext`; a reference: the embedded one, a pool NAME-reference, or
        `--set reference=POOL` or `reference=COLUMN~WORD`.

A document's predictive strength is the share of pairs of models of which the better one has the lower loss on it.
Of documents drawn from the pool, those of full strength teach the classifier what to keep, as many of the
lowest strength what not. Substituted (hence `_lite`): five language models of our own, of different width and
trained on the pool, for Llama 1 and 2 from 7B to 65B, so that strength is partly the gap that size alone makes (as
in ScalingFilter); they are ordered by their loss on the reference, not by benchmarks; five epochs, not three. The
paper's documents are 300 from each of the 3,000 commonest domains, ours are drawn from the whole pool; its tenth of the
pool is weighted by length, our fraction counts documents.
"""

import numpy as np
from numpy.typing import NDArray

from assay.errors import StrategyError
from assay.signals.text.batches import batched
from assay.signals.text.fasttext import Classifier
from assay.strategy import PoolView
from assay.strategy.sampling import choose, gumbel_noise

Rows = NDArray[np.int64]

MOST_EXAMPLES = 2 / 9
"""Of the documents whose strength is known, on either side: the paper's 200,000 of 900,000."""


def select(
    pool: PoolView,
    *,
    seed: int,
    fraction: float = 0.3,
    reference: str = "default",
    proxy_tokens: int = 131_072,
) -> NDArray[np.void]:
    """Keep the fraction that the classifier rates highest."""
    strength = pool.signal(
        "predictive_strength", reference=reference, tokens_seen=proxy_tokens, seed=seed
    )
    positives, negatives = examples(strength, gumbel_noise(pool.uids, seed, "examples"))
    model = Classifier.train(pool.texts(positives), pool.texts(negatives), seed=seed)
    score = np.concatenate([model.score(part) for part in batched(pool.texts())])
    noise = gumbel_noise(pool.uids, seed, "ties")
    return pool.uids[choose(score, noise, round(fraction * pool.n))]


def examples(strength: NDArray[np.floating], noise: NDArray[np.float64]) -> tuple[Rows, Rows]:
    """Return rows of documents of the greatest strength, and as many of the weakest others, `MOST_EXAMPLES` at most.

    Raises:
        StrategyError: If all documents have one strength.
    """
    known = np.flatnonzero(~np.isnan(strength))
    order = known[np.lexsort((noise[known], strength[known]))]
    strong = int((strength[order] == np.nanmax(strength)).sum())
    count = min(strong, len(order) - strong, max(1, round(MOST_EXAMPLES * len(order))))
    if not count:
        raise StrategyError(
            "preselect_lite: the models order themselves in the same way on every document, so there is nothing "
            "to learn; give them a larger budget: --set proxy_tokens=1000000"
        )
    return order[-count:], order[:count]
