"""Domain upsampling: the whole pool for most of the training, the best domains alone at its end.

Claim:  7B/1T: MMLU +6.9, GSM8K +8.3, HumanEval +6.2 points for small domains shown more at the end; a tenth to a
        fifth of the training is best.
Ranks:  above no_filter
Source: Blakeney et al. 2024, Does your data spark joy?, https://arxiv.org/abs/2406.03476.
Cost:   Nothing where domains are named; else as `dsir`: no model.
Form:   staged
Needs:  A column that names domains; and, unless `domains` names them, signal importance and a reference: the embedded
        one, a pool NAME-reference, or `--set reference=POOL` or `reference=COLUMN~WORD`.

`domains` lists values of the column `domain`, such as `domains=en.wikipedia.org,arxiv.org`. Left out, domains are taken
by how close they come to the reference, the mean of `importance` over their tokens, until they hold `fraction` of the
pool's tokens: a rule, where the paper chooses by hand. `late` is the part of the training that they get. Substituted:
the paper keeps some of the web in the last part; here it is left out.
"""

import numpy as np
from numpy.typing import NDArray

from assay.errors import StrategyError
from assay.strategy import PoolView
from assay.strategy.domains import domains_of
from assay.submission import Submission, staged


def select(
    pool: PoolView,
    *,
    seed: int,
    late: float = 0.2,
    domain: str = "host",
    domains: str = "",
    fraction: float = 0.3,
    reference: str = "default",
) -> Submission:
    """Show the pool, then the best domains; the seed has nothing to decide."""
    if not 0 < late < 1:
        raise StrategyError(
            f"late is the part of the training that the domains get, above 0 and below 1, got {late}: --set late=0.2"
        )
    names, place = domains_of(pool, domain)
    if domains:
        good = _named(domains, names, domain)
    else:
        closeness = np.nan_to_num(pool.signal("importance", reference=reference))
        good = closest(closeness, pool.n_tokens, place, fraction)
    return staged([(1 - late, pool.uids), (late, pool.uids[good[place]])])


def _named(domains: str, names: NDArray[np.str_], column: str) -> NDArray[np.bool_]:
    wanted = domains.split(",")
    if unknown := sorted(set(wanted) - set(names.tolist())):
        raise StrategyError(
            f"domain_upsampling: no document has {unknown[0]!r} in its {column}; there are {names[-1]!r} and "
            f"{len(names) - 1} more: --set domains={names[-1]}"
        )
    return np.isin(names, wanted)


def closest(
    closeness: NDArray[np.floating],
    tokens: NDArray[np.integer],
    place: NDArray[np.intp],
    fraction: float,
) -> NDArray[np.bool_]:
    """Mark domains by falling mean closeness over tokens until they hold a fraction of all; at least one.

    Args:
        closeness: (n,) of each document.
        tokens: (n,) of each document.
        place: (n,) number of each document's domain.
        fraction: Of all tokens.
    """
    sizes = np.bincount(place, tokens)
    mean = np.bincount(place, closeness * tokens) / np.maximum(sizes, 1)
    order = np.argsort(-mean, kind="stable")
    before = np.cumsum(sizes[order]) - sizes[order]
    good = np.zeros(len(sizes), dtype=bool)
    good[order] = before < fraction * sizes.sum()
    return good
