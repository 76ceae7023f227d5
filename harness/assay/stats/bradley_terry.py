"""Bradley-Terry strengths from tasks won and lost: does a ranking hold when each task counts as one vote?

A robustness column, never the sort: it throws away by how much a task was won. It has no interval: with the
eight to 22 tasks of a suite none is right. Of nominal 95 %, simulated, the bootstrap over tasks covers 79 to 95 %,
and t intervals on its or the jackknife's deviation 88 to 99 %: whoever wins every task shows no spread at all.
"""

import numpy as np
from numpy.typing import NDArray

PRIOR_GAMES = 1.0
"""Tied games added to every pair: an entry that wins everything keeps a finite strength."""
ITERATIONS = 500
TOLERANCE = 1e-10


def bradley_terry(scores: NDArray[np.float64], *, lower_is_better: bool) -> list[float]:
    """Return log-strengths from per-task wins, 0 on average; a tied task is half a win for each.

    A difference of d means that a task is won with odds of e^d.

    Args:
        scores: Entries x tasks, two entries or more.
        lower_is_better: The metric's direction.
    """
    oriented = -scores if lower_is_better else scores
    won = (np.sign(oriented[:, None, :] - oriented[None, :, :]) + 1) / 2
    wins = won.sum(axis=2)
    np.fill_diagonal(wins, 0)
    return fit_strengths(wins).tolist()


def fit_strengths(wins: NDArray[np.float64], prior: float = PRIOR_GAMES) -> NDArray[np.float64]:
    """Return the log-strength of each entry for `wins[i, j]`: how often i beat j, diagonal 0.

    Source:
        The MM algorithm of Hunter (2004), Annals of Statistics 32.
    """
    wins = wins + prior / 2 * (1 - np.eye(len(wins)))
    games = wins + wins.T
    total = wins.sum(axis=1)
    strength = np.ones(len(wins))
    for _ in range(ITERATIONS):
        updated = total / (games / (strength[:, None] + strength[None, :])).sum(axis=1)
        updated /= np.exp(np.log(updated).mean())
        moved = np.abs(np.log(updated / strength)).max()
        strength = updated
        if moved < TOLERANCE:
            break
    return np.log(strength)
