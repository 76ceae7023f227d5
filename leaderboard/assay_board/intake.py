"""Lists come in: read by the code of `assay validate`, stored in canonical form, queued."""

import json
import secrets
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO

import sqlalchemy as sa
from sqlalchemy.orm import Session, joinedload

from assay.canonical import digest_bytes
from assay.errors import SubmissionError
from assay.pool import AnyPool
from assay.seeds import epoch_seed
from assay.submission import Manifest, Report, sidecar_path, validate_file, write_submission
from assay.submission.manifest import examine_manifest
from assay.submission.read import format_of
from assay.track.load import LoadedScale
from assay_board.audit import Actor, note
from assay_board.context import Board
from assay_board.database import APPENDED, Run, Submission, Team, alone
from assay_board.limits import check_quota
from assay_board.problems import ProblemError, bad_request
from assay_board.states import UNUSED, settle


@dataclass(frozen=True)
class Examined:
    """A list and what validation says of it.

    Attributes:
        loaded: Track and scale.
        pool: The candidates.
        report: Of validation.
        manifest: What is right in the manifest.
    """

    loaded: LoadedScale
    pool: AnyPool
    report: Report
    manifest: Manifest

    def refuse_invalid(self) -> None:
        """Raise what a list that breaks a rule is answered with.

        Raises:
            ProblemError: 422, with the rule of the first error and every finding.
        """
        errors = [finding for finding in self.report.findings if finding.severity == "error"]
        if errors:
            plain = self.report.plain()
            detail = f"{errors[0].message} (offline, with all findings: assay validate)"
            raise ProblemError(422, detail, errors[0].rule, tuple(plain["findings"]), plain)


@contextmanager
def examine(
    board: Board, stream: BinaryIO, name: str, manifest: str | None, track: str, scale: str
) -> Iterator[Examined]:
    """Validate an upload; nothing of it is left when the block ends.

    Args:
        board: The server.
        stream: The list, at its beginning.
        name: As the participant calls the file; its end says the format, and nothing else of it is used.
        manifest: JSON, or None.
        track: Name.
        scale: Name.

    Raises:
        ProblemError: If there is no such track, or no such format.
    """
    loaded = board.law.scale(track, scale)
    pool = board.law.pool(loaded)
    folder = board.settings.folder / "incoming" / secrets.token_hex(8)
    folder.mkdir(parents=True)
    try:
        path = folder / f"list{_format(name)}"
        with path.open("wb") as file:
            shutil.copyfileobj(stream, file, 1 << 20)
        if manifest is not None:
            sidecar_path(path).write_bytes(manifest.encode("utf-8", "surrogatepass"))
        with board.intake:
            report = validate_file(path, pool, loaded.rules, loaded.recipe.budget)
        found = Manifest() if manifest is None else examine_manifest(sidecar_path(path))[0]
        yield Examined(loaded, pool, report, found)
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _format(name: str) -> str:
    """Return the suffix of a file name that nobody vouches for."""
    try:
        return format_of(Path("list" + name[-20:].replace("/", "").replace("\0", "")))
    except SubmissionError as error:
        formats = error.message.rpartition("formats are ")[2]
        raise ProblemError(
            422, f"the file's name does not say its format; formats are {formats}", "F1"
        ) from None


def read_seeds(text: str | None, board: Board) -> int:
    """Return how many runs are asked for; none where the team trains itself and hands in records later.

    Raises:
        ProblemError: Q1, if that is no number within bounds.
    """
    most = board.settings.max_seeds
    if text is None or text == "":
        return board.settings.seeds
    if not (text.isascii() and text.isdigit() and len(text) < 4 and int(text) <= most):
        raise bad_request(f"seeds: expected a number from 0 to {most}, got {text[:20]!r}")
    return int(text)


def accept(board: Board, actor: Actor, examined: Examined, seeds: int) -> tuple[Submission, bool]:
    """Store and queue a list that breaks no rule; it survives whatever happens next.

    With no seeds it waits for runs that its team trains. The same list on the same track and scale is the same
    submission. Where its team hands it in again, what failed or was withdrawn of it is queued again, and further
    seeds are if more are asked for. Where nothing came of it, it is the submission of whoever hands it in next:
    nobody can keep a list from the others.

    Returns:
        The submission, and whether anything was queued.

    Raises:
        ProblemError: R1, if the team's runs of this week are used up.
    """
    examined.refuse_invalid()
    found = examined.report.submission
    assert found is not None, "a list that cannot be read was refused"
    loaded, now = examined.loaded, board.now()
    with board.database.write() as session:
        alone(session, "lists")  # of two equal ones one is first
        known = _known(session, found.digest, loaded.label)
        if known is not None:
            return known, _queue_again(session, board, actor, known, examined.manifest, seeds)
        _check_quota(session, board, actor, loaded, max(seeds, 1))
        # Whole on disk before the database says that it is there.
        path = board.list_path(found.digest)
        if not path.is_file():
            write_submission(found, path)
        made = _submission(session, board, actor, examined, now)
        if seeds:
            _add_runs(session, board, made, range(seeds), "rerun")
        session.add(made)
        settle(made, now)
        note(session, now, actor, "submission.accept", made.id, seeds=seeds)
        session.info[APPENDED] = True
        return made, True


