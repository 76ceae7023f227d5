"""The queue: workers lease runs, are heard of, and bring a result, or lose what they hold."""

import hmac
import secrets
from collections.abc import Sequence
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Session, joinedload

from assay.canonical import digest_bytes
from assay_board.audit import Actor, note
from assay_board.database import Lease, LogLine, Run, Submission
from assay_board.problems import ProblemError, not_found
from assay_board.settings import BoardSettings
from assay_board.states import PENDING, move

MAX_LOG_LINES = 5_000
"""Kept of a run; older ones make room."""
ORDER = (Run.attempts, Run.submission_number, Run.seed_index)
"""Who comes first; a run that was tried before stands behind those that were not."""


def take(
    session: Session,
    settings: BoardSettings,
    actor: Actor,
    worker: str,
    pairs: Sequence[tuple[str, str]],
) -> tuple[Lease, str] | None:
    """Lease the next run to a worker.

    Args:
        session: A transaction that writes.
        settings: For how long.
        actor: Who asks, with scope `work`.
        worker: What it calls itself.
        pairs: Tracks and scales that it can run; none for all.

    Returns:
        The lease and its secret, which is shown once; None where there is nothing to do.
    """
    assert actor.token_id is not None, "workers have tokens"
    now = settings.clock()
    expire(session, settings)
    query = sa.select(Run).join(Submission).where(Run.state == "queued", Submission.screened)
    if pairs:
        query = query.where(sa.tuple_(Submission.track, Submission.scale).in_(list(pairs)))
    # On PostgreSQL workers that ask at once get different runs and do not wait for each other.
    run = session.scalar(query.order_by(*ORDER).limit(1).with_for_update(of=Run, skip_locked=True))
    if run is None:
        return None
    secret = secrets.token_urlsafe(32)
    lease = Lease(
        id=secrets.token_hex(8),
        run_id=run.id,
        token_id=actor.token_id,
        secret=_digest(secret),
        worker=worker,
        state="active",
        created=now,
        expires=now + settings.lease_seconds,
    )
    session.add(lease)
    run.attempts += 1
    run.worker = worker
    move(run, "leased", now)
    run.heartbeat = now
    note(session, now, actor, "lease.take", lease.id, run=run.id, worker=worker)
    session.flush()
    return lease, secret


def expire(session: Session, settings: BoardSettings) -> int:
    """Take runs away from workers that were not heard of in time; return how many."""
    now = settings.clock()
    lost = session.scalars(
        sa.select(Lease)
        .where(Lease.state == "active", Lease.expires < now)
        .with_for_update(skip_locked=True)
    ).all()
    for lease in lost:
        lease.state = "lost"
        reason = f"worker {lease.worker} was not heard of for {settings.lease_seconds:g} s"
        give_back(lease.run, settings, reason)
    session.flush()
    return len(lost)


def give_back(run: Run, settings: BoardSettings, reason: str, *, retryable: bool = True) -> None:
    """Queue a run again, or make it a dead letter with its reason."""
    if run.state != "leased":
        return
    if retryable and run.attempts < settings.max_attempts:
        move(run, "queued", settings.clock(), reason)
        return
    tried = f" (attempt {run.attempts} of {settings.max_attempts})" if retryable else ""
    move(run, "failed", settings.clock(), reason + tried)


def hand_back(lease: Lease, now: float, reason: str) -> None:
    """Queue a run again where it stood before it was leased."""
    lease.state = "returned"
    lease.run.attempts -= 1
    move(lease.run, "queued", now, reason)


def held(
    session: Session, settings: BoardSettings, actor: Actor, lease_id: str, secret: str
) -> Lease:
    """Return a lease that is held by whoever asks.

    Raises:
        ProblemError: L1, 404 if it is not theirs; 410 if it is lost, withdrawn or ended.
    """
    lease = owned(session, actor, lease_id, secret)
    if lease.state == "active" and lease.expires >= settings.clock():
        return lease
    told = "lost" if lease.state == "active" else lease.state
    raise ProblemError(410, f"the lease is {told}; stop the run and ask for another", "L1")


def owned(session: Session, actor: Actor, lease_id: str, secret: str) -> Lease:
    """Return a lease in any state, if who asks was given it.

    Raises:
        ProblemError: L1, in the same words whether there is none or it is another's.
    """
    lease = session.get(Lease, lease_id, with_for_update=True) if lease_id.isascii() else None
    if (
        lease is None
        or lease.token_id != actor.token_id
        or not hmac.compare_digest(lease.secret, _digest(secret))
    ):
        raise ProblemError(404, "you hold no such lease; ask for one: POST /v1/leases", "L1")
    return lease


def beat(
    session: Session,
    settings: BoardSettings,
    lease: Lease,
    progress: dict[str, Any] | None,
    lines: Sequence[str],
) -> None:
    """Hear of a worker, whose lease is good for longer now."""
    now, run = settings.clock(), lease.run
    lease.expires = now + settings.lease_seconds
    run.heartbeat = now
    if progress is not None:
        run.progress = progress
    session.add_all(
        LogLine(run_id=run.id, attempt=run.attempts, time=now, line=line) for line in lines
    )
    session.flush()
    if lines:
        oldest = session.scalar(
            sa.select(LogLine.id)
            .where(LogLine.run_id == run.id)
            .order_by(LogLine.id.desc())
            .offset(MAX_LOG_LINES)
            .limit(1)
        )
        session.execute(
            sa.delete(LogLine).where(LogLine.run_id == run.id, LogLine.id <= (oldest or 0))
        )


def withdraw(session: Session, now: float, actor: Actor, submission: Submission) -> None:
    """End what has not ended of a submission; what is scored stays in the ledger.

    Raises:
        ProblemError: A2, if it is another team's; 409 if all of it has ended.
    """
    check_owner(actor, submission)
    pending = [run for run in submission.runs if run.state in PENDING]
    if not pending:
        raise ProblemError(
            409, f"the submission is {submission.state}: there is nothing to withdraw"
        )
    for run in pending:
        session.execute(
            sa.update(Lease)
            .where(Lease.run_id == run.id, Lease.state == "active")
            .values(state="withdrawn")
        )
        move(run, "withdrawn", now)
    note(session, now, actor, "submission.withdraw", submission.id)


def check_owner(actor: Actor, submission: Submission) -> None:
    """Check that who asks may decide about a submission.

    Raises:
        ProblemError: A2, if it is another team's.
    """
    if actor.scope != "admin" and actor.team_id != submission.team_id:
        raise ProblemError(403, "this is another team's submission", "A2")


def find_submission(session: Session, submission_id: str, *, lock: bool = False) -> Submission:
    """Return a submission by its public id.

    Raises:
        ProblemError: If there is none.
    """
    query = sa.select(Submission).where(Submission.id == submission_id)
    query = query.options(joinedload(Submission.team, innerjoin=True), joinedload(Submission.runs))
    if lock:
        query = query.with_for_update(of=Submission)
    found = session.scalars(query).unique().one_or_none()
    if found is None:
        raise not_found(f"submission {submission_id[:40]!r}")
    return found


def _digest(secret: str) -> str:
    return digest_bytes(secret.encode())
