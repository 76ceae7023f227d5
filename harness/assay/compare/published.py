"""Compare the recipes of a published results table at two scales."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from assay.compare.scale import SEED
from assay.errors import CompareError
from assay.stats.calibration import (
    Calibration,
    PairProbability,
    calibrate,
    insufficient,
    pair_probabilities,
)
from assay.stats.matching import choose_scales
from assay.stats.results_table import (
    CoreCheck,
    ResultsRow,
    check_core,
    default_metric,
    find_scale,
    lower_is_better,
    read_results,
)
from assay.stats.transfer import (
    FEWEST,
    RankTransfer,
    SelectivePoint,
    rank_transfer,
    selective_curve,
)


@dataclass(frozen=True)
class PublishedRecipe:
    """One recipe.

    Attributes:
        recipe: As the table names it.
        small: Its score at the small scale.
        large: Its score at the large scale.
    """

    recipe: str
    small: float
    large: float


@dataclass(frozen=True)
class PublishedComparison:
    """What `assay compare --results` computes.

    Attributes:
        small_scale: Label.
        large_scale: Label.
        small_lr: Learning rate of the compared runs; None where the table does not say.
        large_lr: The same at the large scale.
        predictor: Metric at the small scale.
        metric: Metric at the large scale.
        transfer: Rank statistics over recipes.
        curve: Accuracy against coverage when close pairs are left undecided.
        calibration: P(i beats j) fitted over pairs; None below `ENOUGH_RECIPES` recipes.
        probabilities: Of every two recipes; empty without a calibration.
        why: What is missing, or empty.
        recipes: Best at the large scale first.
        core: Whether the table's Core column follows from its task accuracies; None where it has none.
    """

    small_scale: str
    large_scale: str
    small_lr: float | None
    large_lr: float | None
    predictor: str
    metric: str
    transfer: RankTransfer
    curve: tuple[SelectivePoint, ...]
    calibration: Calibration | None
    probabilities: tuple[PairProbability, ...]
    why: str
    recipes: tuple[PublishedRecipe, ...]
    core: CoreCheck | None


def compare_results(
    path: Path,
    *,
    small: str | None = None,
    large: str | None = None,
    metric: str | None = None,
    predictor: str | None = None,
) -> PublishedComparison:
    """Compare two scales of a results table; which runs count is said in `assay.stats.matching`.

    Args:
        path: CSV.
        small: Predicting scale; None takes the smallest that shares recipes with a larger one.
        large: Predicted scale; None takes the one that shares most.
        metric: Column at the large scale; None takes CORE, or `score`.
        predictor: Column at the small scale; None takes `metric`. Losses count with the sign turned.

    Raises:
        CompareError: If the table has no such scale or metric, or too few recipes at both.
    """
    rows = read_results(path)
    target = _known_metric(rows, metric, path)
    source = _known_metric(rows, predictor, path) if predictor else target
    first = find_scale(rows, small) if small else None
    second = find_scale(rows, large) if large else None
    matched = choose_scales(rows, first, second, source, target, FEWEST)
    if matched is None:
        raise CompareError(
            f"{path} has fewer than {FEWEST} recipes with {source} at {small or 'a small scale'} "
            f"and {target} at {large or 'a larger one'}; "
            "name other scales with --small and --large, or another --metric"
        )
    x, y = (
        np.array([r.scores[source] for r in matched.small]),
        np.array([r.scores[target] for r in matched.large]),
    )
    up_x, up_y = (-x if lower_is_better(source) else x), (-y if lower_is_better(target) else y)
    if min(len(np.unique(x)), len(np.unique(y))) < 3:
        raise CompareError(
            f"{path}: fewer than three different scores at one of the scales; choose another --metric"
        )
    recipes = [
        PublishedRecipe(recipe, float(a), float(b))
        for recipe, a, b in zip(matched.recipes, x, y, strict=True)
    ]
    order = np.argsort(-up_y, kind="stable")
    unknown = np.zeros(len(up_x))  # the noise of one run each
    calibration = calibrate(up_x, up_y, unknown)
    return PublishedComparison(
        small_scale=matched.small_scale.label,
        large_scale=matched.large_scale.label,
        small_lr=matched.small_lr,
        large_lr=matched.large_lr,
        predictor=source,
        metric=target,
        transfer=rank_transfer(up_x, up_y, seed=SEED),
        curve=tuple(selective_curve(up_x, up_y)),
        calibration=calibration,
        probabilities=()
        if calibration is None
        else pair_probabilities(calibration, matched.recipes, up_x, unknown),
        why=insufficient(len(recipes), "recipes at both scales"),
        recipes=tuple(recipes[i] for i in order),
        core=check_core(rows),
    )


def _known_metric(rows: list[ResultsRow], wanted: str | None, path: Path) -> str:
    known = {metric for row in rows for metric in row.scores}
    found = wanted.lower() if wanted else default_metric(rows)
    if found is None or found not in known:
        shown = ", ".join(sorted(known)[:10])
        raise CompareError(
            f"{path} has no metric {wanted or 'that is called core, score or average'}; "
            f"name one with --metric, such as {shown}"
        )
    return found
