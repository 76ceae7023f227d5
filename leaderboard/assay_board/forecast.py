"""Where submissions stand in the queue, and when they may be done."""

import time
from collections.abc import Hashable, Sequence
from dataclasses import dataclass
from statistics import median
from typing import Any, NamedTuple

import sqlalchemy as sa
from sqlalchemy.orm import Session

from assay.ledger import RANKED_LEVELS
from assay_board.database import Database, Lease, RecordRow, Run, Submission
from assay_board.law import Law
from assay_board.queue import ORDER

RECENT = 20
"""Records that say how long a run takes."""
SEEN_SECONDS = 1.0
"""For so long the queue is taken for what it was, but for what this process changed."""

Query = sa.Select[Any, Any, Any, Any, Any]


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
        places: The query for `Place`s of submissions after one.
        fresh: The query for how many queued runs were not tried before, what they take, and of how many that is known.
    """

    size: int
    expected: dict[str, float]
    places: Query
    fresh: Query


class Place(NamedTuple):
    """Where a submission's queued runs stand.

    Attributes:
        first: Place of the first, 1 being next.
        last: Place of the last.
        seconds: What all runs up to it take, of those that somebody measured.
        measured: How many those are.
    """

    first: int
    last: int
    seconds: float
    measured: int

    def behind(self, ahead: "Place") -> "Place":
        """Return the place with others ahead of it."""
        return Place(
            ahead.last + self.first,
            ahead.last + self.last,
            ahead.seconds + self.seconds,
            ahead.measured + self.measured,
        )


@dataclass(frozen=True)
class Seen:
    """The queue at some moment.

    Attributes:
        stamp: Of the moment.
        known: What it was reckoned with.
        newest: Number of the newest submission with a queued run; what came since stands behind it.
        fresh: What all runs take that were not tried before: newer ones come after them.
        places: By submission.
        started: What is left of all runs at work; None where nobody knows.
        last: What is left of each submission's longest run at work.
        workers: How many are at work, at least 1.
        lease: Until when the newest lease is good, or was; None if there never was one.
    """

    stamp: Hashable
    known: Known
    newest: int
    fresh: Place
    places: dict[int, Place]
    started: float | None
    last: dict[int, float | None]
    workers: int
    lease: float | None

    def outlook(self, number: int, place: Place | None) -> Outlook:
        """Return what is ahead of a submission."""
        if place is None:
            return Outlook(None, self.last.get(number))
        if self.started is None or place.measured < place.last:
            return Outlook(place.first, None)  # of one run ahead nobody knows how long it takes
        return Outlook(place.first, (self.started + place.seconds) / self.workers)


class Forecast:
    """Says where submissions stand; the database adds the queue up, which may hold ten thousand runs."""

    def __init__(self, law: Law, database: Database):
        self._law, self._database = law, database
        self._known: Known | None = None
        self._seen: Seen | None = None

    def outlooks(self, size: int, submissions: Sequence[Submission]) -> list[Outlook]:
        """Return what is ahead of each submission; `size` is the ledger's.

        The queue is looked at anew when this process moved a run, and each second for what others did.
        """
        states = {run.state for submission in submissions for run in submission.runs}
        if not states & {"queued", "leased"}:
            return [Outlook(None, None) for _ in submissions]
        seen = self._look(size)
        numbers = [submission.number for submission in submissions]
        later = {}
        if max(numbers) > seen.newest:
            with self._database.read() as session:
                behind = _read(session, seen.known, seen.newest)
            later = {number: place.behind(seen.fresh) for number, place in behind.items()}
        return [seen.outlook(n, seen.places.get(n) or later.get(n)) for n in numbers]

    def newest_lease(self, size: int) -> float | None:
        """Return until when the newest lease is good, or was, in seconds since 1970; None if there never was one."""
        return self._look(size).lease

    def _look(self, size: int) -> Seen:
        # The stamp is older than what is read: a move in between is then looked at once more, never missed.
        stamp = (size, self._database.moves, time.monotonic() // SEEN_SECONDS)
        seen = self._seen
        if seen is None or seen.stamp != stamp:
            with self._database.read() as session:
                seen = self._seen = _see(session, self._know(session, size), stamp)
        return seen

    def _know(self, session: Session, size: int) -> Known:
        if self._known is None or self._known.size != size:
            expected = dict(self._law.expected_seconds)
            # What the workers here take; participants train elsewhere, and say what they like.
            trained_here = RecordRow.level.in_(RANKED_LEVELS)
            seals = sa.select(RecordRow.seal).where(trained_here).distinct()
            for seal in session.scalars(seals).all():
                newest = sa.select(RecordRow.seconds).where(RecordRow.seal == seal, trained_here)
                recent = newest.order_by(RecordRow.index.desc()).limit(RECENT)
                expected[seal] = median(session.scalars(recent))
            self._known = Known(size, expected, *_queries(expected))
        return self._known


def _see(session: Session, known: Known, stamp: Hashable) -> Seen:
    started, last, workers = _at_work(session, known.expected)
    row = session.execute(known.fresh).one()
    fresh = Place(1, row.runs, row.seconds or 0.0, row.measured)
    places = _read(session, known, after=0)
    lease = session.scalar(sa.select(sa.func.max(Lease.expires)))
    return Seen(stamp, known, max(places, default=0), fresh, places, started, last, workers, lease)


def _read(session: Session, known: Known, after: int) -> dict[int, Place]:
    """Return the places of submissions after one, as if the queue began behind it."""
    rows = session.execute(known.places, {"after": after})
    return {
        row.number: Place(row.first, row.last, row.seconds or 0.0, row.measured) for row in rows
    }


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


def _queries(expected: dict[str, float]) -> tuple[Query, Query]:
    """Return the queries for `Known`, put together once: that takes longer than asking them."""
    cost = sa.cast(sa.case(expected, value=Submission.seal) if expected else sa.null(), sa.Double)
    queued = sa.select().select_from(Run).join(Submission).where(Run.state == "queued")
    fresh = queued.add_columns(
        sa.func.count().label("runs"),
        sa.func.sum(cost).label("seconds"),
        sa.func.count(cost).label("measured"),
    )
    up_to: dict[str, Any] = {"order_by": ORDER, "rows": (None, 0)}
    queue = (
        queued.add_columns(
            Run.submission_number.label("number"),
            sa.func.row_number().over(order_by=ORDER).label("place"),
            sa.func.sum(cost).over(**up_to).label("seconds"),
            sa.func.count(cost).over(**up_to).label("measured"),
        )
        .where(Run.submission_number > sa.bindparam("after"))
        .subquery()
    )
    columns, most = queue.c, sa.func.max
    places = sa.select(
        columns.number,
        sa.func.min(columns.place).label("first"),
        most(columns.place).label("last"),
        most(columns.seconds).label("seconds"),
        most(columns.measured).label("measured"),
    )
    return places.group_by(columns.number), fresh.where(Run.attempts == 0)
