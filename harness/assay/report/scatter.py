"""Scores of the same submissions or recipes at two scales, one against the other."""

from dataclasses import dataclass
from typing import Any

from assay.report.figure import SCHEMA, Figure, Spec, Table, number, spaced, tooltip, values
from assay.stats.calibration import Calibration, PairProbability
from assay.stats.transfer import RankTransfer, SelectivePoint

SIDE = 360
LABEL_HEIGHT = 16
LONGEST_NAME = 52


@dataclass(frozen=True)
class Point:
    """One submission or recipe.

    Attributes:
        name: What it is called.
        small: Score at the small scale.
        large: Score at the large scale.
    """

    name: str
    small: float
    large: float


@dataclass(frozen=True)
class Step:
    """Two scales whose orders are compared.

    Attributes:
        small: Name of the predicting scale.
        large: Name of the predicted one.
        small_axis: What is measured at the small scale.
        large_axis: What is measured at the large scale.
        points: Best at the large scale first.
        transfer: Rank statistics.
        curve: Accuracy against coverage.
        ceiling: Decision accuracy of a perfect predictor; None where unknown.
        calibration: P(i beats j) with its record; None where data are too few.
        probabilities: Of every pair, by names.
    """

    small: str
    large: str
    small_axis: str
    large_axis: str
    points: tuple[Point, ...]
    transfer: RankTransfer
    curve: tuple[SelectivePoint, ...]
    ceiling: float | None = None
    calibration: Calibration | None = None
    probabilities: tuple[PairProbability, ...] = ()

    @property
    def label(self) -> str:
        """Return both scales."""
        return f"{self.small} → {self.large}"


def scatter_figure(step: Step) -> Figure:
    """Draw the scores at the large scale against those at the small one."""
    rows = [
        {"place": place, "name": p.name, "small": p.small, "large": p.large}
        for place, p in enumerate(step.points, start=1)
    ]
    cells = tuple(
        (str(row["place"]), row["name"], number(row["small"]), number(row["large"])) for row in rows
    )
    rho = step.transfer.spearman
    return Figure(
        key=figure_key("scatter", step),
        title=f"{step.small} against {step.large}",
        caption=(
            f"One point each; the number is the place at {step.large}, best first. A perfect predictor would put "
            "the numbers in order along the horizontal axis."
        ),
        alt=(
            f"Scatter plot of {step.large_axis} against {step.small_axis} for {len(rows)} entries; Spearman "
            f"correlation {number(rho.value, '.2f')}."
        ),
        spec=_scatter_spec(step, rows),
        table=Table(("place", "name", step.small_axis, step.large_axis), cells),
        data=tuple(rows),
    )


def _elided(name: str) -> str:
    """Shorten a long name in the middle: names of recipes often begin alike."""
    if len(name) <= LONGEST_NAME:
        return name
    kept = (LONGEST_NAME - 1) // 2
    return f"{name[:kept]}…{name[-kept:]}"


def figure_key(kind: str, step: Step) -> str:
    """Return the key of a kind of figure that every step has one of."""
    words = f"{kind}-{step.small}-{step.large}".lower()
    return "".join(c if c.isascii() and c.isalnum() else "-" for c in words)


def _scatter_spec(step: Step, rows: list[dict[str, Any]]) -> Spec:
    x: Spec = {
        "field": "small",
        "type": "quantitative",
        "scale": {"zero": False, "padding": 14},
        "title": step.small_axis,
        "axis": {"tickCount": 6},
    }
    y = x | {"field": "large", "title": step.large_axis}
    hints = tooltip(("name", ""), ("small", ".4f"), ("large", ".4f"))
    high = max(SIDE, len(rows) * LABEL_HEIGHT)
    plot: Spec = {
        "width": SIDE,
        "height": SIDE,
        "encoding": {"x": x, "y": y},
        "layer": [
            {
                "mark": {"type": "point", "filled": True, "size": 60, "opacity": 1},
                "encoding": {"tooltip": hints},
            },
            {
                "mark": {"type": "text", "style": "label", "dx": 8, "dy": -7},
                "encoding": {"text": {"field": "place"}},
            },
        ],
    }
    lines = spaced([0.0] * len(rows), LABEL_HEIGHT, 0.0, float(high))
    named = [row | {"line": line, "text": f"{row['place']}  {_elided(row['name'])}"}
             for row, line in zip(rows, lines, strict=True)]  # fmt: skip
    key: Spec = {
        "width": 10,
        "height": high,
        "view": {"stroke": None},
        "data": values(named),
        "mark": {"type": "text", "style": "label", "limit": 420},
        "encoding": {
            "x": {"value": 0},
            "y": {
                "field": "line",
                "type": "quantitative",
                "scale": {"domain": [high, 0], "nice": False},
                "axis": None,
            },
            "text": {"field": "text"},
        },
    }
    return {"$schema": SCHEMA, "data": values(rows), "hconcat": [plot, key], "spacing": 24}
