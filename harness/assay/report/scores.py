"""Scores: at each scale with their intervals, and against compute."""

from typing import Any

from assay.compare.across import growing_flops
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
    spaced,
    tooltip,
    values,
)
from assay.report.subject import Subject

WIDTH, HEIGHT = 620, 380
LABEL_HEIGHT = 16
"""Pixels between two labels at the end of curves."""
FIT_POINTS = 40


def scores_figure(subject: Subject) -> Figure:
    """Draw every score with its 95 % interval, a panel a scale."""
    rows, cells = [], []
    for scale in subject.comparison.scales:
        for entry in subject.best_first(scale):
            rows.append(_score(subject, scale, entry))
            cells.append(_cells(subject, scale, entry))
    order = [subject.name(e) for e in subject.best_first(subject.comparison.scales[-1])]
    order += [name for name in subject.shown if name not in order]
    first = subject.shown[0]
    return Figure(
        key="scores",
        title="Scores",
        caption=(
            "Mean over seeds with its 95 % interval, from the seed noise that is pooled over every submission of "
            "the scale. Each panel has its own range. A rank counts who is significantly better, so ties share "
            f"one. Differences are to {first}; p is adjusted by Holm's method over all of them."
        ),
        alt=f"Dot plot of {subject.metric}: {len(order)} submissions, a panel for each scale; the table has all.",
        spec=_scores_spec(subject, rows, order),
        table=Table(
            ("submission", "scale", "score", "seeds", "rank", "rank interval", "P(best)",
             f"difference to {first}", "95 % interval", "p (Holm)", "detectable"),
            tuple(cells),
        ),
        data=tuple(rows),
    )  # fmt: skip


def scaling_figure(subject: Subject) -> Figure:
    """Draw score against compute, a line a submission, its interval as a ribbon."""
    flops = growing_flops(subject.scores)
    rows = []
    for index, scale in enumerate(subject.comparison.scales):
        for entry in scale.entries:
            row = _score(subject, scale, entry)
            rows.append(row | {"flops": flops[index] if flops else None})
    fits = _fits(subject, flops) if flops else []
    fit = "" if not fits else " Dotted: a power law with one exponent for all, to guide the eye."
    x = "FLOPs of one run" if flops else "scale"
    names = {row["submission"] for row in rows}
    return Figure(
        key="scaling",
        title="Scaling curves",
        caption=(
            f"Score against {x}; ribbons are 95 % intervals of the mean over seeds.{fit} Where curves lie on top "
            "of each other, the panels above show the differences at each scale."
        ),
        alt=f"Line plot of {subject.metric} against {x} for {len(names)} submissions at {', '.join(subject.scales)}.",
        spec=_scaling_spec(subject, rows, fits),
        table=_wide_table(subject),
        data=tuple(rows),
    )


def _score(subject: Subject, scale: ScaleComparison, entry: Compared) -> dict[str, Any]:
    half = entry.half_width
    return {
        "scale": scale.scale,
        "submission": subject.name(entry),
        "digest": entry.submission,
        "metric": scale.metric.name,
        "seeds": entry.seeds,
        "mean": entry.mean,
        "low": None if half is None else entry.mean - half,
        "high": None if half is None else entry.mean + half,
        "sd": entry.sd,
        "rank": entry.rank,
    }


def _cells(subject: Subject, scale: ScaleComparison, entry: Compared) -> tuple[str, ...]:
    interval, versus = entry.interval, entry.versus_first
    width = "" if entry.half_width is None else f" ± {entry.half_width:.4f}"
    cells = (
        subject.name(entry),
        scale.scale,
        f"{number(entry.mean)}{width}",
        str(entry.seeds),
        UNKNOWN if entry.rank is None else str(entry.rank),
        UNKNOWN if interval is None else f"{interval.low} to {interval.high}",
        UNKNOWN if interval is None else number(interval.p_best, ".2f"),
    )
    if versus is None or versus.on_this_suite is None:
        return (*cells, *["" if versus is None else UNKNOWN] * 4)
    d = versus.on_this_suite
    return (
        *cells,
        number(d.delta, "+.4f"),
        between(d.low, d.high, "+.4f"),
        p_value(versus.p_holm),
        number(versus.detectable),
    )


def _wide_table(subject: Subject) -> Table:
    means: dict[str, dict[str, str]] = {name: {} for name in subject.shown}
    for scale in subject.comparison.scales:
        for entry in scale.entries:
            width = "" if entry.half_width is None else f" ± {entry.half_width:.4f}"
            means[subject.name(entry)][scale.scale] = f"{number(entry.mean)}{width}"
    scales = subject.scales
    rows = ((name, *(row.get(s, UNKNOWN) for s in scales)) for name, row in means.items())
    return Table(("submission", *scales), tuple(rows))


def _scores_spec(subject: Subject, rows: list[dict[str, Any]], order: list[str]) -> Spec:
    x: Spec = {"type": "quantitative", "title": subject.metric}
    x["scale"] = {"zero": False, "padding": 10}
    axis = {"labelOverlap": True, "tickCount": 5}
    color = subject.encoding("color")
    hints = tooltip(
        ("submission", ""), ("mean", ".4f"), ("low", ".4f"), ("high", ".4f"), ("seeds", "d")
    )
    return {
        "$schema": SCHEMA,
        "data": values(rows),
        **panels("scale", subject.scales, columns=3),
        "spec": {
            "width": 300 if len(subject.scales) < 3 else 230,
            "height": {"step": 24},
            "encoding": {"y": lines("submission", order)},
            "layer": [
                {
                    "transform": [{"filter": "datum.low != null"}],
                    "mark": {"type": "rule", "strokeWidth": 2},
                    "encoding": {
                        "x": x | {"field": "low"},
                        "x2": {"field": "high"},
                        "color": color,
                    },
                },
                {
                    "mark": {"type": "point", "filled": True, "size": 80, "opacity": 1},
                    "encoding": {
                        "x": x | {"field": "mean", "axis": axis},
                        "color": color,
                        "shape": subject.encoding("shape"),
                        "tooltip": hints,
                    },
                },
            ],
        },
        "resolve": {"scale": {"x": "independent"}},
    }


