"""Bradley-Terry strengths from tasks won and lost: does a ranking hold when each task counts as one vote?

A robustness column, never the sort: it throws away by how much a task was won.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

PRIOR_GAMES = 1.0
"""Tied games added to every pair: an entry that wins everything keeps a finite strength."""
ITERATIONS = 500
TOLERANCE = 1e-10


@dataclass(frozen=True)
class Strength:
    """An entry's log-strength, 0 on average over entries.

    Attributes:
        value: A difference of d means that a task is won with odds of e^d.
        low: Lower end of the 95 % interval, by bootstrap over tasks.
        high: Upper end.
    """

    value: float
    low: float
    high: float


def bradley_terry(
    scores: NDArray[np.float64], *, lower_is_better: bool, seed: int, resamples: int = 500
) -> list[Strength]:
    """Fit strengths to per-task wins; a tied task is half a win for each.

    Args:
        scores: Entries x tasks, two entries or more.
        lower_is_better: The metric's direction.
        seed: Of the bootstrap over tasks. Its intervals say what other tasks of this kind might show; with
            the dozen tasks of a suite they are rough.
        resamples: Of the bootstrap.
    """
    oriented = -scores if lower_is_better else scores
    won = (
        np.sign(oriented[:, None, :] - oriented[None, :, :]) + 1
    ) / 2  # entries x entries x tasks
    entries, tasks = scores.shape
    picked = np.random.default_rng(seed).integers(0, tasks, (resamples, tasks))
    counts = np.stack([np.bincount(row, minlength=tasks) for row in picked])
    games = np.concatenate([won.sum(axis=2)[None], np.einsum("ijt,bt->bij", won, counts)])
    games[:, np.arange(entries), np.arange(entries)] = 0
    fitted = fit_strengths(games)
    low, high = np.quantile(fitted[1:], [0.025, 0.975], axis=0)
    return [Strength(*map(float, parts)) for parts in zip(fitted[0], low, high, strict=True)]


def fit_strengths(wins: NDArray[np.float64], prior: float = PRIOR_GAMES) -> NDArray[np.float64]:
    """Return log-strengths, batch x entries, for `wins[b, i, j]`: how often i beat j, diagonal 0.

    Source:
        The MM algorithm of Hunter (2004), Annals of Statistics 32.
    """
    entries = wins.shape[1]
    wins = wins + prior / 2 * (1 - np.eye(entries))
    games = wins + wins.transpose(0, 2, 1)
    total = wins.sum(axis=2)
    strength = np.ones((len(wins), entries))
    for _ in range(ITERATIONS):
        expected = (games / (strength[:, :, None] + strength[:, None, :])).sum(axis=2)
        updated = total / expected
        updated /= np.exp(np.log(updated).mean(axis=1, keepdims=True))
        moved = np.abs(np.log(updated / strength)).max()
        strength = updated
        if moved < TOLERANCE:
            break
    return np.log(strength)
