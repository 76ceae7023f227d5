"""Control, shuffled labels: `fasttext` with classifiers that learnt from labels dealt out at random.

Claim:  None of its own: on average over shuffles it is `random`. What it is beyond that, such classifiers do to any
        pool, whatever the labels say.
Ranks:  no claim
Source: Ojala and Garriga 2010, Permutation tests for studying classifier performance,
        https://www.jmlr.org/papers/v11/ojala10a.html: the first of their two tests.
Cost:   As `fasttext`, and its training `shuffles` times.
Form:   ids
Needs:  The extra `fasttext`; a reference: the embedded one, a pool NAME-reference, or
        `--set reference=POOL` or `reference=COLUMN~WORD`.

What is shuffled: the labels of the classifier's examples, which are those of `fasttext`, the reference and as many
random documents of the pool. Documents, settings and the numbers of either label stay as they are. One shuffle makes
a classifier that prefers something arbitrary, and quality varies along it: of 3,000 embedded documents, twelve single
shuffles chose a mean hidden quality from 0.22 to 0.69, where `random` is at 0.52. So the pool is cut at random into
`shuffles` parts, each with a shuffle and a classifier of its own.
"""

from itertools import islice

import numpy as np
from numpy.typing import NDArray

from assay.order import drawn_order
from assay.signals.text.batches import batched
from assay.signals.text.fasttext import Classifier
from assay.signals.text.models import MAX_EXAMPLES
from assay.strategy import PoolView
from assay.strategy.sampling import choose, gumbel_noise


def select(
    pool: PoolView,
    *,
    seed: int,
    fraction: float = 0.3,
    reference: str = "default",
    shuffles: int = 10,
) -> NDArray[np.void]:
    """Keep the fraction of each part that its classifier scores highest."""
    examples = list(islice(pool.reference(reference), MAX_EXAMPLES))
    positives = len(examples)
    examples += pool.texts(drawn_order(pool.n, "fasttext negatives", seed)[:positives])
    parts = drawn_order(pool.n, "parts", seed) % shuffles
    score = np.zeros(pool.n, dtype=np.float32)
    for part in range(shuffles):
        dealt = [examples[place] for place in drawn_order(len(examples), "labels", part, seed)]
        model = Classifier.train(dealt[:positives], dealt[positives:], seed=seed)
        rows = np.flatnonzero(parts == part)
        score[rows] = np.concatenate([model.score(texts) for texts in batched(pool.texts(rows))])
    noise = gumbel_noise(pool.uids, seed, "ties")
    return pool.uids[choose(score, noise, round(fraction * pool.n), groups=parts)]