def _scaling_spec(subject: Subject, rows: list[dict[str, Any]], fits: list[dict[str, Any]]) -> Spec:
    known = [row[end] for row in rows for end in ("low", "high", "mean") if row[end] is not None]
    known += [row["fit"] for row in fits]
    margin = 0.05 * (max(known) - min(known)) or 1.0
    low, high = min(known) - margin, max(known) + margin
    height = max(HEIGHT, (len(subject.shown) + 1) * LABEL_HEIGHT)
    with_flops = rows[0]["flops"] is not None
    x: Spec = {"field": "scale", "type": "ordinal", "sort": subject.scales, "title": None}
    if with_flops:
        form = "replace(format(datum.value, '.2~e'), 'e+', 'e')"
        at = sorted({row["flops"] for row in rows})
        axis = {"labelExpr": form, "labelOverlap": True, "values": at}
        log = {"type": "log", "nice": False, "padding": 12}
        x = {"field": "flops", "type": "quantitative", "scale": log, "axis": axis}
        x["title"] = "FLOPs of one run"
    domain = {"domain": [low, high], "nice": False, "zero": False}
    y: Spec = {"type": "quantitative", "scale": domain, "title": subject.metric}
    color = subject.encoding("color")
    hints = tooltip(
        ("submission", ""), ("scale", ""), ("mean", ".4f"), ("low", ".4f"), ("high", ".4f")
    )
    layers: list[Spec] = [
        {
            "mark": {"type": "area", "opacity": 0.18},
            "transform": [{"filter": "datum.low != null"}],
            "encoding": {"y": y | {"field": "low"}, "y2": {"field": "high"}, "color": color},
        },
        {
            "mark": {"type": "line", "strokeWidth": 2},
            "encoding": {"y": y | {"field": "mean"}, "color": color},
        },
        {
            "mark": {"type": "point", "filled": True, "size": 75, "opacity": 1},
            "encoding": {
                "y": y | {"field": "mean"},
                "color": color,
                "shape": subject.encoding("shape"),
                "tooltip": hints,
            },
        },
        *_label_layers(_end_labels(rows, low, high, height), y),
    ]
    if fits:
        dotted = {"type": "line", "strokeWidth": 1.2, "strokeDash": [1, 3]}
        curve = {"y": y | {"field": "fit"}, "color": color}
        layers.insert(1, {"data": values(fits), "mark": dotted, "encoding": curve})
    if with_flops:
        layers.append(_scale_names(rows))
    return {
        "$schema": SCHEMA,
        "width": WIDTH,
        "height": height,
        "data": values(rows),
        "encoding": {"x": x},
        "layer": layers,
    }


def _scale_names(rows: list[dict[str, Any]]) -> Spec:
    """Write each scale's name above the plot, at its compute."""
    at = {row["scale"]: row["flops"] for row in rows}
    return {
        "data": values({"scale": scale, "flops": flops} for scale, flops in at.items()),
        "mark": {"type": "text", "style": "hint", "baseline": "bottom"},
        "encoding": {"y": {"value": -6}, "text": {"field": "scale"}},
    }


def _label_layers(labels: list[dict[str, Any]], y: Spec) -> list[Spec]:
    """Write names beside the plot, with a leader from each curve's end."""
    leader = {"y": y | {"field": "mean"}, "y2": {"field": "label"}, "x2": {"value": WIDTH + 14}}
    beside = {"x": {"value": WIDTH + 18}, "y": y | {"field": "label"}}
    text = {"type": "text", "style": "label", "limit": 260}
    return [
        {"data": values(labels), "mark": {"type": "rule", "style": "leader"}, "encoding": leader},
        {
            "data": values(labels),
            "mark": text,
            "encoding": beside | {"text": {"field": "submission"}},
        },
    ]


def _end_labels(
    rows: list[dict[str, Any]], low: float, high: float, height: int
) -> list[dict[str, Any]]:
    """Return each submission's last point, and where its name goes."""
    last = list({row["submission"]: row for row in rows}.values())
    gap = LABEL_HEIGHT / height * (high - low)
    placed = spaced([row["mean"] for row in last], gap, low, high)
    return [row | {"label": label} for row, label in zip(last, placed, strict=True)]


def _fits(subject: Subject, flops: list[float]) -> list[dict[str, Any]]:
    """Return the shared power law between the scales, of submissions that are at all of them."""
    law = subject.comparison.power_law
    if law is None:
        return []
    scales = subject.comparison.scales
    everywhere = [
        entry
        for entry in scales[0].entries
        if all(subject.name(entry) in map(subject.name, other.entries) for other in scales)
    ]
    ratio = flops[-1] / flops[0]
    return [
        {"submission": subject.name(entry), "flops": compute, "fit": law.predict(index, compute)}
        for index, entry in enumerate(everywhere)
        for compute in (flops[0] * ratio ** (i / FIT_POINTS) for i in range(FIT_POINTS + 1))
    ]
