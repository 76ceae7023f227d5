"""One way to choose by score: the best, or a draw that prefers them, within a budget and quotas.

With temperature T every example gets the key score / T + g, g standard Gumbel noise, and the largest keys
are taken: an exact draw without replacement with weights exp(score / T). T = 0 takes the best, T = inf
draws at random. Noise belongs to an example's id and a named seed, not to its place: in another order, or
beside other candidates, an example keeps its draw.

With groups, each takes what lies wholly within its quota. Of the examples that lie across the end of their
group's quota as many are taken as the budget still has room for, drawn so that each is in with a probability
near the part of it that lies within: a domain of one document gets its share over seeds, not always or never.

Source:
    Vieira (2014), "Gumbel-max trick and weighted reservoir sampling"; Kool et al. (2019),
    https://arxiv.org/abs/1903.06059. Rosén (1997), "On sampling with probability proportional to size": Pareto
    sampling, https://doi.org/10.1016/S0378-3758(96)00186-3.
"""

import hashlib
from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from assay.signals.text.words import mix

Rows = NDArray[np.int64]
Floats = NDArray[np.float64]


def gumbel_noise(uids: NDArray[np.void], seed: int, purpose: str) -> Floats:
    """Return standard Gumbel noise, (n,), a function of each id, the seed and what it is for.

    Args:
        uids: (n,) ids of dtype `u8,u8`.
        seed: Of the strategy.
        purpose: Two draws of one strategy are independent if they have different names.
    """
    named = hashlib.sha256(f"assay draw\0{seed}\0{purpose}".encode()).digest()
    low, high = np.frombuffer(named[:16], dtype="<u8")
    first, second = uids[uids.dtype.names[0]], uids[uids.dtype.names[1]]  # pyright: ignore
    bits = mix(mix(first.astype(np.uint64) ^ low) + mix(second.astype(np.uint64) ^ high))
    uniform = ((bits >> np.uint64(11)).astype(np.float64) + 0.5) * 2.0**-53
    return -np.log(-np.log(uniform))


def choose(
    scores: NDArray[np.number],
    noise: Floats,
    amount: float,
    *,
    temperature: float = 0.0,
    costs: NDArray[np.number] | None = None,
    groups: NDArray[np.generic] | None = None,
    shares: Mapping[object, float] | str = "proportional",
) -> Rows:
    """Choose examples by score.

    Args:
        scores: (n,) more is better; an example whose score is NaN is never chosen.
        noise: (n,) of `gumbel_noise`; with temperature 0 it decides between equals.
        amount: Budget: examples, or with `costs` their sum. The order is walked until it is reached, so
            that costs may go beyond it by less than the last example's, with groups too.
        temperature: From 0, the best, to infinity, at random.
        costs: (n,) such as tokens; None counts examples.
        groups: (n,) such as domains, each with a quota; None is one group.
        shares: Of the budget: `proportional` to the groups' sizes (in cost), `uniform`, or a number for
            each group (those not named get none). Shares of groups that have too little go to the others,
            in proportion.

    Returns:
        Rows, rising.
    """
    assert temperature >= 0, temperature
    candidates = np.flatnonzero(~np.isnan(scores))
    order = candidates[_falling(np.asarray(scores)[candidates], noise[candidates], temperature)]
    spent = np.ones(len(order)) if costs is None else np.asarray(costs, np.float64)[order]
    if groups is None:
        return np.sort(order[: _reach(spent, amount)])
    names, inverse = np.unique(groups[order], return_inverse=True)
    by_group = np.argsort(inverse, kind="stable")
    order, spent, inverse = order[by_group], spent[by_group], inverse[by_group]
    sizes = np.bincount(inverse, spent, minlength=len(names)).astype(np.float64)
    quotas = quotas_of(sizes, weights_of(names, sizes, shares), amount)
    return np.sort(order[_within(quotas, inverse, spent, noise[order], amount)])


def _falling(scores: NDArray[np.number], noise: Floats, temperature: float) -> Rows:
    """Return the order of falling keys."""
    if temperature == 0:
        return np.lexsort((-noise, -scores.astype(np.float64)))
    return np.argsort(-(scores.astype(np.float64) / temperature + noise), kind="stable")


def _reach(spent: Floats, amount: float) -> int:
    """Return how many of the first are taken until their sum is at least `amount`."""
    return int(np.count_nonzero(np.cumsum(spent) - spent < amount))


def weights_of(
    names: NDArray[np.generic], sizes: Floats, shares: Mapping[object, float] | str
) -> Floats:
    """Return the weight of each group: see `choose`."""
    if shares == "proportional":
        return sizes
    if shares == "uniform":
        return np.ones(len(names))
    assert isinstance(shares, Mapping), shares
    return np.array([float(shares.get(name, 0.0)) for name in names.tolist()])


def quotas_of(sizes: Floats, weights: Floats, amount: float) -> Floats:
    """Divide an amount by weights, no group getting more than it has; the rest goes to the others.

    Args:
        sizes: (g,) what each group has.
        weights: (g,) not negative.
        amount: To be divided; with too little of everything, all is given.

    Returns:
        (g,) amounts, none above its size.
    """
    quotas = np.zeros(len(sizes))
    open_ = weights > 0
    while open_.any():
        left = amount - quotas[~open_].sum()
        quotas[open_] = left * weights[open_] / weights[open_].sum()
        full = open_ & (quotas >= sizes)
        if not full.any():
            break
        quotas[full] = sizes[full]
        open_ &= ~full
    return quotas


def _within(
    quotas: Floats, groups: Rows, spent: Floats, noise: Floats, amount: float
) -> NDArray[np.bool_]:
    """Mark what fits into the quotas, and of what lies across their ends as much as is left to spend.

    Args:
        quotas: (g,) of `quotas_of`.
        groups: (n,) number of each example's group, rising; within a group in the order of taking.
        spent: (n,) costs.
        noise: (n,) standard Gumbel.
        amount: Budget; quotas that make up less are all there is.
    """
    if not len(groups):
        return np.zeros(0, dtype=np.bool_)
    before = np.cumsum(spent) - spent
    firsts = np.searchsorted(groups, np.arange(len(quotas)))
    inside = quotas[groups] - (before - before[firsts][groups])
    taken = (inside > 0) & (spent <= inside)
    across = np.flatnonzero((inside > 0) & ~taken)
    # The least of m standard exponential draws is one again times m, whatever the size of the group.
    draw = np.minimum.reduceat(np.exp(-noise), firsts) * np.bincount(groups)
    outside = spent[across] - inside[across]
    keys = inside[across] / (outside * np.expm1(draw[groups[across]]))
    across = across[np.argsort(-keys, kind="stable")]
    left = min(amount, float(np.sum(spent[quotas[groups] > 0]))) - np.sum(spent[taken])
    taken[across[: _reach(spent[across], left)]] = True
    return taken
