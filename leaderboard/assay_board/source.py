"""What pages read: the ledger's snapshot, and submissions and tracks as the API gives them."""

import threading
from pathlib import Path
from typing import Any

from assay.pool import AnyPool
from assay_board.api.submissions import submission_view, submissions_page
from assay_board.context import Board
from assay_board.pages.snapshot import Snapshot, Table
from assay_board.problems import ProblemError
from assay_board.settings import READ_AT_ONCE


class BoardSource:
    """The server, as pages see it."""

    def __init__(self, board: Board):
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

    def list_path(self, digest: str) -> Path | None:
        """Return where the list of a submission is, if it was handed in here."""
        path = self._board.list_path(digest)
        return path if path.is_file() else None

    def trace_path(self, record: str) -> Path | None:
        """Return where the losses of a run are, if a worker brought them here."""
        path = self._board.result_folder(record) / "trace.npy"
        return path if path.is_file() else None

    def pool_of(self, table: Table) -> AnyPool | None:
        """Return the pool that a board was measured on, if it is here and quickly read."""
        pool = self._board.law.built_pool(table.track, table.scale)
        if pool is None or pool.root != table.digests["pool"] or pool.n > READ_AT_ONCE:
            return None
        return pool

    def tracks(self) -> list[dict[str, Any]]:
        """Return the items of `GET /v1/tracks`."""
        return self._board.law.tracks()
