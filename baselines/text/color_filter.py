"""CoLoR-Filter: the documents whose loss falls most when a small model is fine-tuned on a reference.

Claim:  A 1.2B model trained on what two 150M models chose matches 25B random tokens with 25 times less data for
        books, and 11 times less for the tasks whose training splits were the reference.
Ranks:  above random
Source: Brandfonbrener et al. 2024, CoLoR-Filter, https://arxiv.org/abs/2406.10670.
Cost:   Two small trainings, some 25 seconds of one core, and the pool read by either model: about 3 core-hours for
        a million documents of 200 words.
Form:   ids
Needs:  Signal proxy_losses; a reference: the embedded one, a pool NAME-reference, or `--set reference=POOL` or
        `reference=COLUMN~WORD`.

The score is the loss under the prior, a model of random documents of the pool, less the loss under the conditional
model, which is the prior trained on the reference for a while longer; the largest stay, without noise. Substituted:
models have 0.2M parameters, not 150M; documents are scored, not packed sequences of 512 tokens; the prior sees
`proxy_tokens` and the reference `fine_tuning_tokens`, at a tenth of the rates. The paper keeps a seventh to a
64th of a pool many times its budget; pools here are a few budgets, so 0.3 is the default.
"""

import numpy as np
from numpy.typing import NDArray

from assay.strategy import PoolView
from assay.strategy.sampling import choose, gumbel_noise


def select(
    pool: PoolView,
    *,
    seed: int,
    fraction: float = 0.3,
    reference: str = "default",
    proxy_tokens: int = 262_144,
    fine_tuning_tokens: int = 65_536,
) -> NDArray[np.void]:
    """Keep the fraction with the largest fall of the loss."""
    prior, conditional = (
        pool.signal(
            column,
            reference=reference,
            tokens_seen=proxy_tokens,
            fine_tuning_tokens=fine_tuning_tokens,
            seed=seed,
        )
        for column in ("proxy_loss", "conditional_loss")
    )
    noise = gumbel_noise(pool.uids, seed, "ties")
    return pool.uids[choose(prior - conditional, noise, round(fraction * pool.n))]
