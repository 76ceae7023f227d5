"""Sums, means and spreads that every modality's metrics share; the order of values moves no bit."""

import math
from collections.abc import Iterable

import numpy as np
from numpy.typing import NDArray


def centered_accuracy(accuracy: float, chance: float) -> float:
    """Rescale accuracy so that 0 is guessing and 1 is perfect; worse than guessing is negative.

    Args:
        accuracy: Fraction correct, in [0, 1]; not a percentage.
        chance: Accuracy of guessing on the same items, in [0, 1).

    Raises:
        ValueError: If either value lies outside its range.

    Source:
        DCLM (Li et al., 2024), https://arxiv.org/abs/2406.11794.
    """
    if not 0.0 <= accuracy <= 1.0:
        raise ValueError(
            f"accuracy is a fraction in [0, 1], got {accuracy}; divide percentages by 100"
        )
    if not 0.0 <= chance < 1.0:
        raise ValueError(f"chance is a fraction in [0, 1), got {chance}; divide percentages by 100")
    return (accuracy - chance) / (1.0 - chance)


def exact_sum(values: NDArray[np.float64]) -> float:
    """Return the correctly rounded sum."""
    return math.fsum(values.tolist())


def exact_mean(values: NDArray[np.float64] | list[float]) -> float:
    """Return the mean of one value or more, its sum correctly rounded."""
    return math.fsum(values) / len(values)


def standard_error(values: NDArray[np.float64]) -> float | None:
    """Return the standard error of a mean over items, or None for a single item."""
    if len(values) < 2:
        return None
    center = exact_mean(values)
    variance = exact_sum((values - center) ** 2) / (len(values) - 1)
    return math.sqrt(variance / len(values))


def linearized_standard_error(influences: Iterable[float]) -> float | None:
    """Return the standard error of a smooth statistic of items, or None for a single item.

    Args:
        influences: What each item adds to the statistic to first order; they sum to 0. Those of a
            mean are (x - mean) / n, and the result is then `standard_error`.

    Source:
        The infinitesimal jackknife (Jaeckel, 1972).
    """
    squares = [value * value for value in influences]
    if len(squares) < 2:
        return None
    return math.sqrt(math.fsum(squares) * len(squares) / (len(squares) - 1))
