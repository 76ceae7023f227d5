"""Across scales: does the order at a small scale hold at a larger one?"""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import combinations

import numpy as np

from assay.compare.entries import ScaleScores
from assay.compare.scale import SEED, ScaleComparison
from assay.stats.calibration import (
    Calibration,
    PairProbability,
    calibrate,
    insufficient,
    pair_probabilities,
)
from assay.stats.laws import SharedPowerLaw, fit_shared_power_law
from assay.stats.noise import estimate_noise
from assay.stats.transfer import (
    FEWEST,
    RankTransfer,
    SelectivePoint,
    noise_ceiling,
    rank_transfer,
    selective_curve,
)


@dataclass(frozen=True)
class ScalePair:
    """Two scales.

    Attributes:
        small: Name of the predicting one.
        large: Name of the predicted one.
        n: Submissions with records at both.
        transfer: Rank statistics; None where there is too little, and `why` says what.
        ceiling: Decision accuracy that the noise at the large scale leaves to a perfect predictor; None where
            the noise is unknown or as large as the differences.
        curve: Accuracy against coverage when close pairs are left undecided.
        calibration: P(i beats j) fitted over pairs; None below `ENOUGH_RECIPES` submissions.
        probabilities: Of every two submissions at the small scale, by digest there, those without a record at
            the large one included; empty without a calibration.
        why: What is missing, or empty.
    """

    small: str
    large: str
    n: int
    transfer: RankTransfer | None
    ceiling: float | None
    curve: tuple[SelectivePoint, ...]
    calibration: Calibration | None
    probabilities: tuple[PairProbability, ...]
    why: str

    @property
    def relative_accuracy(self) -> float | None:
        """Decision accuracy over its ceiling."""
        if self.transfer is None or self.ceiling is None:
            return None
        return self.transfer.decision_accuracy.value / self.ceiling


def compare_pairs(
    scores: list[ScaleScores], compared: list[ScaleComparison]
) -> tuple[ScalePair, ...]:
    """Compare every scale with every larger one, in the order given."""
    each = list(zip(scores, compared, strict=True))
    return tuple(_pair(*small, *large) for small, large in combinations(each, 2))


def power_law(scores: list[ScaleScores], compared: list[ScaleComparison]) -> SharedPowerLaw | None:
    """Fit score against compute, one exponent for all submissions that are at every scale; an aid for plots.

    Returns:
        None below three scales of different compute, or where no submission is at all of them.
    """
    flops = growing_flops(scores)
    if flops is None:
        return None
    means = [_means(s, scale) for s, scale in zip(scores, compared, strict=True)]
    shared = [method for method in means[0] if all(method in other for other in means)]
    if not shared:
        return None
    table = np.array([[scale[method][1] for scale in means] for method in shared])
    return fit_shared_power_law(np.array(flops), table)


def growing_flops(scores: Sequence[ScaleScores]) -> list[float] | None:
    """Return the compute of a run at each scale; None where it is unknown or does not grow."""
    found = [
        next(iter(next(iter(each.groups.values())).values()))["training"].get("flops")
        for each in scores
    ]
    known = [float(flops) for flops in found if flops]
    grows = len(known) == len(found) and sorted(set(known)) == known
    return known if grows else None


def _pair(
    small_scores: ScaleScores,
    small: ScaleComparison,
    large_scores: ScaleScores,
    large: ScaleComparison,
) -> ScalePair:
    at_small, at_large = _means(small_scores, small), _means(large_scores, large)
    shared = [method for method in at_small if method in at_large]
    sign = -1.0 if small.metric.lower_is_better else 1.0
    x = sign * np.array([at_small[method][1] for method in shared])
    y = sign * np.array([at_large[method][1] for method in shared])
    why = ""
    if len(shared) < FEWEST:
        why = f"too few: {len(shared)} submissions at both scales, {FEWEST} are needed"
    elif min(len(np.unique(x)), len(np.unique(y))) < 3:
        why = "fewer than three different scores at one of the scales"
    if why:
        return ScalePair(small.scale, large.scale, len(shared), None, None, (), None, (), why)
    noise_y = _variances(
        large_scores, small.metric.name, [at_large[method][0] for method in shared]
    )
    calibration, probabilities = _probabilities(small_scores, small, shared, y)
    return ScalePair(
        small=small.scale,
        large=large.scale,
        n=len(shared),
        transfer=rank_transfer(x, y, seed=SEED),
        ceiling=None if noise_y is None else noise_ceiling(y, noise_y),
        curve=tuple(selective_curve(x, y)),
        calibration=calibration,
        probabilities=probabilities,
        why=insufficient(len(shared), "submissions at both scales"),
    )


def _probabilities(
    scores: ScaleScores, small: ScaleComparison, shared: list[int], large: np.ndarray
) -> tuple[Calibration | None, tuple[PairProbability, ...]]:
    """Fit P(i beats j) on the methods at both scales, and give it for every two at the small one.

    Args:
        scores: At the small scale.
        small: The same, compared.
        shared: Methods at both scales.
        large: Their means at the large scale, higher is better.
    """
    means = _means(scores, small)
    digests = [digest for digest, _ in means.values()]
    sign = -1.0 if small.metric.lower_is_better else 1.0
    x = sign * np.array([value for _, value in means.values()])
    known = _variances(scores, small.metric.name, digests)
    variances = np.zeros(len(x)) if known is None else known
    at = [list(means).index(method) for method in shared]
    calibration = calibrate(x[at], large, variances[at])
    if calibration is None:
        return None, ()
    return calibration, pair_probabilities(calibration, digests, x, variances)


def _means(scores: ScaleScores, compared: ScaleComparison) -> dict[int, tuple[str, float]]:
    """Return, by method, the digest of its list at this scale and its mean."""
    return {
        scores.methods[entry.submission]: (entry.submission, entry.mean)
        for entry in compared.entries
    }


def _variances(scores: ScaleScores, metric: str, digests: list[str]) -> np.ndarray | None:
    """Return the variance of each submission's mean, or None where the noise is unknown."""
    noise = estimate_noise(scores.values(metric))
    known = [noise.variance(digest) for digest in digests]
    if any(variance is None for variance in known):
        return None
    pairs = zip(digests, known, strict=True)
    return np.array([v[0] / len(noise.values[d]) for d, v in pairs if v is not None])
