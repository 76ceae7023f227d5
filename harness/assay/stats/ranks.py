"""Ranks with their uncertainty: intervals, ties, and whether they hang on one task or one seed."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from assay.stats.multiplicity import holm
from assay.stats.noise import Noise, mean
from assay.stats.transfer import kendall_tau_b

DRAWS = 10_000


@dataclass(frozen=True)
class RankInterval:
    """What the noise leaves of an entry's rank; 1 is best.

    Attributes:
        median: Over draws.
        low: Lower end of the 95 % interval.
        high: Upper end.
        p_best: Share of draws in which the entry is first.
        p_top3: Share in which it is among the first three.
    """

    median: int
    low: int
    high: int
    p_best: float
    p_top3: float


def rank_intervals(noise: Noise, *, lower_is_better: bool, seed: int) -> dict[str, RankInterval]:
    """Draw plausible true means and rank each draw.

    All entries of a draw share one draw of the pooled deviation, so that an underestimated noise is
    underestimated for all; an entry that keeps its own variance has its own draw. Without any noise estimate
    the dictionary is empty.

    Args:
        noise: Scores and their noise.
        lower_is_better: The metric's direction.
        seed: Of the draws.
    """
    names = list(noise.values)
    known = [noise.variance(name) for name in names]
    if any(variance is None for variance in known):
        return {}
    rng = np.random.default_rng(seed)
    shared = _scale(rng, noise.degrees) if noise.degrees else np.ones(DRAWS)
    drawn = np.empty((DRAWS, len(names)))
    for column, (name, variance) in enumerate(zip(names, known, strict=True)):
        assert variance is not None
        scores = noise.values[name]
        scale = _scale(rng, variance[1]) if name in noise.own else shared
        error = np.sqrt(variance[0] / len(scores)) * scale * rng.standard_normal(DRAWS)
        drawn[:, column] = mean(scores) + error
    ranks = rank_rows(drawn if lower_is_better else -drawn)
    low, median, high = np.quantile(ranks, [0.025, 0.5, 0.975], axis=0, method="inverted_cdf")
    return {
        name: RankInterval(
            median=int(median[i]),
            low=int(low[i]),
            high=int(high[i]),
            p_best=float((ranks[:, i] == 1).mean()),
            p_top3=float((ranks[:, i] <= 3).mean()),
        )
        for i, name in enumerate(names)
    }


def displayed_ranks(
    noise: Noise, *, lower_is_better: bool, level: float = 0.05
) -> dict[str, int] | None:
    """Return 1 + the number of entries that are significantly better; ties share a rank.

    All pairs are one family, adjusted by Holm's method.

    Returns:
        None where nothing is known of the noise: every entry would tie.
    """
    names = list(noise.values)
    pairs = [(a, b) for i, a in enumerate(names) for b in names[i + 1 :]]
    found = [noise.difference(a, b) for a, b in pairs]
    tests = [test for test in found if test is not None]
    if len(tests) < len(pairs):
        return None
    ranks = dict.fromkeys(names, 1)
    adjusted = holm([test.p_two_sided for test in tests])
    for (a, b), test, p in zip(pairs, tests, adjusted, strict=True):
        if p < level:
            ranks[a if (test.delta > 0) == lower_is_better else b] += 1
    return ranks


def leave_one_task_out(
    scores: NDArray[np.float64], *, lower_is_better: bool
) -> list[tuple[int, int]]:
    """Return each entry's best and worst rank when any one task is left out.

    Args:
        scores: Entries x tasks, two tasks or more; an entry's score is its mean over tasks.
        lower_is_better: The metric's direction.
    """
    tasks = scores.shape[1]
    assert tasks > 1, "no task can be left out of one"
    remaining = (scores.sum(axis=1, keepdims=True) - scores) / (tasks - 1)
    ranks = rank_rows(remaining.T if lower_is_better else -remaining.T)
    return [(int(low), int(high)) for low, high in zip(ranks.min(0), ranks.max(0), strict=True)]


def seed_stability(values: Sequence[Sequence[float]]) -> float | None:
    """Return the lowest Kendall tau-b between the ranking by all seeds and by all but one.

    Args:
        values: Entries x seeds; an entry with fewer seeds than others keeps them when a later one is dropped.

    Returns:
        None with fewer than two entries, or where no entry has two seeds.
    """
    longest = max(map(len, values), default=0)
    if len(values) < 2 or longest < 2:
        return None
    full = np.array([mean(scores) for scores in values])
    left_out = [
        np.array([mean(_without(scores, index)) for scores in values]) for index in range(longest)
    ]
    return min(kendall_tau_b(full, means) for means in left_out)


def _without(scores: Sequence[float], index: int) -> list[float]:
    return [x for j, x in enumerate(scores) if j != index or len(scores) == 1]


def _scale(rng: np.random.Generator, degrees: int) -> NDArray[np.float64]:
    """Draw sigma over its estimate."""
    return np.sqrt(degrees / rng.chisquare(degrees, DRAWS))


def rank_rows(scores: NDArray[np.float64]) -> NDArray[np.int64]:
    """Rank each row, the lowest first; equal scores share the better rank."""
    order = np.argsort(scores, axis=1)
    ordered = np.take_along_axis(scores, order, axis=1)
    place = np.arange(1, scores.shape[1] + 1)
    first = np.ones_like(ordered, dtype=bool)
    first[:, 1:] = ordered[:, 1:] != ordered[:, :-1]
    shared = np.maximum.accumulate(np.where(first, place, 0), axis=1)
    ranks = np.empty_like(order)
    np.put_along_axis(ranks, order, shared, axis=1)
    return ranks
