"""A worker's result: checked as every result is, and against its lease, then appended to the ledger."""

from typing import Any

from assay_board.audit import Actor, note
from assay_board.context import Board
from assay_board.database import Run
from assay_board.index import follow, follow_alone
from assay_board.problems import ProblemError
from assay_board.queue import held, owned
from assay_board.results import Result, check_result, check_same, keep, received


def publish(
    board: Board, actor: Actor, lease_id: str, secret: str, result: Result
) -> tuple[str, int, bool]:
    """Check a result and append its record.

    Returns:
        The record's digest, its index in the ledger, and whether it is new: the same result of a lease that
        has ended well already is acknowledged again.

    Raises:
        ProblemError: L1 for a lease that is not held, W1 to W6 for what does not hold.
    """
    with board.database.write() as session:
        lease = owned(session, actor, lease_id, secret)
        if lease.state != "finished":
            lease = held(session, board.settings, actor, lease_id, secret)
        run, finished = lease.run, lease.state == "finished"
        submission = run.submission
    with received(board, result) as (folder, record):
        if finished:
            return _acknowledge(board, run, record)
        _check_seed(run, record)
        with board.intake:
            check_result(board, submission, folder, record)
        with board.database.write() as session:
            follow_alone(session)
            # It may have been lost, withdrawn or finished meanwhile.
            lease = owned(session, actor, lease_id, secret)
            if lease.state == "finished":
                return _acknowledge(board, lease.run, record)
            lease = held(session, board.settings, actor, lease_id, secret)
            # What a record's digests point at is on disk before the record is.
            keep(board, record, folder)
            entry = board.ledger.append("run", record, lease.run.level)
            follow(session, board.ledger, board.now())
            detail = {"record": record["digest"], "submission": submission.id, "index": entry.index}
            note(session, board.now(), actor, "lease.result", lease_id, **detail)
    return record["digest"], entry.index, True


def _check_seed(run: Run, record: dict[str, Any]) -> None:
    source = {"epoch": run.epoch, "index": run.seed_index}
    told = "is not the one that the lease is for; start the run anew"
    check_same("W3", record["seed"], run.seed, f"seed {told}")
    check_same("W3", record.get("seed_source"), source, f"seed_source {told}")


def _acknowledge(board: Board, run: Run, record: dict[str, Any]) -> tuple[str, int, bool]:
    index = board.ledger.find(record["digest"])
    if record["digest"] != run.record or index is None:
        raise ProblemError(409, "the run has another result already; this one is not kept", "L1")
    return record["digest"], index, False
