"""The noise of a table and the ranks that it leaves, for ten thousand rows at once.

The numbers are those of `assay.stats.noise` and `assay.stats.ranks`, which look at every pair of entries one
by one: 50 million of them here. Sorting takes their place. Tests hold both against each other.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.special import fdtrc, stdtr, stdtrit

from assay.stats.noise import HOMOGENEITY_LEVEL, Noise
from assay.stats.ranks import DRAWS, rank_rows

SEED = 20_260_101
LEVEL = 0.05
MOST_NUMBERS, FEWEST_DRAWS = 4_000_000, 1000
"""Draws x entries: tables beyond 400 entries take fewer draws; a thousand still give P(best) to 0.016."""
BLOCK = 1 << 20

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]


@dataclass(frozen=True)
class Scores:
    """One metric of a table's entries. Arrays have one number an entry.

    Attributes:
        noise: For comparing pairs.
        mean: Over seeds.
        own: Entries that are noisier than the others and keep their own variance.
        error: Standard error of the mean; NaN where the noise is unknown.
        degrees: Its degrees of freedom.
    """

    noise: Noise
    mean: Floats
    own: NDArray[np.bool_]
    error: Floats
    degrees: Floats

    @property
    def half_width(self) -> Floats:
        """Return half of each 95 % interval; NaN where the noise is unknown."""
        return stdtrit(self.degrees, 0.975) * self.error


@dataclass(frozen=True)
class Ranks:
    """What noise leaves of an order. Arrays have one number an entry.

    Attributes:
        rank: 1 + number of significantly better entries, Holm-adjusted over all pairs; 0 where unknown.
        low: Best end of the 95 % rank interval; 0 where unknown.
        high: Its worst end.
        p_best: Share of draws in which the entry is first; NaN where unknown.
    """

    rank: Ints
    low: Ints
    high: Ints
    p_best: Floats


def rank_entries(scores: Scores, *, lower_is_better: bool) -> Ranks:
    """Rank a table by one metric."""
    mean, error, own = scores.mean, scores.error, scores.own
    if not len(mean) or np.isnan(error).any():
        zero = np.zeros(len(mean), dtype=np.int64)
        return Ranks(zero, zero, zero, np.full(len(mean), np.nan))
    good = -mean if lower_is_better else mean
    rank = 1 + _significantly_better(good, error, own, scores.degrees)
    sign = 1.0 if lower_is_better else -1.0
    return Ranks(rank, *_drawn(mean, error, own, scores.degrees, sign))


def measure(names: Sequence[str], values: Sequence[Sequence[float]]) -> Scores:
    """Pool the noise as `assay.stats.noise.estimate_noise` does, in time linear in the number of entries.

    Args:
        names: Of the entries.
        values: One score a seed, at least one, in the same order.
    """
    if not names:
        empty = np.zeros(0)
        return Scores(Noise(None, 0, {}, {}), empty, np.zeros(0, dtype=bool), empty, empty)
    count = np.array([len(v) for v in values], dtype=np.int64)
    flat = np.concatenate([np.asarray(v, dtype=np.float64) for v in values])
    start = np.concatenate([[0], np.cumsum(count)[:-1]])
    mean = np.add.reduceat(flat, start) / count
    squares = np.add.reduceat((flat - np.repeat(mean, count)) ** 2, start)
    squares[count == 1] = 0.0
    degrees = (count - 1).astype(np.float64)
    own = _noisier(squares, degrees)
    freedom = int(degrees[~own].sum())
    sd = float(np.sqrt(squares[~own].sum() / freedom)) if freedom else None
    own_sd = {
        names[i]: float(np.sqrt(squares[i] / degrees[i])) for i in np.flatnonzero(own).tolist()
    }
    noise = Noise(sd, freedom, own_sd, dict(zip(names, values, strict=True)))
    pooled = np.nan if sd is None else sd**2
    variance = np.where(own, squares / np.maximum(degrees, 1), pooled)
    error = np.sqrt(variance / count)
    return Scores(noise, mean, own, error, np.where(own, degrees, float(freedom)))


def _noisier(squares: Floats, degrees: Floats) -> NDArray[np.bool_]:
    """Hold each entry's variance against the pooled one of all others."""
    rest = degrees.sum() - degrees
    # Sums from both ends, not total minus own: one loud entry would cancel all the others.
    before = np.concatenate([[0.0], np.cumsum(squares)[:-1]])
    after = np.concatenate([np.cumsum(squares[::-1])[::-1][1:], [0.0]])
    others = (before + after) / np.maximum(rest, 1)
    variance = squares / np.maximum(degrees, 1)
    testable = (degrees > 0) & (rest > 0)
    ratio = np.divide(variance, others, out=np.full_like(variance, np.inf), where=others > 0)
    p = fdtrc(np.maximum(degrees, 1), np.maximum(rest, 1), ratio)
    p = np.where(others == 0, np.where(variance > 0, 0.0, 1.0), p)
    return testable & (p < HOMOGENEITY_LEVEL)


