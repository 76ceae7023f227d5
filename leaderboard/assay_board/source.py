"""What pages read: the ledger's snapshot, and submissions and tracks as the API gives them."""

import threading
from typing import Any

from assay.pool import AnyPool
from assay_board.api.submissions import submission_view, submissions_page
from assay_board.context import Board
from assay_board.evidence import Evidence, readable_pool
from assay_board.pages.snapshot import Snapshot, Table
from assay_board.problems import ProblemError


class BoardSource(Evidence):
    """The server, as pages see it."""

    def __init__(self, board: Board):
        super().__init__(board.settings)
        self._board = board
        self._lock = threading.Lock()
        self._snapshot = Snapshot()

    def snapshot(self) -> Snapshot:
        """Return what pages show of the ledger, with all that it holds now."""
        with self._lock:
            known = self._snapshot
            if self._board.ledger.size > known.size:
                self._snapshot = known.extended(self._board.ledger.entries(known.size))
            return self._snapshot

    def submissions(
        self,
        *,
        cursor: int | None,
        limit: int,
        track: str | None,
        scale: str | None,
        team: str | None,
        state: str | None,
    ) -> dict[str, Any]:
        """Return a page of `GET /v1/submissions`."""
        items, following = submissions_page(
            self._board,
            cursor,
            limit,
            track=track,
            scale=scale,
            team=team,
            state=state,
        )
        return {"items": items, "next": following}

    def submission(self, submission_id: str) -> dict[str, Any] | None:
        """Return what `GET /v1/submissions/{id}` does, or None where there is none."""
        try:
            return submission_view(self._board, submission_id)
        except ProblemError:
            return None

    def last_heard(self) -> float | None:
        """Return the seconds since a worker was last heard of, or None if none ever took a run."""
        expires = self._board.forecast.newest_lease(self._board.ledger.size)
        if expires is None:
            return None
        heard = expires - self._board.settings.lease_seconds  # every word of a worker moves it
        return max(0.0, self._board.now() - heard)

    def pool_of(self, table: Table) -> AnyPool | None:
        """Return the pool that a board was measured on, if it is here and quickly read."""
        return readable_pool(self._board.law.built_pool(table.track, table.scale), table)

    def tracks(self) -> list[dict[str, Any]]:
        """Return the items of `GET /v1/tracks`."""
        return self._board.law.tracks()
