"""States of runs and submissions, and the one place where they change.

run         queued -> leased -> done
              ^         |---> failed      reported as hopeless, or tried too often: a dead letter
              |---------|                 lost or failed, and tried again
            queued or leased -> withdrawn
submission  screening -> queued -> running -> done | failed; withdrawn from any but the last two, and while it
            has no run at all
"""

from typing import Literal

from assay_board.database import Run, Submission

RunState = Literal["queued", "leased", "done", "failed", "withdrawn"]
SubmissionState = Literal["screening", "queued", "running", "done", "failed", "withdrawn"]

PENDING = ("queued", "leased")
UNUSED = ("failed", "withdrawn")
"""Runs in these states use no quota up."""


def move(run: Run, state: RunState, now: float, reason: str = "") -> None:
    """Change a run's state, and with it that of its submission."""
    run.state, run.reason, run.updated = state, reason, now
    if state != "leased":
        run.progress, run.heartbeat = {}, None
    settle(run.submission, now)


def settle(submission: Submission, now: float) -> None:
    """Let a submission's state follow from its runs'."""
    submission.state = _state(submission)
    submission.updated = now


def _state(submission: Submission) -> SubmissionState:
    states = {run.state for run in submission.runs}
    if states <= {"withdrawn"}:
        return "withdrawn"
    if not submission.screened:
        return "screening"
    if states & set(PENDING):
        return "queued" if states <= {"queued", "withdrawn", "failed"} else "running"
    return "failed" if "failed" in states else "done"
