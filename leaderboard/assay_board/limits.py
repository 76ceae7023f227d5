"""What a client may do how often: token buckets in memory, and the week's runs in the database."""

import threading
from collections import OrderedDict
from collections.abc import Callable

import sqlalchemy as sa
from sqlalchemy.orm import Session

from assay_board.database import Run, Submission
from assay_board.problems import ProblemError
from assay_board.settings import DAY, Rate
from assay_board.states import UNUSED

MAX_BUCKETS = 10_000
WEEK = 7 * DAY


class RateLimit:
    """Token buckets by client, the least recently used forgotten first.

    Source:
        The token bucket of RFC 2697, section 3, with one rate.
    """

    def __init__(self, rate: Rate, clock: Callable[[], float]):
        self._rate = rate
        self._clock = clock
        self._lock = threading.Lock()
        self._buckets: OrderedDict[str, tuple[float, float]] = OrderedDict()

    def take(self, client: str) -> None:
        """Take one call from a client's bucket.

        Raises:
            ProblemError: R2, if it is empty, with the seconds until it is not.
        """
        wait = self._take(client)
        if wait > 0:
            raise ProblemError(
                429, f"too many requests; try again in {wait:.0f} s", "R2", retry_after=wait
            )

    def _take(self, client: str) -> float:
        now, per_second = self._clock(), self._rate.per_minute / 60
        with self._lock:
            level, then = self._buckets.pop(client, (float(self._rate.burst), now))
            level = min(float(self._rate.burst), level + (now - then) * per_second)
            enough = level >= 1
            self._buckets[client] = (level - enough, now)
            if len(self._buckets) > MAX_BUCKETS:
                self._buckets.popitem(last=False)
        return 0.0 if enough else max(1.0, (1 - level) / per_second)


def check_quota(
    session: Session, now: float, team_id: int, track: str, scale: str, runs: int, allowed: int
) -> None:
    """Check that a team may have so many more runs this week.

    A run that failed or was withdrawn is not counted, whatever it cost: only results use a quota up, those that
    the team trained itself among them; the operator's own runs do not. Whoever
    goes on to queue runs is alone with the lists: two requests must not both find the last run free.

    Raises:
        ProblemError: R1, if it may not.
    """
    used = session.scalar(
        sa.select(sa.func.count())
        .select_from(Run)
        .join(Submission)
        .where(
            Submission.team_id == team_id,
            Submission.track == track,
            Submission.scale == scale,
            Run.level != "official",
            Run.queued > now - WEEK,
            Run.state.not_in(UNUSED),
        )
    )
    assert used is not None, "count returns a row"
    if used + runs > allowed:
        raise ProblemError(
            429,
            f"{used} of this week's {allowed} runs on {track}/{scale} are used, and {runs} more were asked; "
            "runs that fail or are withdrawn do not count",
            "R1",
        )
