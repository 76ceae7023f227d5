"""What a figure is, before it is drawn."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote

from assay.compare.tables import csv_text

Row = Mapping[str, Any]
Spec = dict[str, Any]
"""Vega-Lite, without colours: those come with the theme."""

SCHEMA = "https://vega.github.io/schema/vega-lite/v6.json"
UNKNOWN = "–"


@dataclass(frozen=True)
class Table:
    """Cells as people read them.

    Attributes:
        columns: Headings; the first column names the row.
        rows: One cell a column.
    """

    columns: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]


@dataclass(frozen=True)
class Figure:
    """A figure, its table and its data.

    Attributes:
        key: Stem of its files, of lower-case letters, digits and hyphens.
        title: A few words.
        caption: How to read it, in sentences.
        alt: What it shows, for those who do not see it.
        spec: Vega-Lite; None where the table is all there is.
        table: Beside the figure.
        data: Rows with the same columns each, every number in full: what is drawn.
    """

    key: str
    title: str
    caption: str
    alt: str
    spec: Spec | None
    table: Table
    data: tuple[Row, ...]

    @property
    def csv(self) -> str:
        """Return the data as CSV."""
        return csv_text(self.data[0], self.data)

    @property
    def csv_address(self) -> str:
        """Return an address that holds the data: a link that downloads it without any server."""
        return "data:text/csv;charset=utf-8," + quote(self.csv)


def values(rows: Iterable[Row]) -> Spec:
    """Return rows as the data of a view."""
    return {"values": [dict(row) for row in rows]}


def spaced(positions: list[float], gap: float, low: float, high: float) -> list[float]:
    """Move labels apart as little as keeps them in order and within the plot.

    Args:
        positions: Where each label belongs, in [low, high].
        gap: Least distance of two labels; `len(positions) * gap` has to fit.
        low: Lower end of the plot.
        high: Upper end.
    """
    order = sorted(range(len(positions)), key=positions.__getitem__)
    placed = [positions[i] for i in order]
    for i in range(1, len(placed)):
        placed[i] = max(placed[i], placed[i - 1] + gap)
    ceiling = high
    for i in reversed(range(len(placed))):
        placed[i] = max(low, min(placed[i], ceiling))
        ceiling = placed[i] - gap
    found = [0.0] * len(positions)
    for place, i in zip(placed, order, strict=True):
        found[i] = place
    return found


def tooltip(*fields: tuple[str, str]) -> list[Spec]:
    """Return what a pointer over a mark shows: name of a field and its number format, or none."""
    return [
        {"field": name, "type": "quantitative", "format": form} if form else {"field": name}
        for name, form in fields
    ]


def panels(field: str, order: list[str], *, columns: int) -> Spec:
    """Return the part of a specification that draws a panel a value of `field`, in this order."""
    header = {"title": None, "labelAnchor": "start"}
    facet = {"field": field, "type": "nominal", "sort": order, "header": header}
    return {"facet": facet, "columns": columns}


def lines(field: str, order: list[str]) -> Spec:
    """Return a vertical axis with a line a value of `field`, in this order."""
    axis = {"grid": True}
    return {"field": field, "type": "nominal", "sort": order, "title": None, "axis": axis}


def number(value: float | None, spec: str = ".4f") -> str:
    """Return a number as a table shows it."""
    return UNKNOWN if value is None else format(value, spec).replace("-", "−")


def between(low: float | None, high: float | None, spec: str = ".4f") -> str:
    """Return an interval as a table shows it."""
    if low is None or high is None:
        return UNKNOWN
    return f"{number(low, spec)} to {number(high, spec)}"


def p_value(p: float | None) -> str:
    """Return a p-value as a table shows it."""
    return "<0.001" if p is not None and p < 0.001 else number(p, ".3f")
