"""Rules that claims have to meet: a new record, an honest log, an agreeing rerun."""

import math
from dataclasses import dataclass

from scipy.special import stdtrit

from assay.stats.noise import Noise, difference, pooled_sd

RECORD_LEVEL = 0.01
RECORD_MARGIN = 1.0
SUSPICION_LEVEL = 0.05
RERUN_CONFIDENCE = 0.99


@dataclass(frozen=True)
class RecordVerdict:
    """Whether a submission takes the first place.

    Attributes:
        accepted: Both conditions hold.
        gain: Over the current best, in the metric's unit, positive when better.
        needed: The least gain, one pooled deviation.
        p: One-sided, of no gain.
    """

    accepted: bool
    gain: float
    needed: float
    p: float


def record_verdict(
    fresh: Noise, submission: str, best: str, *, lower_is_better: bool
) -> RecordVerdict | None:
    """Judge a claim to the first place.

    Two tests have to agree: with the variance pooled over every entry, and with the table's own noise, where a
    noisier entry keeps its variance. The second alone would claim 1.2 % of records where there are none.

    Args:
        fresh: Scores on seeds drawn after both were handed in; seeds that chose the submission flatter it.
        submission: The entry that claims the place.
        best: The entry that holds it.
        lower_is_better: The metric's direction.

    Returns:
        None where nothing is known of the noise.
    """
    sd, degrees = pooled_sd(list(fresh.values.values()))
    own = fresh.difference(submission, best)
    if sd is None or own is None:
        return None
    seeds = len(fresh.values[submission]), len(fresh.values[best])
    se = sd * math.sqrt(1 / seeds[0] + 1 / seeds[1])
    pooled = difference(own.delta, se, degrees, "pooled")
    gain = -own.delta if lower_is_better else own.delta
    p = max(1 - test.p_greater if lower_is_better else test.p_greater for test in (own, pooled))
    needed = RECORD_MARGIN * sd
    return RecordVerdict(gain >= needed and p < RECORD_LEVEL, gain, needed, p)


def suspicion_p(gain: float, sd: float, degrees: int, claimed_seeds: int, reruns: int = 1) -> float:
    """Return the one-sided p-value of a participant's logs being no better than the organiser's reruns.

    Below `SUSPICION_LEVEL` the reruns replace the claim.

    Args:
        gain: Claimed mean less the reruns' mean, positive where the claim is better.
        sd: Pooled deviation of seeds.
        degrees: Its degrees of freedom.
        claimed_seeds: Behind the claimed mean.
        reruns: Behind the reruns' mean.

    Source:
        The two-sample t test with equal variances that MLPerf holds against its reference convergence points.
    """
    se = sd * math.sqrt(1 / claimed_seeds + 1 / reruns)
    return difference(gain, se, degrees, "pooled").p_greater


def rerun_tolerance(sd: float, degrees: int, claimed_seeds: int, reruns: int = 1) -> float:
    """Return how far reruns' mean may lie from a claimed mean: a 99 % prediction interval's half.

    Args:
        sd: Pooled deviation.
        degrees: Its degrees of freedom.
        claimed_seeds: Behind the claimed mean.
        reruns: Behind the reruns' mean.
    """
    quantile = float(stdtrit(degrees, 0.5 + RERUN_CONFIDENCE / 2))
    return quantile * sd * math.sqrt(1 / reruns + 1 / claimed_seeds)
