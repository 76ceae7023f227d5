"""A server of pages alone, over made-up entries, with a queue that stands still."""

from collections.abc import Iterable
from typing import Any

from fastapi import FastAPI
from fastapi.responses import JSONResponse

from assay.ledger import Entry
from assay_board.pages.routes import pages_router
from assay_board.pages.snapshot import Snapshot
from synthetic_entries import HOSTILE, submission_digest


def submission(number: int, state: str, runs: list[dict[str, Any]], name: str) -> dict[str, Any]:
    return {
        "id": f"s{number:06d}", "digest": submission_digest(name, "nano"), "track": "text", "scale": "nano",
        "name": name, "team": "a team", "state": state, "position": 3 if state == "queued" else None,
        "report": {"ok": True, "n": 1200, "unique": 1200, "form": "ids", "findings": [{"rule": "S4", "severity": "warning", "message": "4.2 epochs", "row": None}]},
        "eta_seconds": 640.0 if state != "done" else None, "runs": runs,
        "created": "2026-09-02T10:00:00+00:00", "updated": "2026-09-02T10:05:00+00:00", "url": "",
    }  # fmt: skip


def run(index: int, state: str, done: int = 0, reason: str = "") -> dict[str, Any]:
    return {
        "seed_index": index, "state": state, "level": "rerun", "attempts": 1, "worker": "gpu-7" if state != "queued" else None,
        "heartbeat_age_seconds": 4.0 if state == "running" else None,
        "progress": {"unit": "tokens", "done": done, "total": 1228800, "rate": 9800.0} if done else None,
        "reason": reason, "record": "sha256:" + "ab" * 32 if state == "done" else None,
    }  # fmt: skip


SUBMISSIONS = [
    submission(4, "queued", [run(j, "queued") for j in range(3)], "waiting"),
    submission(3, "running", [run(0, "done", 1228800), run(1, "running", 400000), run(2, "queued")], "short_documents"),
    submission(2, "failed", [run(0, "failed", reason="out of memory, three times")], HOSTILE),
    submission(1, "done", [run(j, "done", 1228800) for j in range(3)], "oracle"),
]  # fmt: skip


class StillSource:
    """What a server would give, from a list of entries."""

    def __init__(self, entries: Iterable[Entry]) -> None:
        self.held = Snapshot().extended(entries)
        self.heard: float | None = 4.0

    def snapshot(self) -> Snapshot:
        return self.held

    def tracks(self) -> list[dict[str, Any]]:
        scales = [(t, s) for t in ("text", "clip") for s in ("pico", "nano", "micro", "7b-2x")]
        return [{"track": t, "scale": s, "pool": {"available": s != "7b-2x"}} for t, s in scales]

    def last_heard(self) -> float | None:
        return self.heard

    def submissions(self, *, state: str | None = None, **_: Any) -> dict[str, Any]:
        return {"items": [s for s in SUBMISSIONS if state in (None, s["state"])], "next": None}

    def submission(self, submission_id: str) -> dict[str, Any] | None:
        return next((s for s in SUBMISSIONS if s["id"] == submission_id), None)


def make_app(
    entries: Iterable[Entry],
    public: str = "http://127.0.0.1:8080",
    source: StillSource | None = None,
) -> FastAPI:
    app = FastAPI(openapi_url=None)
    source = source or StillSource(entries)

    @app.get("/v1/submissions/{submission_id}/log")
    def log(submission_id: str) -> Any:
        return {
            "items": [{"seed_index": 1, "attempt": 1, "time": "", "line": "step 400 loss 1.2 <b>"}],
            "next": None,
        }

    @app.post("/v1/teams", status_code=201)
    def teams() -> Any:
        return {"team": {"id": 1, "name": "x"}, "token": "secret-token"}

    @app.post("/v1/validations")
    def validations() -> Any:
        return JSONResponse(
            {"type": "about:blank", "title": "Unprocessable", "status": 422, "rule": "S2",
             "detail": "3 ids are not in the pool " + HOSTILE, "findings": [{"rule": "S2", "severity": "error", "message": HOSTILE, "row": 17}]},
            422, media_type="application/problem+json",
        )  # fmt: skip

    app.include_router(pages_router(source, public))
    return app
