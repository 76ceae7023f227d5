"""Does a table of scores bear out what each baseline's paper claims of it?

A claim is that a baseline comes above or below another one. Its p-value is the larger one of two t tests of the
difference, which have to agree: with the variance pooled over every baseline, and with the table's own noise, where a
noisier baseline keeps its variance. Holm's method then adjusts the p-values over all claims of the table, so that
the chance of any wrong verdict among them is at most `LEVEL`.
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

from assay.stats.multiplicity import holm
from assay.stats.noise import Difference, Noise, difference, pooled_sd
from assay.strategy.cards import Ranking

LEVEL = 0.05
"""Of any false verdict in a table: simulated 3 to 4 % with 3 to 20 claims, three seeds and equal noise.

Where deviations scatter by a factor of 1.6 (2.7) from baseline to baseline it is 8 (10) %.
"""

Word = Literal["reproduced", "not distinguishable", "refuted", "not tested", "no claim"]


@dataclass(frozen=True)
class Verdict:
    """What a table says of a baseline's claim.

    Attributes:
        claim: What is claimed; None where nothing is.
        gain: Mean of the baseline minus that of its comparator, in the metric's unit, with the 95 % interval of
            this one difference: pooled variance, or Welch's where one of the two is noisier than the rest. None
            where it was not tested.
        p_holm: Two-sided, of no difference, adjusted over the claims of the table.
        word: `reproduced` or `refuted` where p_holm is below `LEVEL`, by the side that the baseline is on.
        why: What kept the claim from being tested, or nothing.
    """

    claim: Ranking | None
    gain: Difference | None
    p_holm: float | None
    word: Word
    why: str = ""


def judge(
    noise: Noise, claims: Mapping[str, Ranking | None], *, lower_is_better: bool
) -> dict[str, Verdict]:
    """Judge every claim of a table.

    Args:
        noise: Of the metric that ranks, over all baselines.
        claims: Baseline to its claim; baselines without scores are left out of the answer.
        lower_is_better: The metric's direction.
    """
    tested: dict[str, tuple[Ranking, Difference]] = {}
    verdicts: dict[str, Verdict] = {}
    for name in noise.values:
        claim = claims.get(name)
        if claim is None:
            verdicts[name] = Verdict(None, None, None, "no claim")
        elif claim.comparator not in noise.values:
            why = f"{claim.comparator} has no score here"
            verdicts[name] = Verdict(claim, None, None, "not tested", why)
        elif (gain := noise.difference(name, claim.comparator)) is None:
            why = "one seed each: the noise is unknown"
            verdicts[name] = Verdict(claim, None, None, "not tested", why)
        else:
            tested[name] = claim, gain
    p_values = [max(g.p_two_sided, _pooled_p(noise, n, c)) for n, (c, g) in tested.items()]
    for (name, (claim, gain)), p in zip(tested.items(), holm(p_values), strict=True):
        word: Word = "not distinguishable"
        if p < LEVEL:
            above = (gain.delta < 0) == lower_is_better
            word = "reproduced" if above == (claim.side == "above") else "refuted"
        verdicts[name] = Verdict(claim, gain, p, word)
    return {name: verdicts[name] for name in noise.values}


def _pooled_p(noise: Noise, name: str, claim: Ranking) -> float:
    """Return the p-value under the variance pooled over all baselines, the noisy ones included."""
    first, second = noise.values[name], noise.values[claim.comparator]
    sd, degrees = pooled_sd(list(noise.values.values()))
    assert sd is not None, "some baseline has two seeds"
    se = sd * math.sqrt(1 / len(first) + 1 / len(second))
    delta = math.fsum(first) / len(first) - math.fsum(second) / len(second)
    return difference(delta, se, degrees, "pooled").p_two_sided
