"""From a small scale to a large one: rank statistics, and accuracy when close pairs are left undecided."""

from collections.abc import Sequence
from typing import Any

from assay.report.figure import (
    SCHEMA,
    Figure,
    Spec,
    Table,
    between,
    number,
    panels,
    tooltip,
    values,
)
from assay.report.scatter import Step
from assay.stats.transfer import Interval


def statistics_figure(steps: Sequence[Step]) -> Figure:
    """Draw decision accuracy and rank correlations with their 95 % intervals."""
    rows = [row for step in steps for row in _statistics(step)]
    cells = tuple(
        (
            row["scales"],
            row["statistic"],
            number(row["value"], ".3f"),
            between(row["low"], row["high"], ".3f"),
            str(row["n"]),
            number(row["ceiling"], ".2f"),
        )
        for row in rows
    )
    ceilings = any(row["ceiling"] is not None for row in rows)
    note = (
        " A bar across marks what noise at the large scale leaves to a perfect predictor."
        if ceilings
        else ""
    )
    return Figure(
        key="rank-transfer",
        title="Does the order hold at the larger scale?",
        caption=(
            "Decision accuracy is the share of pairs that both scales order alike (dashed: 0.5, a coin). "
            "Spearman and Kendall correlations are 0 by chance. Intervals are 95 % over recipes: what other recipes "
            f"of the same kind might show.{note}"
        ),
        alt="Dot plot of decision accuracy, Spearman and Kendall with their intervals; see the table.",
        spec=_statistics_spec(rows),
        table=Table(("scales", "statistic", "value", "95 % interval", "n", "ceiling"), cells),
        data=tuple(rows),
    )


def selective_figure(steps: Sequence[Step]) -> Figure:
    """Draw accuracy against coverage."""
    rows = [
        {"scales": step.label, "gap": p.gap, "coverage": p.coverage, "accuracy": p.accuracy}
        for step in steps
        for p in step.curve
    ]
    cells = tuple(
        (
            row["scales"],
            number(row["gap"]),
            number(row["coverage"], ".0%"),
            number(row["accuracy"], ".3f"),
        )
        for row in rows
    )
    return Figure(
        key="selective",
        title="Accuracy when close pairs are left undecided",
        caption=(
            "Pairs that differ little at the small scale are left out, more and more from right to left: at 100 % "
            "every pair is decided. A curve that rises to the left says that large gaps can be trusted. Dashed: a "
            "coin."
        ),
        alt="Line plot of the share of pairs decided rightly against the share of pairs decided; see the table.",
        spec=_selective_spec(rows),
        table=Table(("scales", "gap of at least", "pairs decided", "decided rightly"), cells),
        data=tuple(rows),
    )


def _statistics(step: Step) -> list[dict[str, Any]]:
    t = step.transfer
    named: tuple[tuple[str, Interval, float | None], ...] = (
        ("decision accuracy", t.decision_accuracy, step.ceiling),
        ("Spearman", t.spearman, None),
        ("Kendall tau-b", t.kendall, None),
    )
    return [
        {
            "scales": step.label,
            "statistic": name,
            "value": interval.value,
            "low": interval.low,
            "high": interval.high,
            "n": interval.n,
            "ceiling": ceiling,
        }
        for name, interval, ceiling in named
    ]


def _statistics_spec(rows: list[dict[str, Any]]) -> Spec:
    lowest = min(0.0, *(row["low"] for row in rows))
    x: Spec = {
        "type": "quantitative",
        "scale": {"domain": [max(-1.0, lowest), 1.02], "nice": False},
        "title": None,
        "axis": {"tickCount": 6},
    }
    order = list(dict.fromkeys(row["statistic"] for row in rows))
    scales = list(dict.fromkeys(row["scales"] for row in rows))
    hints = tooltip(("scales", ""), ("value", ".3f"), ("low", ".3f"), ("high", ".3f"), ("n", "d"))
    chance = {"calculate": "datum.statistic == 'decision accuracy' ? 0.5 : 0", "as": "chance"}
    return {
        "$schema": SCHEMA,
        "data": values(rows),
        "transform": [chance],
        **panels("statistic", order, columns=1),
        "spec": {
            "width": 460,
            "height": {"step": 26},
            "encoding": {
                "y": {"field": "scales", "type": "nominal", "sort": scales, "title": None}
            },
            "layer": [
                {
                    "mark": {"type": "rule", "style": "reference"},
                    "encoding": {"x": x | {"field": "chance"}, "y": None},
                },
                {
                    "mark": {"type": "rule", "style": "interval"},
                    "encoding": {"x": x | {"field": "low"}, "x2": {"field": "high"}},
                },
                {
                    "transform": [{"filter": "datum.ceiling != null"}],
                    "mark": {"type": "tick", "style": "benchmark", "size": 18},
                    "encoding": {"x": x | {"field": "ceiling"}},
                },
                {
                    "mark": {"type": "point", "filled": True, "size": 80, "opacity": 1},
                    "encoding": {"x": x | {"field": "value"}, "tooltip": hints},
                },
            ],
        },
    }


def _selective_spec(rows: list[dict[str, Any]]) -> Spec:
    lowest = min(0.45, *(row["accuracy"] for row in rows))
    scales = list(dict.fromkeys(row["scales"] for row in rows))
    several = {"orient": "bottom", "columns": 3} if len(scales) > 1 else None
    told: Spec = {"field": "scales", "type": "nominal", "title": None, "legend": several}
    told["scale"] = {"domain": scales}
    y: Spec = {
        "type": "quantitative",
        "scale": {"domain": [lowest, 1.02], "nice": False, "zero": False},
        "title": "share of decided pairs that are right",
        "axis": {"tickCount": 6, "format": ".2f"},
    }
    x: Spec = {
        "field": "coverage",
        "type": "quantitative",
        "scale": {"domain": [0, 1.02], "nice": False},
        "axis": {"format": ".0%", "tickCount": 6},
        "title": "pairs decided",
    }
    hints = tooltip(("scales", ""), ("gap", ".4f"), ("coverage", ".0%"), ("accuracy", ".3f"))
    return {
        "$schema": SCHEMA,
        "width": 460,
        "height": 280,
        "data": values(rows),
        "layer": [
            {
                "mark": {"type": "rule", "style": "reference"},
                "encoding": {"y": y | {"datum": 0.5}},
            },
            {
                "mark": {"type": "line", "strokeWidth": 2},
                "encoding": {"x": x, "y": y | {"field": "accuracy"}, "color": told},
            },
            {
                "mark": {"type": "point", "filled": True, "size": 45, "opacity": 1},
                "encoding": {
                    "x": x,
                    "y": y | {"field": "accuracy"},
                    "color": told,
                    "shape": told,
                    "tooltip": hints,
                },
            },
        ],
    }
