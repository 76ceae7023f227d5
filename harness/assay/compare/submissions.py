"""Compare submissions of the ledger, at one scale or several."""

from dataclasses import dataclass

from assay.compare.across import ScalePair, compare_pairs, power_law
from assay.compare.entries import ScaleScores, primary_metric
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


def compare_submissions(scores: list[ScaleScores], metric: str | None = None) -> Comparison:
    """Compare submissions.

    Args:
        scores: As `gather` returns them; differences are to the first submission.
        metric: A primary metric of the track; None takes the one that ranks.

    Raises:
        CompareError: If the track has no such metric.
    """
    chosen = primary_metric(scores[0], metric)
    compared = [compare_scale(each, chosen) for each in scores]
    return Comparison(
        track=scores[0].track,
        scales=tuple(compared),
        pairs=compare_pairs(scores, compared),
        power_law=power_law(scores, compared),
    )
