"""The probability that one recipe beats another at the large scale, given a small-scale difference.

Fitted on recipes that have been run at both scales, and judged on recipes that the fit has not seen.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import combinations

import numpy as np
from numpy.typing import NDArray
from scipy.special import log_ndtr, ndtr

ENOUGH_RECIPES = 15
"""Below this a probability would be calibrated on next to nothing."""
BINS = 5

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Bin:
    """Pairs with similar predicted probabilities.

    Attributes:
        predicted: Their mean prediction.
        observed: Share in which the first recipe did win.
        pairs: How many.
    """

    predicted: float
    observed: float
    pairs: int


@dataclass(frozen=True)
class Calibration:
    """A fitted probability with its record on unseen recipes.

    Attributes:
        slope: Beta: how fast a difference turns into certainty.
        transfer_sd: Tau: spread, in small-scale units, of what the large scale adds. Where all entries
            are equally noisy only the ratio of the two matters, and only it is determined.
        brier: Mean squared error of predictions by fits that have not seen the recipe; 0.25 is a coin's.
        reliability: Predictions against outcomes, from 0.5 upwards.
        n: Recipes.
    """

    slope: float
    transfer_sd: float
    brier: float
    reliability: tuple[Bin, ...]
    n: int

    def probability(self, difference: float, variance: float) -> float:
        """Return P(first beats second at the large scale).

        Args:
            difference: First minus second at the small scale, positive when the first is better.
            variance: Of that difference, from seed noise.
        """
        spread = math.sqrt(variance + self.transfer_sd**2)
        return float(ndtr(self.slope * difference / spread))


@dataclass(frozen=True)
class PairProbability:
    """What the small scale says about two entries at the large one.

    Attributes:
        first: Key of the one that is better at the small scale.
        second: Key of the other.
        difference: First minus second there, not negative.
        probability: That the first beats the second at the large scale, 0.5 or more.
    """

    first: str
    second: str
    difference: float
    probability: float


def pair_probabilities(
    calibration: Calibration, keys: Sequence[str], small: Floats, variances: Floats
) -> tuple[PairProbability, ...]:
    """Predict every pair, whether or not it has been run at the large scale; the best at the small scale first.

    Args:
        calibration: Fitted on recipes at both scales.
        keys: Of the entries.
        small: Mean scores at the small scale, higher is better.
        variances: Of each mean, as `calibrate` took them.
    """
    order: list[int] = np.lexsort((np.array(keys), -small)).tolist()
    found = []
    for i, j in combinations(order, 2):
        gap, variance = float(small[i] - small[j]), float(variances[i] + variances[j])
        probability = calibration.probability(gap, variance)
        found.append(PairProbability(keys[i], keys[j], gap, probability))
    return tuple(found)


def ranked_keys(pairs: Sequence[PairProbability]) -> list[str]:
    """Return the keys behind `pair_probabilities`, the best at the small scale first."""
    return list(dict.fromkeys(key for pair in pairs for key in (pair.first, pair.second)))


def insufficient(recipes: int, noun: str) -> str:
    """Say why there is no calibration, or return nothing where there is one."""
    if recipes >= ENOUGH_RECIPES:
        return ""
    return f"no P(i beats j): insufficient data: {recipes} {noun}, {ENOUGH_RECIPES} are needed"


def calibrate(small: Floats, large: Floats, variances: Floats) -> Calibration | None:
    """Fit `P(i beats j) = Phi(beta dx / sqrt(v_i + v_j + tau^2))` over all pairs.

    A pair is predicted by fits that leave out one of its recipes altogether: pairs that share a recipe are not
    independent, and leaving out the pair alone would leak it.

    Args:
        small: Mean scores at the small scale, higher is better.
        large: Mean scores at the large scale, higher is better.
        variances: Of each small-scale mean; zeros where noise is unknown but equal, which leaves it in tau.

    Returns:
        None with fewer than `ENOUGH_RECIPES` recipes: insufficient data.
    """
    n = len(small)
    if n < ENOUGH_RECIPES:
        return None
    first, second = np.triu_indices(n, 1)
    # The better one at the small scale goes first: the outcome is then whether the small scale was right.
    swap = small[first] < small[second]
    first, second = np.where(swap, second, first), np.where(swap, first, second)
    gap = small[first] - small[second]
    variance = variances[first] + variances[second]
    right = (np.sign(large[first] - large[second]) + 1) / 2
    predicted = np.zeros(len(gap))
    for recipe in range(n):
        unseen = (first == recipe) | (second == recipe)
        slope, spread = _fit(gap[~unseen], variance[~unseen], right[~unseen])
        # Every pair has two recipes and so two predictions: their mean.
        predicted[unseen] += ndtr(slope * gap[unseen] / np.sqrt(variance[unseen] + spread**2)) / 2
    slope, spread = _fit(gap, variance, right)
    brier = float(np.mean((predicted - right) ** 2))
    return Calibration(slope, spread, brier, _reliability(predicted, right), n)


def _fit(gap: Floats, variance: Floats, right: Floats) -> tuple[float, float]:
    """Maximise the likelihood over log beta and log tau, in units of the typical gap."""
    from scipy.optimize import minimize

    unit = float(np.sqrt(np.mean(gap**2))) or 1.0
    gap, variance = gap / unit, variance / unit**2

    def loss(theta: Floats) -> float:
        beta, tau = np.exp(theta)
        z = beta * gap / np.sqrt(variance + tau**2)
        return -float(np.mean(right * log_ndtr(z) + (1 - right) * log_ndtr(-z)))

    found = minimize(loss, np.zeros(2), method="L-BFGS-B", bounds=[(-7.0, 7.0)] * 2)
    beta, tau = np.exp(found.x)
    return float(beta), float(tau) * unit


def _reliability(predicted: Floats, right: Floats) -> tuple[Bin, ...]:
    which = np.minimum(((predicted - 0.5) * 2 * BINS).astype(int), BINS - 1)
    bins = []
    for number in range(BINS):
        inside = which == number
        if inside.any():
            mean = float(predicted[inside].mean())
            bins.append(Bin(mean, float(right[inside].mean()), int(inside.sum())))
    return tuple(bins)