def _known(session: Session, digest: str, label: str) -> Submission | None:
    query = sa.select(Submission).where(Submission.digest == digest, Submission.label == label)
    return session.scalar(query.options(joinedload(Submission.team)))


def _check_quota(
    session: Session, board: Board, actor: Actor, loaded: LoadedScale, runs: int
) -> None:
    assert actor.team_id is not None, "lists are handed in by teams"
    allowed = board.settings.runs_per_week
    check_quota(session, board.now(), actor.team_id, loaded.track, loaded.scale, runs, allowed)


def _queue_again(
    session: Session,
    board: Board,
    actor: Actor,
    known: Submission,
    manifest: Manifest,
    seeds: int,
) -> bool:
    """Queue what came to nothing, under the same seeds, and seeds beyond those that were asked for."""
    again = [run for run in known.runs if run.state in UNUSED]
    if actor.team_id != known.team_id:
        if len(again) < len(known.runs):
            return False
        known.team = session.get_one(Team, actor.team_id)
        known.name, known.manifest = manifest.name, _plain(manifest)
        note(session, board.now(), actor, "submission.take", known.id)
    asked = sum(run.level == "rerun" for run in known.runs)
    following = next_index(known)
    more = range(following, following + seeds - asked)  # none where as many were asked for before
    if not seeds or not (again or more):
        return False
    now = board.now()
    loaded = board.law.scale(known.track, known.scale)
    _check_quota(session, board, actor, loaded, len(again) + len(more))
    for run in again:
        run.state, run.attempts, run.reason, run.queued, run.updated = "queued", 0, "", now, now
    _add_runs(session, board, known, more, "rerun")
    settle(known, now)
    note(session, now, actor, "submission.again", known.id, runs=len(again) + len(more))
    return True


def _plain(manifest: Manifest) -> dict[str, Any]:
    return json.loads(json.dumps(manifest.plain()))


def _submission(
    session: Session, board: Board, actor: Actor, examined: Examined, now: float
) -> Submission:
    loaded, report, manifest = examined.loaded, examined.report, examined.manifest
    found = report.submission
    assert found is not None
    assert actor.team_id is not None
    return Submission(
        id=submission_id(found.digest, loaded.label),
        digest=found.digest,
        track=loaded.track,
        scale=loaded.scale,
        label=loaded.label,
        seal=loaded.seal,
        pool=examined.pool.root,
        unit=found.unit,
        name=manifest.name,
        manifest=_plain(manifest),
        report=report.plain(),
        team=session.get_one(Team, actor.team_id),
        state="screening",
        screened=_is_screened(board, report),
        created=now,
        updated=now,
        runs=[],
    )


def _is_screened(board: Board, report: Report) -> bool:
    """Whether nothing is left to look at before training: the list is too long to be read here."""
    assert report.unique is not None
    return report.unique > board.settings.audit_examples


def _add_runs(
    session: Session, board: Board, submission: Submission, indices: range, level: str
) -> None:
    now = board.now()
    epoch, key = board.epochs.current(session, now)
    for index in indices:
        submission.runs.append(
            Run(
                seed_index=index,
                epoch=epoch,
                seed=epoch_seed(key, submission.digest, submission.label, index),
                level=level,
                state="queued",
                attempts=0,
                worker="",
                progress={},
                reason="",
                queued=now,
                updated=now,
            )
        )


def order_official(
    session: Session, board: Board, actor: Actor, submission: Submission, seeds: int
) -> range:
    """Queue runs on fresh seeds whose records are official; return the new seed indices."""
    start = next_index(submission)
    indices = range(start, start + seeds)
    _add_runs(session, board, submission, indices, "official")
    settle(submission, board.now())
    note(session, board.now(), actor, "submission.official", submission.id, seeds=seeds)
    return indices


def next_index(submission: Submission) -> int:
    """Return the number of a submission's next run."""
    return 1 + max((run.seed_index for run in submission.runs), default=-1)


def submission_id(digest: str, label: str) -> str:
    """Return the public id of a list on a track and scale: the same whenever it is handed in."""
    return digest_bytes(f"{digest}\0{label}".encode()).removeprefix("sha256:")[:16]
