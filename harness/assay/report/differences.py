"""Forest plots: each submission against the first, task by task."""

from typing import Any

from assay.compare.scale import Compared, ScaleComparison
from assay.report.figure import (
    SCHEMA,
    UNKNOWN,
    Figure,
    Spec,
    Table,
    between,
    lines,
    number,
    p_value,
    panels,
    tooltip,
    values,
)
from assay.report.subject import Subject

ALL_TASKS = "all tasks"
LEVEL = 0.05
VERDICTS = ("better", "worse", "not told apart")
SHAPES = ("triangle-up", "triangle-down", "circle")


def difference_figures(subject: Subject) -> list[Figure]:
    """Draw one forest plot a scale; none where the noise is unknown."""
    found = (_figure(subject, scale) for scale in subject.comparison.scales)
    return [figure for figure in found if figure is not None]


def _figure(subject: Subject, scale: ScaleComparison) -> Figure | None:
    rows = [row for entry in scale.entries for row in _rows(subject, scale, entry)]
    if all(row["difference"] is None for row in rows):
        return None
    first = subject.name(scale.entries[0])
    others = [subject.name(entry) for entry in scale.entries[1:]]
    return Figure(
        key=f"differences-{scale.scale}",
        title=f"Differences to {first} at {scale.scale}",
        caption=(
            f"Score minus that of {first}, with its 95 % interval from seed noise, on this suite. Triangles that "
            "point up are better and those that point down worse, at 5 % with p adjusted by Holm's method (over "
            f"the tasks; for “{ALL_TASKS}” over the submissions); circles are not told apart."
        ),
        alt=f"Forest plot of differences to {first}, task by task, for {len(others)} submissions; see the table.",
        spec=_spec(scale, rows, others, first),
        table=_table(rows, first),
        data=tuple(rows),
    )


def _rows(subject: Subject, scale: ScaleComparison, entry: Compared) -> list[dict[str, Any]]:
    versus = entry.versus_first
    if versus is None:
        return []
    lines = [(ALL_TASKS, versus.on_this_suite, versus.p_holm, None)]
    lines += [(task.task, task.difference, task.p_holm, task.p_bh) for task in versus.tasks]
    rows = []
    for task, difference, p_holm, p_bh in lines:
        delta = difference.delta if difference else None
        verdict = VERDICTS[2]
        if delta is not None and p_holm is not None and p_holm < LEVEL:
            verdict = VERDICTS[0 if (delta < 0) == scale.metric.lower_is_better else 1]
        rows.append(
            {
                "scale": scale.scale,
                "submission": subject.name(entry),
                "task": task,
                "difference": delta,
                "low": difference.low if difference else None,
                "high": difference.high if difference else None,
                "p": difference.p_two_sided if difference else None,
                "p_holm": p_holm,
                "p_bh": p_bh,
                "verdict": verdict,
            }
        )
    return rows


def _table(rows: list[dict[str, Any]], first: str) -> Table:
    columns = (
        "submission", "task", f"difference to {first}", "95 % interval", "p (Holm)", "p (BH)", "verdict",
    )  # fmt: skip
    cells = tuple(
        (
            row["submission"],
            row["task"],
            number(row["difference"], "+.4f"),
            between(row["low"], row["high"], "+.4f"),
            p_value(row["p_holm"]),
            UNKNOWN if row["p_bh"] is None else p_value(row["p_bh"]),
            row["verdict"],
        )
        for row in rows
    )
    return Table(columns, cells)


def _spec(
    scale: ScaleComparison, rows: list[dict[str, Any]], others: list[str], first: str
) -> Spec:
    tasks = list(dict.fromkeys(row["task"] for row in rows))
    return {
        "$schema": SCHEMA,
        "data": values(row for row in rows if row["difference"] is not None),
        **panels("submission", others, columns=3),
        "spec": {
            "width": 230,
            "height": {"step": 19},
            "encoding": {"y": lines("task", tasks)},
            "layer": _layers(scale, first),
        },
    }


def _layers(scale: ScaleComparison, first: str) -> list[Spec]:
    """Draw the line of no difference, intervals and verdicts."""
    x: Spec = {
        "type": "quantitative",
        "scale": {"zero": True, "padding": 8},
        "title": f"{scale.metric.heading}: difference to {first}",
        "axis": {"tickCount": 5, "labelOverlap": True},
    }
    verdict: Spec = {"field": "verdict", "type": "nominal", "title": None}
    legend = {"orient": "bottom", "symbolSize": 90}
    color = verdict | {
        "scale": {"domain": list(VERDICTS), "range": "verdict"},
        "legend": legend,
    }
    shape = verdict | {
        "scale": {"domain": list(VERDICTS), "range": list(SHAPES)},
        "legend": legend,
    }
    hints = tooltip(
        ("submission", ""),
        ("task", ""),
        ("difference", "+.4f"),
        ("low", "+.4f"),
        ("high", "+.4f"),
        ("p_holm", ".3g"),
    )
    return [
        {
            "mark": {"type": "rule", "style": "reference"},
            "encoding": {"x": {"datum": 0}, "y": None},
        },
        {
            "mark": {"type": "rule", "strokeWidth": 1.8},
            "encoding": {
                "x": x | {"field": "low"},
                "x2": {"field": "high"},
                "color": color,
            },
        },
        {
            "mark": {"type": "point", "filled": True, "size": 55, "opacity": 1},
            "encoding": {
                "x": x | {"field": "difference"},
                "color": color,
                "shape": shape,
                "tooltip": hints,
            },
        },
    ]
