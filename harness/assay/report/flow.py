"""Rank flow: how the order of submissions changes from one scale to the next."""

from typing import Any

from assay.report.figure import SCHEMA, UNKNOWN, Figure, Spec, Table, values
from assay.report.subject import Subject

STEP = 190
ROW = 34


def flow_figure(subject: Subject) -> Figure | None:
    """Draw the order at each scale, joined by a line a submission; None with fewer than two at every scale."""
    rows = _rows(subject)
    names = list(dict.fromkeys(row["submission"] for row in rows))
    if len(names) < 2:
        return None
    left_out = len(subject.shown) - len(names)
    note = (
        f" {left_out} without a record at every scale are left out of the order; rank intervals count them."
        if left_out
        else ""
    )
    return Figure(
        key="rank-flow",
        title="Rank flow",
        caption=(
            "Order by mean score, best on top. A filled mark has its rank for certain: its 95 % rank interval holds "
            f"no other. A hollow one may change places with a neighbour.{note}"
        ),
        alt=f"Lines of {len(names)} submissions between their ranks at {', '.join(subject.scales)}; see the table.",
        spec=_spec(subject, rows, len(names)),
        table=_table(subject, rows),
        data=tuple(rows),
    )


def _rows(subject: Subject) -> list[dict[str, Any]]:
    scales = subject.comparison.scales
    present = [{subject.name(entry) for entry in scale.entries} for scale in scales]
    everywhere = set.intersection(*present)
    rows = []
    for scale in scales:
        kept = [e for e in subject.best_first(scale) if subject.name(e) in everywhere]
        for place, entry in enumerate(kept, start=1):
            interval = entry.interval
            rows.append(
                {
                    "scale": scale.scale,
                    "submission": subject.name(entry),
                    "place": place,
                    "rank_low": interval.low if interval else None,
                    "rank_high": interval.high if interval else None,
                    "certain": interval is not None and interval.low == interval.high,
                    "mean": entry.mean,
                }
            )
    return rows


def _table(subject: Subject, rows: list[dict[str, Any]]) -> Table:
    places: dict[str, dict[str, str]] = {}
    for row in rows:
        interval = (
            UNKNOWN if row["rank_low"] is None else f"{row['rank_low']} to {row['rank_high']}"
        )
        places.setdefault(row["submission"], {})[row["scale"]] = f"{row['place']} ({interval})"
    cells = ((name, *(by[scale] for scale in subject.scales)) for name, by in places.items())
    headings = (f"{scale}: place (95 % rank interval)" for scale in subject.scales)
    return Table(("submission", *headings), tuple(cells))


def _spec(subject: Subject, rows: list[dict[str, Any]], count: int) -> Spec:
    scales = subject.scales
    x, y = _axes(scales, count)
    color = subject.encoding("color")
    hints = [{"field": name} for name in ("submission", "scale", "place", "rank_low", "rank_high")]
    mark: Spec = {"type": "point", "size": 190, "opacity": 1, "strokeWidth": 2}
    marked = {"color": color, "shape": subject.encoding("shape"), "tooltip": hints}
    layers: list[Spec] = [
        {
            "mark": {"type": "line", "strokeWidth": 2.5, "interpolate": "monotone"},
            "encoding": {"color": color},
        },
        {
            "mark": mark | {"style": "blank", "filled": True},
            "encoding": {"shape": subject.encoding("shape")},
        },
        {
            "transform": [{"filter": "datum.certain"}],
            "mark": mark | {"filled": True},
            "encoding": marked,
        },
        {
            "transform": [{"filter": "!datum.certain"}],
            "mark": mark | {"filled": False},
            "encoding": marked,
        },
    ]
    for scale, align, offset in ((scales[0], "right", -16), (scales[-1], "left", 16)):
        ends = [row | {"text": _numbered(row, align)} for row in rows if row["scale"] == scale]
        text = {"type": "text", "style": "label", "align": align, "dx": offset, "limit": 260}
        layers.append({"data": values(ends), "mark": text, "encoding": {"text": {"field": "text"}}})
    return {
        "$schema": SCHEMA,
        "width": STEP * len(scales),
        "height": ROW * count,
        "view": {"stroke": None},
        "data": values(rows),
        "encoding": {"x": x, "y": y},
        "layer": layers,
    }


def _axes(scales: list[str], count: int) -> tuple[Spec, Spec]:
    x: Spec = {
        "field": "scale",
        "type": "ordinal",
        "sort": scales,
        "scale": {"type": "point", "padding": 0.15},
        "axis": {
            "orient": "top",
            "title": None,
            "labelAngle": 0,
            "domain": False,
            "ticks": False,
            "labelPadding": 12,
            "labelFontWeight": "bold",
        },
    }
    y: Spec = {
        "field": "place",
        "type": "quantitative",
        "scale": {"domain": [count + 0.5, 0.5], "nice": False, "zero": False},
        "axis": None,
    }
    return x, y


def _numbered(row: dict[str, Any], align: str) -> str:
    name, place = row["submission"], row["place"]
    return f"{name} · {place}" if align == "right" else f"{place} · {name}"
