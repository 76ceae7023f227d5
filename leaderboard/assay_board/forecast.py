"""Where a submission stands in the queue, and when it may be done."""

from dataclasses import dataclass
from statistics import median

import sqlalchemy as sa
from sqlalchemy.orm import Session

from assay_board.database import Lease, RecordRow, Run, Submission
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


class Forecast:
    """The whole queue at one moment."""

    def __init__(self, session: Session, law: Law):
        """Read the queue."""
        self._session = session
        self._law = law
        self._seconds: dict[str, float | None] = {}
        self._ahead: dict[int, tuple[int, float | None]] = {}
        self._last: dict[int, float | None] = {}
        active = sa.select(sa.func.count()).select_from(Lease).where(Lease.state == "active")
        self._workers = max(1, session.scalar(active) or 0)
        self._add_up()

    def of(self, submission: Submission) -> Outlook:
        """Return what is ahead of a submission."""
        position, _ = self._ahead.get(submission.number, (None, None))
        return Outlook(position, self._last.get(submission.number))

    def _add_up(self) -> None:
        """Walk through the queue once; runs at work come before those that wait."""
        columns = (Run.state, Run.progress, Submission.number, Submission.track, Submission.scale)
        pending = sa.select(*columns, Submission.label, Submission.seal).join(Submission)
        total: float | None = 0.0
        for row in self._session.execute(pending.where(Run.state == "leased")):
            left = self._left(self._expected(row), row.progress)
            total = _sum(total, left)
            known = self._last.get(row.number, 0.0)
            self._last[row.number] = None if known is None or left is None else max(known, left)
        queued = self._session.execute(pending.where(Run.state == "queued").order_by(*ORDER))
        for place, row in enumerate(queued, start=1):
            total = _sum(total, self._expected(row))
            self._ahead.setdefault(row.number, (place, total))
            self._last[row.number] = None if total is None else total / self._workers

    def _expected(self, row: sa.Row) -> float | None:
        if row.seal not in self._seconds:
            recent = self._session.scalars(
                sa.select(RecordRow.seconds)
                .where(RecordRow.seal == row.seal)
                .order_by(RecordRow.index.desc())
                .limit(RECENT)
            ).all()
            measured = self._law.expected_seconds(row.track, row.scale)
            self._seconds[row.seal] = median(recent) if recent else measured
        return self._seconds[row.seal]

    @staticmethod
    def _left(expected: float | None, progress: dict) -> float | None:
        done, total, rate = (progress.get(key) for key in ("done", "total", "rate"))
        if done is not None and total and rate:
            return max(0.0, (total - done) / rate)
        return expected


def _sum(one: float | None, two: float | None) -> float | None:
    return None if one is None or two is None else one + two
