"""Where submissions stand in the queue, and when they may be done."""

from collections.abc import Sequence
from dataclasses import dataclass
from statistics import median
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Session

from assay_board.database import RecordRow, Run, Submission
from assay_board.law import Law
from assay_board.queue import ORDER

RECENT = 20
"""Records that say how long a run takes."""


@dataclass(frozen=True)
class Outlook:
    """What is ahead of a submission.

    Attributes:
        position: Of its first queued run, 1 being next; None where none is queued.
        eta_seconds: Until its last run ends, if as many workers stay as are at work; None where nobody
            has measured how long a run takes, or nothing is pending.
    """

    position: int | None
    eta_seconds: float | None


@dataclass(frozen=True)
class Known:
    """What follows from a ledger of some size.

    Attributes:
        size: Of the ledger.
        expected: How long a run takes, by seal; of those that a record or somebody else says.
        places: The query for places in the queue: putting it together takes longer than asking it.
    """

    size: int
    expected: dict[str, float]
    places: sa.Select[Any, Any, Any, Any, Any]


class Forecast:
    """Says where submissions stand; the database adds the queue up, which may hold ten thousand runs."""

    def __init__(self, law: Law):
        self._law = law
        self._known: Known | None = None

    def outlooks(
        self, session: Session, size: int, submissions: Sequence[Submission]
    ) -> list[Outlook]:
        """Return what is ahead of each submission at this moment; `size` is the ledger's."""
        states = {run.state for submission in submissions for run in submission.runs}
        if not states & {"queued", "leased"}:
            return [Outlook(None, None) for _ in submissions]
        known = self._know(session, size)
        started, last, workers = _at_work(session, known.expected)
        wanted = [submission.number for submission in submissions]
        found = {number: Outlook(None, seconds) for number, seconds in last.items()}
        rows = session.execute(known.places, {"wanted": wanted})
        for number, first, place, seconds, measured in rows:
            # Of one run ahead nobody may know how long it takes.
            total = None if started is None or measured < place else (started + seconds) / workers
            found[number] = Outlook(first, total)
        return [found.get(number, Outlook(None, None)) for number in wanted]

    def _know(self, session: Session, size: int) -> Known:
        if self._known is None or self._known.size != size:
            expected = dict(self._law.expected_seconds)
            for seal in session.scalars(sa.select(RecordRow.seal).distinct()).all():
                newest = sa.select(RecordRow.seconds).where(RecordRow.seal == seal)
                recent = newest.order_by(RecordRow.index.desc()).limit(RECENT)
                expected[seal] = median(session.scalars(recent))
            self._known = Known(size, expected, _places(expected))
        return self._known


_STARTED = (
    sa.select(Run.progress, Submission.number, Submission.seal)
    .join(Submission)
    .where(Run.state == "leased")
)


def _at_work(
    session: Session, expected: dict[str, float]
) -> tuple[float | None, dict[int, float | None], int]:
    """Return what is left of all runs at work, and of each submission's longest one, and who is at work."""
    total: float | None = 0.0
    last: dict[int, float | None] = {}
    rows = session.execute(_STARTED).all()
    for progress, number, seal in rows:
        left = _left(expected.get(seal), progress)
        total = None if total is None or left is None else total + left
        known = last.get(number, 0.0)
        last[number] = None if known is None or left is None else max(known, left)
    return total, last, max(1, len(rows))


def _left(expected: float | None, progress: dict) -> float | None:
    done, total, rate = (progress.get(key) for key in ("done", "total", "rate"))
    if done is not None and total and rate:
        return max(0.0, (total - done) / rate)
    return expected


def _places(expected: dict[str, float]) -> sa.Select[Any, Any, Any, Any, Any]:
    """Return the query for submissions' places: number, first and last place, seconds and measured runs up to it."""
    cost = sa.cast(sa.case(expected, value=Submission.seal) if expected else sa.null(), sa.Double)
    up_to: dict[str, Any] = {"order_by": ORDER, "rows": (None, 0)}
    queue = (
        sa.select(
            Run.submission_number.label("number"),
            sa.func.row_number().over(order_by=ORDER).label("place"),
            sa.func.sum(cost).over(**up_to).label("seconds"),
            sa.func.count(cost).over(**up_to).label("measured"),
        )
        .join(Submission)
        .where(Run.state == "queued")
        .subquery()
    )
    columns = queue.c
    first, last = sa.func.min(columns.place), sa.func.max(columns.place)
    ends = sa.func.max(columns.seconds), sa.func.max(columns.measured)
    query = sa.select(columns.number, first, last, *ends)
    wanted = columns.number.in_(sa.bindparam("wanted", expanding=True))
    return query.where(wanted).group_by(columns.number)
