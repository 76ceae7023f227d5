"""The home page: every board with its leaders, and what came in last."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from assay_board.pages.cache import BoardCache
from assay_board.pages.snapshot import Snapshot, Table
from assay_board.pages.views.board import Board, Row

SHOWN_ARRIVALS = 12
SHOWN_LEADERS = 3


@dataclass(frozen=True)
class Summary:
    """One track and scale.

    Attributes:
        track: Name.
        scale: Name.
        board: Of the newest table; None where nothing was run.
        ranked: Submissions with a rank.
        leaders: The first of those that nobody is significantly better than.
        tied: How many those are.
    """

    track: str
    scale: str
    board: Board | None
    ranked: int
    leaders: tuple[Row, ...]
    tied: int


@dataclass(frozen=True)
class Arrival:
    """A submission whose run came in lately.

    Attributes:
        table: Where.
        digest: Of the submission.
        name: Of the submission.
        time: Of the newest run.
        level: Of that run.
        runs: How many of its runs of that level are among the latest.
        value: Mean of the ranking metric over these runs.
        retracted: Whether it was retracted since.
    """

    table: Table
    digest: str
    name: str
    time: str
    level: str
    runs: int
    value: float
    retracted: bool


def summaries(
    snapshot: Snapshot, cache: BoardCache, known: Iterable[Mapping[str, Any]] = ()
) -> dict[str, list[Summary]]:
    """Return a summary for each scale of each track, smallest compute first.

    Args:
        snapshot: Of the ledger.
        cache: Of boards.
        known: Scales that lists are accepted for, with or without runs: `track` and `scale` each.
    """
    newest: dict[tuple[str, str], Table | None] = {(k["track"], k["scale"]): None for k in known}
    for table in reversed(snapshot.boards()):
        newest[table.track, table.scale] = table
    found: dict[str, list[Summary]] = {}
    for (track, scale), table in newest.items():
        found.setdefault(track, []).append(_summary(snapshot, cache, track, scale, table))
    return {track: sorted(found[track], key=_compute) for track in sorted(found, reverse=True)}


def _summary(
    snapshot: Snapshot, cache: BoardCache, track: str, scale: str, table: Table | None
) -> Summary:
    if table is None:
        return Summary(track, scale, None, 0, (), 0)
    board = cache.board(snapshot, table)
    ranked = board.ranked
    first = [row for row in ranked if row.tied]
    return Summary(track, scale, board, len(ranked), tuple(first[:SHOWN_LEADERS]), len(first))


def _compute(summary: Summary) -> float:
    if summary.board is None:
        return float("inf")
    return float(summary.board.table.training.get("flops") or 0.0)


def arrivals(snapshot: Snapshot, count: int = SHOWN_ARRIVALS) -> list[Arrival]:
    """Return the submissions whose runs came in last, the newest first."""
    found: dict[tuple[str, str], list[Any]] = {}
    for key, digest, run in reversed(snapshot.latest):
        found.setdefault((key, digest), []).append(run)
    listed = []
    retracted = snapshot.standing.retracted
    for (key, digest), latest in list(found.items())[:count]:
        table = snapshot.tables[key]
        # What its maker says and what the harness found have no mean.
        runs = [run for run in latest if run.level == latest[0].level]
        listed.append(
            Arrival(
                table=table,
                digest=digest,
                name=snapshot.name(table.entrants[digest]),
                time=runs[0].time,
                level=runs[0].level,
                runs=len(runs),
                value=sum(run.values[0] for run in runs) / len(runs),
                retracted=digest in retracted or all(run.digest in retracted for run in runs),
            )
        )
    return listed
