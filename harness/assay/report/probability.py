"""The probability that one recipe beats another at the larger scale, and how far such numbers can be believed."""

from collections.abc import Sequence
from typing import Any

from assay.report.figure import SCHEMA, Figure, Spec, Table, number, tooltip, values
from assay.report.scatter import Step, figure_key
from assay.stats.calibration import ranked_keys

SIDE = 320


def probability_figures(steps: Sequence[Step]) -> list[Figure]:
    """Return the record of the predictions, and the predictions of each step; nothing where data are too few."""
    calibrated = [step for step in steps if step.calibration is not None]
    if not calibrated:
        return []
    return [_reliability_figure(calibrated), *map(_probability_figure, calibrated)]


def _reliability_figure(steps: Sequence[Step]) -> Figure:
    """Draw how often predictions for unseen recipes came true against how sure they were."""
    rows = [
        {
            "scales": step.label,
            "predicted": found.predicted,
            "observed": found.observed,
            "pairs": found.pairs,
            "brier": step.calibration.brier,
            "n": step.calibration.n,
        }
        for step in steps
        if step.calibration is not None
        for found in step.calibration.reliability
    ]
    cells = tuple(
        (
            row["scales"],
            number(row["predicted"], ".2f"),
            number(row["observed"], ".2f"),
            str(row["pairs"]),
            number(row["brier"], ".3f"),
            str(row["n"]),
        )
        for row in rows
    )
    scores = "; ".join(
        f"{step.label}: Brier score {number(step.calibration.brier, '.3f')}, n = {step.calibration.n}"
        for step in steps
        if step.calibration is not None
    )
    return Figure(
        key="reliability",
        title="Can P(i beats j) be believed?",
        caption=(
            "Pairs grouped by the predicted probability that the one that is better at the small scale wins at the "
            "larger one, against the share in which it did. On the dashed line predictions are right as often as they "
            "claim. Every pair was predicted by fits that had not seen one of its two. "
            f"{scores} (0 is perfect, 0.25 a coin's)."
        ),
        alt="Plot of observed against predicted probabilities; see the table.",
        spec=_reliability_spec(rows),
        table=Table(("scales", "predicted", "observed", "pairs", "Brier score", "n"), cells),
        data=tuple(rows),
    )


def _probability_figure(step: Step) -> Figure:
    """Tabulate every pair of a step, the best at the small scale first."""
    assert step.calibration is not None
    keys = ranked_keys(step.probabilities)
    found = {(pair.first, pair.second): pair.probability for pair in step.probabilities}
    cells = tuple(
        (f"{place}  {key}", *(number(found[key, other], ".2f") if (key, other) in found else "" for other in keys[1:]))
        for place, key in enumerate(keys, start=1)
    )  # fmt: skip
    numbers = (str(place) for place in range(2, len(keys) + 1))
    return Figure(
        key=figure_key("probability", step),
        title=f"P(i beats j) at {step.large}, from {step.small}",
        caption=(
            f"Probability that the row's beats the column's at {step.large}, from their difference at {step.small}; the "
            f"best there first, columns by the same numbers. Fitted on {step.calibration.n} that were run at both; Brier "
            f"score on unseen ones {number(step.calibration.brier, '.3f')}."
        ),
        alt="Table of probabilities, a row and a column an entry.",
        spec=None,
        table=Table((f"best at {step.small} first", *numbers), cells),
        data=tuple(vars(pair) for pair in step.probabilities),
    )


def _reliability_spec(rows: list[dict[str, Any]]) -> Spec:
    scales = list(dict.fromkeys(row["scales"] for row in rows))
    legend = {"orient": "bottom", "columns": 3} if len(scales) > 1 else None
    told: Spec = {"field": "scales", "type": "nominal", "title": None, "legend": legend}
    told["scale"] = {"domain": scales}
    x: Spec = {
        "field": "predicted",
        "type": "quantitative",
        "scale": {"domain": [0.48, 1.02], "nice": False},
        "axis": {"tickCount": 6, "format": ".1f"},
        "title": "predicted",
    }
    y: Spec = {
        "field": "observed",
        "type": "quantitative",
        "scale": {"domain": [0, 1.02], "nice": False},
        "axis": {"tickCount": 6, "format": ".1f"},
        "title": "observed share",
    }
    hints = tooltip(("scales", ""), ("predicted", ".2f"), ("observed", ".2f"), ("pairs", "d"))
    ideal = {"predicted": 0.5, "observed": 0.5, "to": 1.0}
    return {
        "$schema": SCHEMA,
        "width": SIDE,
        "height": SIDE,
        "data": values(rows),
        "encoding": {"x": x, "y": y},
        "layer": [
            {
                "data": values([ideal]),
                "mark": {"type": "rule", "style": "reference"},
                "encoding": {"x2": {"field": "to"}, "y2": {"field": "to"}},
            },
            {
                "mark": {"type": "point", "filled": True, "size": 70, "opacity": 1},
                "encoding": {"color": told, "shape": told, "tooltip": hints},
            },
        ],
    }
