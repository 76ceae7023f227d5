"""Which runs of a results table are compared: one a recipe and scale, by a rule blind to scores.

1. Only published runs that have the metric. What DCLM's database holds besides them are ablations (other
optimisers, resumed or averaged checkpoints); with a missing task there is no CORE, never a smaller one.
2. Where learning rates are known, each scale keeps those at the rate that most recipes were run at, so
that recipes and not rates are compared; runs without a known rate are then dropped.
3. Of several runs that remain of one recipe, the newest counts, as on the board; on equal dates the last
line.
"""

from collections import defaultdict
from dataclasses import dataclass

from assay.stats.results_table import ResultsRow, ResultsScale


@dataclass(frozen=True)
class MatchedRuns:
    """Runs of the same recipes at two scales.

    Attributes:
        small_scale: The predicting one.
        large_scale: The predicted one.
        small_lr: Learning rate of its runs; None where the table does not say.
        large_lr: The same at the large scale.
        recipes: Names, sorted.
        small: The run of each recipe at the small scale.
        large: The run at the large scale.
    """

    small_scale: ResultsScale
    large_scale: ResultsScale
    small_lr: float | None
    large_lr: float | None
    recipes: tuple[str, ...]
    small: tuple[ResultsRow, ...]
    large: tuple[ResultsRow, ...]


def match_runs(
    rows: list[ResultsRow],
    small: ResultsScale,
    large: ResultsScale,
    predictor: str,
    metric: str,
) -> MatchedRuns:
    """Apply the rule above.

    Args:
        rows: Of a table.
        small: The predicting scale.
        large: The predicted scale.
        predictor: Metric that the runs need at the small scale.
        metric: Metric that the runs need at the large scale.
    """
    published = [row for row in rows if row.published]
    at_small = [row for row in published if row.scale == small and predictor in row.scores]
    at_large = [row for row in published if row.scale == large and metric in row.scores]
    shared = {row.recipe for row in at_small} & {row.recipe for row in at_large}
    small_lr, first = _one_rate([row for row in at_small if row.recipe in shared])
    large_lr, second = _one_rate([row for row in at_large if row.recipe in shared])
    newest_small, newest_large = _newest(first), _newest(second)
    recipes = tuple(sorted(newest_small.keys() & newest_large.keys()))
    return MatchedRuns(
        small,
        large,
        small_lr,
        large_lr,
        recipes,
        tuple(newest_small[recipe] for recipe in recipes),
        tuple(newest_large[recipe] for recipe in recipes),
    )


def choose_scales(
    rows: list[ResultsRow],
    small: ResultsScale | None,
    large: ResultsScale | None,
    predictor: str,
    metric: str,
    fewest: int,
) -> MatchedRuns | None:
    """Fill in the scales that were not named: the smallest, and the one that shares most recipes with it.

    Args:
        rows: Of a table.
        small: As named, or None for the smallest that shares `fewest` recipes with a larger one.
        large: As named, or None for the scale above `small` that shares most recipes, of equals the largest.
        predictor: Metric at the small scale.
        metric: Metric at the large scale.
        fewest: Recipes that have to be shared.

    Returns:
        The matched runs, or None where no pair of scales shares that many.
    """
    scales = sorted({row.scale for row in rows}, key=lambda scale: scale.order)
    for first in [small] if small else scales:
        above = [scale for scale in scales if scale.order > first.order]
        matched = [
            match_runs(rows, first, second, predictor, metric)
            for second in ([large] if large else above)
        ]
        best = max(matched, key=lambda m: (len(m.recipes), m.large_scale.order), default=None)
        if best is not None and len(best.recipes) >= fewest:
            return best
    return None


def _one_rate(rows: list[ResultsRow]) -> tuple[float | None, list[ResultsRow]]:
    recipes: dict[float, set[str]] = defaultdict(set)
    for row in rows:
        if row.lr is not None:
            recipes[row.lr].add(row.recipe)
    if not recipes:
        return None, rows
    rate = max(recipes, key=lambda lr: (len(recipes[lr]), -lr))
    return rate, [row for row in rows if row.lr == rate]


def _newest(rows: list[ResultsRow]) -> dict[str, ResultsRow]:
    return {row.recipe: row for row in sorted(rows, key=lambda row: (row.date, row.line))}
