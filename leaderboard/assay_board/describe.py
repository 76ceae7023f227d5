"""Submissions as the API and the pages show them."""

from datetime import UTC, datetime
from typing import Any

from assay_board.database import Run, Submission
from assay_board.forecast import Outlook


def iso(seconds: float) -> str:
    """Return a time as ISO 8601, in UTC."""
    return datetime.fromtimestamp(seconds, UTC).isoformat(timespec="seconds")


def describe(submission: Submission, outlook: Outlook, now: float, url: str) -> dict[str, Any]:
    """Return everything that is public of a submission."""
    return {
        "id": submission.id,
        "digest": submission.digest,
        "track": submission.track,
        "scale": submission.scale,
        "label": submission.label,
        "name": submission.name,
        "team": submission.team.name,
        "state": submission.state,
        "manifest": submission.manifest,
        "report": submission.report,
        "position": outlook.position,
        "eta_seconds": outlook.eta_seconds,
        "runs": [_run(run, now) for run in submission.runs],
        "created": iso(submission.created),
        "updated": iso(submission.updated),
        "url": f"{url}/submissions/{submission.id}",
    }


def _run(run: Run, now: float) -> dict[str, Any]:
    age = None if run.heartbeat is None else max(0.0, now - run.heartbeat)
    return {
        "seed_index": run.seed_index,
        "state": "running" if run.state == "leased" else run.state,
        "level": run.level,
        "attempts": run.attempts,
        "worker": run.worker,
        "heartbeat_age_seconds": age,
        "progress": run.progress or None,
        "reason": run.reason,
        "record": run.record,
    }
