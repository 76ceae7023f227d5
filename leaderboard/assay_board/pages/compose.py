"""Every page as text: what a server answers and what an export writes are the same calls."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from assay.pool import AnyPool
from assay_board.pages.cache import BoardCache
from assay_board.pages.links import Links, board_path
from assay_board.pages.render import drawn, render, render_file, rules_html
from assay_board.pages.snapshot import Snapshot, Table
from assay_board.pages.views.board import Board
from assay_board.pages.views.compare import MOST, build_comparison
from assay_board.pages.views.entry import EntryPage, build_entry
from assay_board.pages.views.home import arrivals, summaries
from assay_board.pages.views.listing import Query, compact, show
from assay_board.pages.views.progress import claims, progress_figure
from assay_board.pages.views.scaling import build_scaling

FEED = 50
CURVE = (320, 90)
CURVE_POINTS = 160
Find = Callable[[str], Path | None]
FindPool = Callable[[Table], AnyPool | None]


@dataclass(frozen=True)
class Pages:
    """Composes pages.

    Attributes:
        public: Address of the server as participants reach it; empty in an export.
        list_path: Where the list of a submission lies, by its digest; None where no list is at hand.
        trace_path: Where the losses of a run lie as `.npy`, by the digest of its record; None likewise.
        pool_of: The pool of a board; None where it is not at hand, or too large to be read for a page.
        cache: Of boards.
    """

    public: str = ""
    list_path: Find | None = None
    trace_path: Find | None = None
    pool_of: FindPool | None = None
    cache: BoardCache = field(default_factory=BoardCache)

    def home(self, links: Links, snapshot: Snapshot, known: Iterable[Mapping[str, Any]]) -> str:
        """Return the home page."""
        tracks = summaries(snapshot, self.cache, known)
        return render(
            "home", links, snapshot, tracks=tracks, arrivals=arrivals(snapshot), active="boards"
        )

    def board(self, links: Links, snapshot: Snapshot, board: Board, query: Query, path: str) -> str:
        """Return a board's page; `path` is the address that it was asked for under."""
        table = board.table
        scales = {t.scale: t for t in reversed(snapshot.boards(table.track))}
        return render(
            "board",
            links,
            snapshot,
            board=board,
            query=query,
            path=path,
            shown=show(board, query),
            scales=sorted(scales.values(), key=lambda t: t.by_compute),
            versions=snapshot.boards(table.track, table.scale),
            data=compact(board) if links.exported else None,
            public=self.public,
            active="boards",
        )

    def entry(self, links: Links, snapshot: Snapshot, digest: str) -> str | None:
        """Return a submission's page, or None where the ledger has no run of it."""
        found = build_entry(snapshot, self.cache, digest)
        if found is None:
            return None
        curves = {} if self.trace_path is None else _curves(found, self.trace_path)
        return render("entry", links, snapshot, entry=found, curves=curves, public=self.public)

    def compare(self, links: Links, snapshot: Snapshot, board: Board, wanted: list[str]) -> str:
        """Return a comparison's page."""
        found = build_comparison(self.cache, board, wanted, self.list_path, self.pool_of)
        figures = [drawn(figure) for figure in found.composition] if found else []
        return render("compare", links, snapshot, board=board, comparison=found, figures=figures)

    def first_compared(self, links: Links, snapshot: Snapshot, board: Board) -> str:
        """Return the comparison of a board's first rows, which an export has instead of any other."""
        wanted = [row.digest for row in board.ranked[:MOST]]
        return self.compare(links, snapshot, board, wanted)

    def scaling(self, links: Links, snapshot: Snapshot, track: str) -> str | None:
        """Return a track's page across scales, or None where it has no runs."""
        found = build_scaling(snapshot, self.cache, track)
        if found is None:
            return None
        figures = [drawn(figure) for figure in found.figures]
        active = f"scaling/{track}"
        return render("scaling", links, snapshot, page=found, figures=figures, active=active)

    def progress(self, links: Links, snapshot: Snapshot, board: Board) -> str:
        """Return the page of a board's record over time."""
        found = claims(board)
        figure = drawn(progress_figure(board, found)) if found else None
        return render("progress", links, snapshot, board=board, claims=found, drawn=figure)

    def rules(self, links: Links, snapshot: Snapshot) -> str:
        """Return the rules."""
        return render("rules", links, snapshot, text=rules_html(), active="rules")

    def embed(self, links: Links, snapshot: Snapshot, board: Board) -> str:
        """Return a board's first rows, for a frame in somebody's page."""
        return render("embed", links, snapshot, board=board)

    def feed(self, links: Links, snapshot: Snapshot) -> str:
        """Return the feed of new records as Atom."""
        found = arrivals(snapshot, FEED)
        return render_file(
            "records.atom.jinja", links=links, snapshot=snapshot, arrivals=found, public=self.public
        )

    def badge(self, snapshot: Snapshot, digest: str) -> str | None:
        """Return a submission's badge as SVG: its rank interval on the board of its newest run."""
        tables = [table for table in snapshot.boards() if digest in table.entrants]
        row = self.cache.board(snapshot, tables[0]).row(digest) if tables else None
        if row is None:
            return None
        label, value = f"assay {tables[0].track} {tables[0].scale}", "not ranked"
        if row.state == "retracted":
            value = "retracted"
        elif row.rank is not None:
            value = f"rank {row.low}" if row.low == row.high else f"rank {row.low} to {row.high}"
        left, right = (round(6.6 * len(text)) + 12 for text in (label, value))
        color = {"ranked": "#00629b", "retracted": "#b3261e"}.get(row.state, "#5d6671")
        return render_file(
            "badge.svg.jinja", label=label, value=value, left=left, right=right, color=color
        )


def find_table(snapshot: Snapshot, track: str, scale: str, key: str | None = None) -> Table | None:
    """Return a table by its key, or the one of a track and scale with the newest run."""
    found = [t for t in snapshot.boards(track, scale) if key in (None, t.key)]
    return found[0] if found else None


def current_path(table: Table) -> str:
    """Return the path that always shows a scale's newest board."""
    return board_path(table).rsplit("/", 1)[0]


def _curves(entry: EntryPage, trace_path: Find) -> dict[str, dict[str, Any]]:
    found = {}
    for scored in entry.scored:
        for run, *_ in scored.runs:
            path = trace_path(run.digest)
            if path is not None and path.is_file():
                losses = np.load(path, allow_pickle=False).reshape(-1)
                if len(losses) > 1:
                    found[run.digest] = _curve(losses.astype(np.float64))
    return found


def _curve(losses: np.ndarray) -> dict[str, Any]:
    """Return a polyline of means over equal stretches of steps."""
    means = np.array(
        [part.mean() for part in np.array_split(losses, min(CURVE_POINTS, len(losses)))]
    )
    width, height = CURVE
    x = np.linspace(2, width - 2, len(means))
    span = means.max() - means.min() or 1.0
    y = 2 + (height - 4) * (means.max() - means) / span
    points = " ".join(f"{a:.1f},{b:.1f}" for a, b in zip(x, y, strict=True))
    return {
        "points": points, "first": float(means[0]), "last": float(means[-1]), "steps": len(losses),
        "width": width, "height": height,
    }  # fmt: skip