def _significantly_better(
    good: Floats, error: Floats, own: NDArray[np.bool_], degrees: Floats
) -> Ints:
    """Count, for each entry, those that are better by Holm's test over all pairs.

    Holm's step-down rejects all p below level / (pairs - rejected so far) until no more are rejected. Where
    two entries share the pooled variance, p falls with their distance alone, so that counting in sorted means
    takes the place of listing pairs.
    """
    n = len(good)
    pairs, rejected = n * (n - 1) // 2, 0
    odd = _odd_pairs(good, error**2, degrees, own)
    groups = [np.flatnonzero(~own & (error == e)) for e in np.unique(error[~own])]
    freedom = float(degrees[~own][0]) if not own.all() else 1.0
    while True:
        threshold = LEVEL / max(pairs - rejected, 1)
        reach = float(stdtrit(freedom, 1 - threshold / 2))
        better = np.zeros(n, dtype=np.int64)
        for first in groups:
            for other in groups:
                distance = reach * np.hypot(error[first[0]], error[other[0]])
                ordered = np.sort(good[other])
                above = np.searchsorted(ordered, good[first] + distance, side="right")
                better[first] += len(other) - above
        left, right, p = odd
        worse = np.where(good[left] < good[right], left, right)
        np.add.at(better, worse[p < threshold], 1)
        if int(better.sum()) == rejected:
            return better
        rejected = int(better.sum())


def _odd_pairs(
    good: Floats, part: Floats, degrees: Floats, own: NDArray[np.bool_]
) -> tuple[Ints, Ints, Floats]:
    """Return Welch's p-value of each pair in which an entry keeps its own variance."""
    left, right = [], []
    everyone = np.arange(len(good))
    for i in np.flatnonzero(own):
        others = everyone[(everyone > i) | ~own]
        left.append(np.full(len(others), i))
        right.append(others)
    a = np.concatenate(left) if left else np.zeros(0, dtype=np.int64)
    b = np.concatenate(right) if right else np.zeros(0, dtype=np.int64)
    spread = part[a] + part[b]
    scale = part[a] ** 2 / degrees[a] + part[b] ** 2 / degrees[b]
    plain = degrees[a] + degrees[b]
    freedom = np.divide(spread**2, scale, out=plain, where=scale > 0)
    gap = np.abs(good[a] - good[b])
    far = np.where(gap > 0, np.inf, 0.0)
    statistic = np.divide(gap, np.sqrt(spread), out=far, where=spread > 0)
    return a, b, np.minimum(1.0, 2 * stdtr(freedom, -statistic))


def _drawn(
    mean: Floats, error: Floats, own: NDArray[np.bool_], degrees: Floats, sign: float
) -> tuple[Ints, Ints, Floats]:
    """Draw plausible true means and rank each draw, as `assay.stats.ranks.rank_intervals` does."""
    n = len(mean)
    draws = min(DRAWS, max(MOST_NUMBERS // n, FEWEST_DRAWS))
    rng = np.random.default_rng(SEED)
    pooled = ~own
    freedom = float(degrees[pooled][0]) if pooled.any() else 0.0
    shared = _scale(rng, freedom, draws) if freedom else np.ones(draws)
    kind = np.uint16 if n < 1 << 16 else np.uint32
    drawn = np.empty((draws, n), dtype=np.float64)
    for i in range(n):
        scale = _scale(rng, float(degrees[i]), draws) if own[i] else shared
        drawn[:, i] = mean[i] + error[i] * scale * rng.standard_normal(draws)
    ranks = np.empty((draws, n), dtype=kind)
    rows = max(1, BLOCK // n)
    for at in range(0, draws, rows):
        ranks[at : at + rows] = rank_rows(sign * drawn[at : at + rows])
    del drawn
    p_best = (ranks == 1).mean(axis=0)
    columns = np.ascontiguousarray(ranks.T)
    low, high = (max(0, int(np.ceil(round(q * draws, 6))) - 1) for q in (0.025, 0.975))
    columns.partition((low, high), axis=1)
    return columns[:, low].astype(np.int64), columns[:, high].astype(np.int64), p_best


def _scale(rng: np.random.Generator, degrees: float, draws: int) -> Floats:
    return np.sqrt(degrees / rng.chisquare(degrees, draws))
