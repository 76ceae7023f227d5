"""How the best score of a board moved: who claimed the first place, and whether the claim stands."""

from dataclasses import dataclass
from typing import Any

from assay.report.figure import SCHEMA, Figure, Spec, between, number, tooltip, values
from assay.report.figure import Table as FigureTable
from assay.stats.rules import RecordVerdict, record_verdict
from assay_board.pages.views.board import Board, Row


@dataclass(frozen=True)
class Claim:
    """A submission that was better than all before it.

    Attributes:
        row: As it stands today.
        verdict: Against the holder at that time; None for the first one, or where the noise is unknown.
        stands: Whether it took the first place: by a gain of one seed deviation and p below 0.01.
    """

    row: Row
    verdict: RecordVerdict | None
    stands: bool


def claims(board: Board) -> list[Claim]:
    """Return the submissions that were better than the record of their day, oldest first.

    Noise and scores are today's; a retracted submission never held a record.
    """
    lower = board.metrics[0].lower_is_better
    found: list[Claim] = []
    best: Row | None = None
    for row in sorted(board.ranked, key=lambda row: (row.entered, row.digest)):
        if best is None:
            best = row
            found.append(Claim(row, None, True))
            continue
        if row.means[0] != best.means[0] and (row.means[0] < best.means[0]) == lower:
            noise = board.scores[0].noise
            verdict = record_verdict(noise, row.digest, best.digest, lower_is_better=lower)
            stands = verdict is not None and verdict.accepted
            found.append(Claim(row, verdict, stands))
            best = row if stands else best
    return found


def progress_figure(board: Board, found: list[Claim]) -> Figure:
    """Draw the record over time, and the claims that did not stand."""
    rows = [
        {
            "time": claim.row.entered,
            "submission": claim.row.name,
            "score": claim.row.means[0],
            "low": claim.row.means[0] - (claim.row.half_widths[0] or 0.0),
            "high": claim.row.means[0] + (claim.row.half_widths[0] or 0.0),
            "record": claim.stands,
        }
        for claim in found
    ]
    cells = tuple(
        (
            row["submission"],
            row["time"][:10],
            number(row["score"]),
            between(row["low"], row["high"]),
        )
        for row in rows
    )
    return Figure(
        key="progress",
        title="The record over time",
        caption="Filled marks took the first place; hollow ones were better by less than the rule asks for. "
        "Bars are 95 % intervals of the mean over seeds.",
        alt=f"Step plot of the best {board.metrics[0].heading} over time; the table has every claim.",
        spec=_spec(board, rows),
        table=FigureTable(("submission", "date", "score", "95 % interval"), cells),
        data=tuple(rows),
    )


def _spec(board: Board, rows: list[dict[str, Any]]) -> Spec:
    metric = board.metrics[0]
    direction = "lower" if metric.lower_is_better else "higher"
    x: Spec = {"field": "time", "type": "temporal", "title": None, "scale": {"type": "utc"}}
    y: Spec = {
        "type": "quantitative",
        "scale": {"zero": False, "padding": 10},
        "title": f"{metric.heading} ({direction} is better)",
    }
    hints = tooltip(("submission", ""), ("score", ".4f"), ("low", ".4f"), ("high", ".4f"))
    shown = {"x": x, "y": y | {"field": "score"}, "tooltip": hints}
    records = {"transform": [{"filter": "datum.record"}], "encoding": shown}
    interval = {"x": x, "y": y | {"field": "low"}, "y2": {"field": "high"}}
    layers: list[Spec] = [
        records | {"mark": {"type": "line", "interpolate": "step-after"}},
        {"mark": {"type": "rule", "strokeWidth": 1.5}, "encoding": interval},
        records | {"mark": {"type": "point", "filled": True, "size": 80, "opacity": 1}},
    ]
    if not all(row["record"] for row in rows):
        hollow = {"type": "point", "size": 70, "strokeWidth": 2}
        others = [{"filter": "!datum.record"}]
        layers.append({"transform": others, "mark": hollow, "encoding": shown})
    data = values(rows)
    return {"$schema": SCHEMA, "width": 640, "height": 300, "data": data, "layer": layers}
