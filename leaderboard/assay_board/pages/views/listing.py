"""The rows of a board that a reader asks for: sorted, filtered, a page at a time."""

import math
from dataclasses import dataclass
from typing import Any

from assay_board.pages.views.board import STATES, Board, Row

PAGE_ROWS = 100

SORTS = {
    "rank": lambda row: row.low if row.low is not None else math.inf,
    "name": lambda row: row.name.casefold(),
    "score": lambda row: row.means[0],
    "second": lambda row: row.means[1],
    "best": lambda row: -(row.p_best or 0.0),
    "seeds": lambda row: row.seeds,
    "level": lambda row: row.level,
    "size": lambda row: row.unique,
    "repeats": lambda row: row.repeats,
    "cost": lambda row: math.inf if row.curation_seconds is None else row.curation_seconds,
}
"""By the name of a column; `rank` keeps the board's own order."""


@dataclass(frozen=True)
class Query:
    """What a reader asks of a board: part of the page's address.

    Attributes:
        sort: One of `SORTS`.
        down: Whether the largest come first.
        text: Part of a name or the beginning of a digest.
        level: Only this one; empty for all.
        page: From 1.
    """

    sort: str = "rank"
    down: bool = False
    text: str = ""
    level: str = ""
    page: int = 1

    def plain(self, **changed: Any) -> dict[str, str]:
        """Return the parts of an address that differ from the default, some of them changed."""
        values = {"sort": self.sort, "down": "1" if self.down else "", "q": self.text, "level": self.level,
                  "page": str(self.page)} | changed  # fmt: skip
        default = {"sort": "rank", "page": "1"}
        return {k: str(v) for k, v in values.items() if v and str(v) != default.get(k)}


@dataclass(frozen=True)
class Shown:
    """The rows of one page.

    Attributes:
        rows: In order.
        total: Rows that the filter leaves.
        pages: Pages that they fill, at least 1.
        page: This one.
        first: Number of its first row, from 1.
    """

    rows: tuple[Row, ...]
    total: int
    pages: int
    page: int
    first: int


def show(board: Board, query: Query) -> Shown:
    """Filter, sort and cut a board's rows; rows without a rank stay below those that have one."""
    text = query.text.casefold().strip()
    kept = [
        row
        for row in board.rows
        if query.level in ("", row.level)
        and (text in row.name.casefold() or row.digest[7:].startswith(text.removeprefix("sha256:")))
    ]
    if query.sort != "rank":
        kept.sort(key=SORTS[query.sort], reverse=query.down)
        kept.sort(key=lambda row: STATES.index(row.state))
    elif query.down:
        kept.reverse()
        kept.sort(key=lambda row: STATES.index(row.state))
    pages = max(1, math.ceil(len(kept) / PAGE_ROWS))
    page = min(max(query.page, 1), pages)
    start = (page - 1) * PAGE_ROWS
    return Shown(tuple(kept[start : start + PAGE_ROWS]), len(kept), pages, page, start + 1)


def compact(board: Board) -> dict[str, Any]:
    """Return every row as an array, for the script that sorts and filters in the browser."""
    return {
        "size": board.size,
        "digits": board.digits,
        "domain": board.domain,
        "page": PAGE_ROWS,
        "rows": [
            [
                STATES.index(row.state), row.digest[7:], row.name, row.rank, row.low, row.high,
                _short(row.p_best), *map(_short, row.means), *map(_short, row.half_widths), row.seeds,
                row.level, row.unique, _short(row.unique_frac), row.repeats, row.curation_seconds,
                int(row.noisy), row.reason,
            ]
            for row in board.rows
        ],
    }  # fmt: skip


def _short(value: float | None) -> float | None:
    """Return a number with the digits that a page may show: ten thousand rows travel as text."""
    return None if value is None else float(f"{value:.8g}")
