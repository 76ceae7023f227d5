"""What a number of seeds can show: minimal detectable effects, seeds needed, the luck of the best of many."""

import math
from typing import Any

from scipy.special import nctdtr, ndtr, stdtrit

LEVEL = 0.05
POWER = 0.8
MOST_SEEDS = 10_000
FAR = 8.3  # normal deviations with a tail below the last bit of 1


def minimal_detectable_effect(
    seeds: int,
    other_seeds: int,
    *,
    degrees: int | None = None,
    level: float = LEVEL,
    power: float = POWER,
) -> float | None:
    """Return the smallest true difference that a two-sided t test finds with this power, in seed deviations.

    Args:
        seeds: Of the one entry.
        other_seeds: Of the other.
        degrees: Of the pooled deviation; None takes what the two entries have by themselves.
        level: Chance of a false positive.
        power: Chance of a true positive.

    Returns:
        None where no two runs share an entry: the noise is unknown.

    Source:
        The exact non-central t distribution.
    """
    from scipy.optimize import brentq

    freedom = seeds + other_seeds - 2 if degrees is None else degrees
    if freedom < 1:
        return None
    critical = float(stdtrit(freedom, 1 - level / 2))

    def shortfall(center: float) -> float:
        above = float(nctdtr(freedom, center, critical))
        # By symmetry: SciPy's far lower tail is NaN. So is this one for far centers, where it is 1 to the
        # last bit: the other tail has at most the normal chance of exceeding the center.
        below = 1.0 if center > FAR else float(nctdtr(freedom, -center, critical))
        return (1 - above) + (1 - below) - power

    upper = critical
    while shortfall(upper) < 0:
        upper *= 2
    center: Any = brentq(shortfall, 0.0, upper, xtol=1e-10)
    return float(center) * math.sqrt(1 / seeds + 1 / other_seeds)


def detectable_difference(
    sd: float | None, degrees: int, seeds: int, other_seeds: int
) -> float | None:
    """Return the minimal detectable effect in the metric's unit; None where the noise is unknown.

    Args:
        sd: Pooled deviation of a run.
        degrees: Its degrees of freedom.
        seeds: Of the one entry.
        other_seeds: Of the other.
    """
    if sd is None:
        return None
    effect = minimal_detectable_effect(seeds, other_seeds, degrees=degrees)
    return None if effect is None else effect * sd


def seeds_needed(
    effect: float,
    *,
    other_seeds: int | None = None,
    degrees: int | None = None,
    level: float = LEVEL,
    power: float = POWER,
) -> int | None:
    """Return the fewest seeds with which a difference is found with this power.

    Args:
        effect: True difference in seed deviations, above 0.
        other_seeds: Of the entry that is compared with; None gives both the same number.
        degrees: Of the pooled deviation; None takes what the two entries have by themselves.
        level: Chance of a false positive.
        power: Chance of a true positive.

    Returns:
        None where no number of seeds will do, because the other entry's are too few.
    """

    def enough(seeds: int) -> bool:
        found = minimal_detectable_effect(
            seeds, other_seeds or seeds, degrees=degrees, level=level, power=power
        )
        return found is not None and found <= effect

    if not enough(MOST_SEEDS):
        return None
    low, high = 0, MOST_SEEDS
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (low, middle) if enough(middle) else (middle, high)
    return high


def best_of_inflation(tries: int) -> float:
    """Return how far the best of some equally good tries lies above their mean, in deviations of a try."""
    from scipy.integrate import quad

    assert tries > 0

    def density(x: float) -> float:
        return x * tries * float(ndtr(x)) ** (tries - 1) * math.exp(-x * x / 2)

    return quad(density, -12, 12, limit=200)[0] / math.sqrt(2 * math.pi)
