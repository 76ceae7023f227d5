"""Pages about what is under way: the queue, a submission's state, the form for a list."""

from typing import Any

from fastapi import Request
from fastapi.responses import Response

from assay.canonical import digest_json
from assay_board.pages.answers import absent, answer, links_of
from assay_board.pages.render import render
from assay_board.pages.source import Source, scored_here
from assay_board.pages.text import duration

PAGE_SUBMISSIONS = 50
PENDING = ("screening", "queued", "running")
STATES = (*PENDING, "done", "failed", "withdrawn")
SILENT_SECONDS = 300.0
"""For so long a worker may be unheard before the time that is left stands for nothing."""


class QueuePages:
    """Pages about what is under way."""

    def __init__(self, public: str, source: Source):
        self._public = public
        self._source = source

    def submissions(
        self, request: Request, cursor: int | None = None, track: str = "", scale: str = "",
        team: str = "", state: str = "",
    ) -> Response:  # fmt: skip
        """Answer with submissions, newest first."""
        asked = {"track": track, "scale": scale, "team": team, "state": state}
        filters = {name: value or None for name, value in asked.items()}
        found = self._source.submissions(cursor=cursor, limit=PAGE_SUBMISSIONS, **filters)
        following = {k: v for k, v in asked.items() if v} | {"cursor": str(found["next"])}
        return answer(
            request,
            render(
                "submissions",
                links_of(request),
                self._source.snapshot(),
                items=found["items"],
                asked=asked,
                following=following if found["next"] else None,
                states=STATES,
                silence=self._silence(found["items"]),
                active="submissions",
            ),
        )

    def submission(self, request: Request, submission_id: str) -> Response:
        """Answer with a submission's state."""
        found = self._source.submission(submission_id)
        if found is None:
            raise absent(request)
        snapshot = self._source.snapshot()
        known = any(found["digest"] in table.entrants for table in snapshot.tables.values())
        records = [run["record"] for run in found["runs"] if run["record"]]
        values = {
            "s": found, "pending": found["state"] in PENDING, "known": known, "public": self._public, "active": "submissions",
            "silence": self._silence([found]), "notices": snapshot.said_of([found["digest"], *records]),
        }  # fmt: skip
        return answer(request, render("submission", links_of(request), snapshot, **values))

    def submit(self, request: Request) -> Response:
        """Answer with the form for a list."""
        snapshot, known = self._source.snapshot(), scored_here(self._source)
        values = {"known": known, "public": self._public, "active": "submit"}
        text = render("submit", links_of(request), snapshot, **values)
        return answer(request, text, f"{snapshot.size}-{digest_json(known)[7:19]}")

    def _silence(self, shown: list[dict[str, Any]]) -> str:
        """Return why nobody can say how long these take; nothing while workers are at work, or all have ended."""
        if not any(submission["state"] in PENDING for submission in shown):
            return ""
        heard = self._source.last_heard()
        if heard is None:
            return "no worker has asked for work yet"
        return f"a worker was last heard {duration(heard)} ago" if heard > SILENT_SECONDS else ""
