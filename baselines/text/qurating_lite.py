"""QuRating: documents drawn by a rating that was learnt from pairs, one of which is preferred; or a curriculum.

Claim:  1.3B/30B from 260B tokens: drawn by educational value as good as 50 % more steps on random documents; the
        best alone are a poor choice. Elsewhere 46.16 against 43.78 at random (Meta-rater).
Ranks:  above random
Source: Wettig et al. 2024, QuRating, https://arxiv.org/abs/2402.09739.
Cost:   One small training, some 20 seconds of one core, and the pool read once: about 1.6 core-hours for a million
        documents of 200 words.
Form:   ids (staged with a curriculum)
Needs:  Signal pairwise_ranker; a reference: the embedded one, a pool NAME-reference, or `--set reference=POOL` or
        `reference=COLUMN~WORD`.

Ratings have mean 0 and variance 1; a document is drawn without replacement with weight exp(rating / temperature), from
each domain (the column `domain`, by default the host) in proportion to its tokens. `curriculum=rising` or `falling`
draws without regard to ratings, and shows what was drawn in ten stages, by rating. Substituted (hence `_lite`): no model judged
pairs for style, expertise, facts or educational value. What is known is that a document of the reference is preferred
to one of the pool: one criterion, and another construct. The rating is linear in the mean hidden state of a
language model of 0.2M parameters, which makes it the mean over a document's parts as in the paper.
"""

import numpy as np
from numpy.typing import NDArray

from assay.errors import StrategyError
from assay.strategy import PoolView
from assay.strategy.sampling import choose, gumbel_noise
from assay.submission import Submission, staged, submission_of

STAGES = 10


def select(
    pool: PoolView,
    *,
    seed: int,
    fraction: float = 0.3,
    temperature: float = 2.0,
    curriculum: str = "none",
    domain: str = "host",
    reference: str = "default",
    proxy_tokens: int = 262_144,
) -> Submission:
    """Draw documents with a fraction of the tokens by their rating, or line up random ones."""
    if curriculum not in ("none", "rising", "falling"):
        raise StrategyError(f"curriculum is none, rising or falling, got {curriculum!r}")
    rating = pool.signal("preference", reference=reference, tokens_seen=proxy_tokens, seed=seed)
    rating = (rating - np.nanmean(rating)) / np.nanstd(rating)
    rows = choose(
        rating if curriculum == "none" else np.where(np.isnan(rating), np.nan, 0.0),
        gumbel_noise(pool.uids, seed, "qurating"),
        fraction * pool.num_tokens,
        temperature=temperature,
        costs=pool.n_tokens,
        groups=np.array(list(map(str, pool.column(domain).to_pylist()))),
    )
    if curriculum == "none":
        return submission_of(pool.uids[rows])
    order = rows[np.argsort(rating[rows], kind="stable")]
    return _lined_up(pool, order if curriculum == "rising" else order[::-1])


def _lined_up(pool: PoolView, order: NDArray[np.int64]) -> Submission:
    """Cut rows into stages, each with the share of the budget that its tokens have."""
    parts = np.array_split(order, min(STAGES, len(order)))
    tokens = np.array([pool.n_tokens[part].sum() for part in parts])
    shares = tokens / tokens.sum()
    return staged([(s, pool.uids[part]) for s, part in zip(shares.tolist(), parts, strict=True)])
