"""Where pages take what they show from: a server's ledger and its queue."""

from typing import Any, Protocol

from assay_board.pages.snapshot import Snapshot


class Source(Protocol):
    """What a server tells its pages."""

    def snapshot(self) -> Snapshot:
        """Return the ledger as it is now."""
        ...

    def tracks(self) -> list[dict[str, Any]]:
        """Return every track and scale, as `GET /v1/tracks` does: `track`, `scale` and `pool` at least."""
        ...

    def submissions(
        self, *, cursor: int | None, limit: int, track: str | None, scale: str | None,
        team: str | None, state: str | None,
    ) -> dict[str, Any]:  # fmt: skip
        """Return `items` and `next`, as `GET /v1/submissions` does."""
        ...

    def submission(self, submission_id: str) -> dict[str, Any] | None:
        """Return a submission as `GET /v1/submissions/{id}` does, or None."""
        ...

    def last_heard(self) -> float | None:
        """Return the seconds since a worker was last heard of, or None if none ever was."""
        ...


def scored_here(source: Source) -> list[dict[str, Any]]:
    """Return the tracks and scales whose lists the server can score: it has their pools, or builds them."""
    return [one for one in source.tracks() if one["pool"]["available"]]
