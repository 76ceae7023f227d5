"""Compare submissions of the ledger, at one scale or several."""

from collections.abc import Sequence
from dataclasses import dataclass

from assay.compare.across import ScalePair, compare_pairs, power_law
from assay.compare.entries import gather, primary_metric
from assay.compare.scale import ScaleComparison, compare_scale
from assay.stats.laws import SharedPowerLaw


@dataclass(frozen=True)
class Comparison:
    """What `assay compare A B` computes.

    Attributes:
        track: Name.
        scales: One comparison a scale, in the order asked for.
        pairs: Every scale with every later one.
        power_law: Of the submissions at every scale, in the first scale's order; None below three scales.
    """

    track: str
    scales: tuple[ScaleComparison, ...]
    pairs: tuple[ScalePair, ...]
    power_law: SharedPowerLaw | None


def compare_submissions(
    track: str, scales: Sequence[str], wanted: Sequence[str], metric: str | None = None
) -> Comparison:
    """Compare submissions.

    Args:
        track: Name.
        scales: Names, smallest first.
        wanted: Names, digests or their beginnings, or files; none takes every submission. Differences are to
            the first.
        metric: A primary metric of the track; None takes the one that ranks.

    Raises:
        CompareError: If the ledger does not hold what is asked for.
    """
    scores = gather(track, scales, wanted)
    chosen = primary_metric(scores[0], metric)
    compared = [compare_scale(each, chosen) for each in scores]
    return Comparison(
        track, tuple(compared), compare_pairs(scores, compared), power_law(scores, compared)
    )
