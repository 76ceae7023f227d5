"""Scores out of what proxies made of documents: a learnt preference, and agreement with an order of models."""

from itertools import combinations

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import minimize
from scipy.special import expit

RIDGE = 1e-3
"""Weight of half the squared length of the direction, beside the mean loss of the pairs."""


def fit_preference(
    better: NDArray[np.floating], worse: NDArray[np.floating], *, ridge: float = RIDGE
) -> NDArray[np.float64]:
    """Fit a Bradley-Terry model whose log-strength is linear: P(a before b) = sigmoid(w (a - b)).

    Args:
        better: (p, d) features of what is preferred in each pair.
        worse: (p, d) features of the other.
        ridge: Weight of |w|^2 / 2.

    Returns:
        (d,) the direction w.

    Source:
        Bradley and Terry (1952), https://doi.org/10.2307/2334029; with the loss of QuRating's raters,
        Wettig et al. (2024), https://arxiv.org/abs/2402.09739.
    """
    gaps = np.asarray(better, dtype=np.float64) - worse

    def loss(w: NDArray[np.float64]) -> tuple[float, NDArray[np.float64]]:
        margins = gaps @ w
        slope = -(expit(-margins) @ gaps) / len(gaps) + ridge * w
        return float(np.logaddexp(0, -margins).mean() + ridge / 2 * (w @ w)), slope

    return minimize(loss, np.zeros(gaps.shape[1]), jac=True, method="L-BFGS-B").x


def concordance(
    losses: NDArray[np.floating], strengths: NDArray[np.floating]
) -> NDArray[np.float32]:
    """Return for each document the share of pairs of models in which the better one has the lower loss.

    Args:
        losses: (m, k) of each of m models on each of k documents.
        strengths: (m,) by which models are ordered; more is better.

    Returns:
        (k,) in [0, 1]; models that tie, by strength or on a document, count half. NaN where a loss is.

    Source:
        Shum et al. (2025), PreSelect, https://arxiv.org/abs/2503.00808: predictive strength.
    """
    pairs = list(combinations(range(len(strengths)), 2))
    assert pairs, "a ladder has two models or more"
    agreed = np.zeros(losses.shape[1])
    for one, other in pairs:
        agreed += np.sign(strengths[one] - strengths[other]) * np.sign(losses[other] - losses[one])
    return ((agreed / len(pairs) + 1) / 2).astype(np.float32)
