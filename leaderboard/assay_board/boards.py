"""Boards from the ledger's index: the same tables that `assay board` prints, made once for each ledger."""

import threading
from collections import OrderedDict
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Session

from assay.board import Table, build_board
from assay.ledger import RANKED_LEVELS, Standing, standing
from assay_board.context import Board
from assay_board.database import Mark, RecordRow

KEPT = 64
"""Boards kept in memory."""


class Boards:
    """Tables by track and scale, kept until the ledger grows."""

    def __init__(self, board: Board):
        self._board = board
        self._lock = threading.Lock()
        self._kept: OrderedDict[tuple[str, str], tuple[int, list[Table]]] = OrderedDict()

    def tables(self, track: str, scale: str, size: int) -> list[Table]:
        """Return the tables of a track at a scale as a ledger of `size` entries has them."""
        with self._lock:
            known = self._kept.pop((track, scale), None)
            if known is None or known[0] != size:
                with self._board.database.read() as session:
                    now = standing_of(session, self._board)
                    rows = session.scalars(_ranked(track, scale))
                    records = [row.summary for row in rows]
                counting = [
                    now.corrected_record(record)
                    for record in records
                    if now.retraction(record) is None
                ]
                known = (size, build_board(counting))
            self._kept[track, scale] = known
            if len(self._kept) > KEPT:
                self._kept.popitem(last=False)
            return known[1]


def standing_of(session: Session, board: Board) -> Standing:
    """Return what retractions, corrections and epochs say by now."""
    indices = session.scalars(sa.select(Mark.index).order_by(Mark.index))
    return standing(board.ledger.read(index) for index in indices)


def _ranked(track: str, scale: str) -> sa.Select[Any]:
    return (
        sa.select(RecordRow)
        .where(
            RecordRow.track == track, RecordRow.scale == scale, RecordRow.level.in_(RANKED_LEVELS)
        )
        .order_by(RecordRow.index)
    )


def list_boards(session: Session) -> list[dict[str, Any]]:
    """Return every track and scale that has records, with how many."""
    counted = sa.select(
        RecordRow.track,
        RecordRow.scale,
        sa.func.count().label("records"),
        sa.func.count(sa.distinct(RecordRow.submission)).label("submissions"),
    ).group_by(RecordRow.track, RecordRow.scale)
    rows = session.execute(counted.order_by(RecordRow.track, RecordRow.scale))
    return [dict(row._mapping) for row in rows]
