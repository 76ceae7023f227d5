"""A run that its team trained elsewhere: checked as a worker's result is, listed, never ranked.

With outputs and losses every number is computed again (level `checked`); without, the record is taken for what
its team says (`reported`). Either way it is a record of this list, under this law, with a seed that nobody chose.
"""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from sqlalchemy.orm import Session

from assay.ledger import RANKED_LEVELS
from assay_board.audit import Actor, note
from assay_board.context import Board
from assay_board.database import Run, Submission
from assay_board.index import follow, follow_alone
from assay_board.intake import next_index
from assay_board.limits import check_quota
from assay_board.problems import ProblemError
from assay_board.queue import check_owner, find_submission
from assay_board.results import Result, check_result, keep, make_check, received
from assay_board.states import settle


@dataclass(frozen=True)
class Listed:
    """A record that the ledger holds.

    Attributes:
        record: Its digest.
        entry: Its index in the ledger.
        level: `reported` or `checked`.
        new: Whether it was not there before.
    """

    record: str
    entry: int
    level: str
    new: bool


def require_pool(board: Board, track: str, scale: str) -> None:
    """Refuse a list for a team's own runs where no pool is to hold it against; none is built for it.

    Raises:
        ProblemError: S2, or 404 if there is no such track.
    """
    loaded = board.law.scale(track, scale)
    if board.law.built_pool(track, scale) is None:
        raise ProblemError(
            422,
            f"pool {loaded.spec.pool.name} is not on this server, so nothing was checked and nothing kept; ask its "
            "operator to put the pool there",
            "S2",
        )


def report(board: Board, actor: Actor, submission_id: str, result: Result) -> Listed:
    """Check a record that the team of a submission hands in, and append it.

    The same record is acknowledged again.

    Raises:
        ProblemError: A2 for another team's submission, R1 for a quota that is used up, W1 to W6 for what does
            not hold, 409 for a second record of a seed.
    """
    with board.database.read() as session:
        submission = find_submission(session, submission_id)
    check_owner(actor, submission)
    level = "reported" if result.outputs is None else "checked"
    with received(board, result) as (folder, record):
        with board.intake:
            _check(board, submission, folder, record)
        with board.database.write() as session:
            follow_alone(session)
            # It may have become another team's meanwhile.
            found = find_submission(session, submission_id, lock=True)
            check_owner(actor, found)
            listed = _append(session, board, found, folder, record, level)
            if listed.new:
                detail = {"record": listed.record, "level": listed.level, "index": listed.entry}
                note(session, board.now(), actor, "submission.report", found.id, **detail)
    return listed


def _check(board: Board, submission: Submission, folder: Path, record: dict[str, Any]) -> None:
    from assay.verify.digests import check_seed

    if "seed_source" in record:
        raise ProblemError(
            422,
            "a leaderboard drew this record's seed; hand in records that assay score made",
            "W3",
        )
    make_check("W3", check_seed, check_result(board, submission, folder, record))


def _append(
    session: Session,
    board: Board,
    submission: Submission,
    folder: Path,
    record: dict[str, Any],
    level: str,
) -> Listed:
    """Put a record into the ledger, and its run beside the submission's others."""
    digest, index = record["digest"], board.ledger.find(record["digest"])
    if index is not None:
        level = board.ledger.read(index).level
        if any(run.record == digest for run in submission.runs):
            return Listed(digest, index, level, new=False)
    _refuse_second(submission, record, level)
    now, team = board.now(), submission.team_id
    allowed = board.settings.runs_per_week
    check_quota(session, now, team, submission.track, submission.scale, 1, allowed)
    # In the ledger already: the server died before the database said so.
    if index is None:
        if level == "checked":
            keep(board, record, folder)
        index = board.ledger.append("run", record, level).index
        follow(session, board.ledger, now)
    submission.runs.append(_run(submission, record, level, now))
    settle(submission, now)
    return Listed(digest, index, level, new=True)


def _refuse_second(submission: Submission, record: dict[str, Any], level: str) -> None:
    """Refuse to list a run twice.

    Raises:
        ProblemError: 409, if the ledger ranks the record, or has another of its seed.
    """
    digits, seed = record["digest"][7:19], record["seed"]
    if level in RANKED_LEVELS:
        raise ProblemError(409, f"the ledger has record {digits} at level {level}; see its entry")
    for run in submission.runs:
        if run.seed == seed and run.level not in RANKED_LEVELS:
            assert run.record is not None, "it came with its record"
            raise ProblemError(
                409,
                f"seed {seed} is listed already, by record {run.record[7:19]}; hand in another seed's record",
            )


def _run(submission: Submission, record: dict[str, Any], level: str, now: float) -> Run:
    return Run(
        seed_index=next_index(submission),
        epoch="",
        seed=record["seed"],
        level=level,
        state="done",
        attempts=0,
        worker="",
        progress={},
        reason="",
        record=record["digest"],
        queued=now,
        updated=now,
    )
