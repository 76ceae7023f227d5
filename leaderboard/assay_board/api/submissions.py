"""Teams hand lists in; everybody sees what becomes of them."""

from typing import Annotated, Any

import sqlalchemy as sa
from fastapi import APIRouter, Query, Request, Response
from fastapi.responses import FileResponse, JSONResponse
from sqlalchemy.orm import joinedload

from assay.submission.manifest import clean_text
from assay_board.api import models
from assay_board.api.access import (
    MAX_BODY_BYTES,
    AnyBoard,
    Cursor,
    Limit,
    Participant,
    TeamOrAdmin,
    Uploader,
    Visitor,
    page,
)
from assay_board.api.forms import file_of, form_of, form_schema, required, text_of, work_on
from assay_board.audit import Actor, note
from assay_board.boards import standing_of
from assay_board.context import Board
from assay_board.database import LogLine, Run, Submission, Team
from assay_board.describe import describe, iso
from assay_board.index import follow, follow_alone
from assay_board.intake import accept, examine, read_seeds
from assay_board.problems import ProblemError, bad_request
from assay_board.queue import check_owner, find_submission, withdraw
from assay_board.reporting import require_pool
from assay_board.settings import BoardSettings
from assay_board.teams import register, team_name
from assay_board.tokens import mint

FORM_SLACK = 1 << 20
_UPLOAD = form_schema(
    ("list",), ("track", "scale", "manifest", "seeds"), optional=("manifest", "seeds")
)
Word = Annotated[str | None, Query(max_length=100)]


def submissions_router(settings: BoardSettings) -> APIRouter:
    """Return the endpoints of participants."""
    router = APIRouter(tags=["submissions"])
    largest = settings.max_upload_bytes + FORM_SLACK
    router.add_api_route(
        "/validations",
        validate_list,
        methods=["POST"],
        openapi_extra=_UPLOAD,
        max_body_size=largest,
    )
    router.add_api_route(
        "/submissions",
        hand_in,
        methods=["POST"],
        status_code=202,
        response_model=models.Accepted,
        responses={200: {"model": models.Accepted, "description": "handed in before"}},
        openapi_extra=_UPLOAD,
        max_body_size=largest,
    )
    router.include_router(_router)
    return router


_router = APIRouter(max_body_size=MAX_BODY_BYTES)


@_router.post("/teams", status_code=201)
def register_team(board: AnyBoard, actor: Visitor, asked: models.NewTeam) -> models.Registered:
    """Register a team; the token is shown this once."""
    if not board.settings.open_registration:
        raise ProblemError(403, "registration is closed here; ask the operator for a token", "A2")
    name = team_name(asked.name)
    board.registrations.take(actor.address)
    now = board.now()
    expires = now + board.settings.token_seconds
    with board.database.write() as session:
        team = register(session, now, actor, name)
        token = mint(session, now, actor, scope="submit", expires=expires, team=team)
    return models.Registered(
        team=models.Team(id=team.id, name=team.name), token=token, expires=iso(expires)
    )


async def validate_list(request: Request, board: AnyBoard, actor: Uploader) -> dict[str, Any]:
    """Check a list against every rule, as `assay validate` does; nothing is kept."""
    async with form_of(request, files=1, fields=4) as form:
        stream, name = file_of(form, "list")
        fields = required(form, "track"), required(form, "scale"), text_of(form, "manifest")
        return await work_on(request, _validate, board, stream, name, *fields)


def _validate(
    board: Board, stream: Any, name: str, track: str, scale: str, manifest: str | None
) -> dict[str, Any]:
    with examine(board, stream, name, manifest, track, scale) as examined:
        examined.refuse_invalid()
        return examined.report.plain()


async def hand_in(
    request: Request, response: Response, board: AnyBoard, actor: Uploader
) -> dict[str, Any]:
    """Hand a list in: validated now, trained later, with `seeds` 0 by its team. The same list is one submission."""
    async with form_of(request, files=1, fields=4) as form:
        stream, name = file_of(form, "list")
        track, scale = required(form, "track"), required(form, "scale")
        manifest, seeds = text_of(form, "manifest"), read_seeds(text_of(form, "seeds"), board)
        answer, queued = await work_on(
            request, _hand_in, board, actor, stream, name, track, scale, manifest, seeds
        )
    if queued:
        request.app.state.screening.wake()
    else:
        response.status_code = 200
    return {"submission": answer}


def _hand_in(
    board: Board,
    actor: Actor,
    stream: Any,
    name: str,
    track: str,
    scale: str,
    manifest: str | None,
    seeds: int,
) -> tuple[dict[str, Any], bool]:
    if not seeds:
        require_pool(board, track, scale)
    with examine(board, stream, name, manifest, track, scale) as examined:
        submission, queued = accept(board, actor, examined, seeds)
    return view(board, submission), queued


def view(board: Board, submission: Submission) -> dict[str, Any]:
    """Return a submission with its place in the queue."""
    (outlook,) = board.forecast.outlooks(board.ledger.size, [submission])
    return describe(submission, outlook, board.now(), board.settings.public_url)


@_router.get("/submissions", response_model=models.Page[models.SubmissionView])
def list_submissions(
    board: AnyBoard,
    cursor: Cursor,
    limit: Limit = 50,
    track: Word = None,
    scale: Word = None,
    team: Word = None,
    state: Word = None,
) -> JSONResponse:
    """List submissions, newest first."""
    items, following = submissions_page(
        board, cursor, limit, track=track, scale=scale, team=team, state=state
    )
    return JSONResponse({"items": items, "next": following})


def submissions_page(
    board: Board, cursor: int | None, limit: int, **filters: str | None
) -> tuple[list[Any], str | None]:
    """Return a page of submissions as `describe` gives them, and where the next begins."""
    columns = {
        "track": Submission.track,
        "scale": Submission.scale,
        "team": Team.name,
        "state": Submission.state,
    }
    query = sa.select(Submission).join(Team).options(joinedload(Submission.team))
    for name, value in filters.items():
        if value is not None:
            query = query.where(columns[name] == value)
    if cursor is not None:
        query = query.where(Submission.number < cursor)
    query = query.order_by(Submission.number.desc()).limit(limit + 1)
    with board.database.read() as session:
        rows = list(session.scalars(query))
    shown, following = page(rows, limit, lambda row: row.number)
    now, url = board.now(), board.settings.public_url
    ahead = zip(shown, board.forecast.outlooks(board.ledger.size, shown), strict=True)
    return [describe(row, outlook, now, url) for row, outlook in ahead], following


@_router.get("/submissions/{submission_id}", response_model=models.SubmissionView)
def show_submission(board: AnyBoard, submission_id: str) -> JSONResponse:
    """Show a submission: state, place in the queue, runs."""
    # As it is: to be checked against its model, it would wait for another thread.
    return JSONResponse(submission_view(board, submission_id))


def submission_view(board: Board, submission_id: str) -> dict[str, Any]:
    """Return a submission as `describe` gives it.

    Raises:
        ProblemError: If there is none.
    """
    with board.database.read() as session:
        found = find_submission(session, submission_id)
    return view(board, found)


@_router.get("/submissions/{submission_id}/log")
def show_log(
    board: AnyBoard, submission_id: str, cursor: Cursor, limit: Limit = 200
) -> models.Page[models.Line]:
    """Show what workers said while they ran it, oldest first."""
    with board.database.read() as session:
        found = find_submission(session, submission_id)
        query = sa.select(LogLine, Run.seed_index).join(Run, Run.id == LogLine.run_id)
        query = query.where(
            Run.submission_number == found.number, LogLine.id > (0 if cursor is None else cursor)
        )
        rows = session.execute(query.order_by(LogLine.id).limit(limit + 1)).all()
    shown, following = page(list(rows), limit, lambda row: row[0].id)
    lines = [
        models.Line(seed_index=index, attempt=row.attempt, time=iso(row.time), line=row.line)
        for row, index in shown
    ]
    return models.Page(items=lines, next=following)


@_router.get("/submissions/{submission_id}/list", response_class=FileResponse)
def download_list(board: AnyBoard, submission_id: str) -> FileResponse:
    """Download the list in canonical form, as Parquet."""
    with board.database.read() as session:
        found = find_submission(session, submission_id)
    return FileResponse(
        board.list_path(found.digest),
        media_type="application/vnd.apache.parquet",
        filename=f"{found.id}.parquet",
    )


@_router.post("/submissions/{submission_id}/withdraw")
def withdraw_submission(
    board: AnyBoard, actor: TeamOrAdmin, submission_id: str
) -> models.SubmissionView:
    """End what has not ended of a submission."""
    with board.database.write() as session:
        found = find_submission(session, submission_id, lock=True)
        withdraw(session, board.now(), actor, found)
    return models.SubmissionView(**view(board, found))


@_router.post("/submissions/{submission_id}/objections", status_code=201)
def object_to(
    board: AnyBoard, actor: Participant, submission_id: str, asked: models.Objection
) -> dict[str, int]:
    """Say why a submission should not stand; the text becomes an entry of the ledger, for good."""
    try:
        text, contact = clean_text(asked.text, 4000), clean_text(asked.contact, 200)
    except ValueError as error:
        raise bad_request(f"text or contact: {error}") from None
    if not text:
        raise bad_request("text: say what is wrong with the submission")
    board.registrations.take(f"objections {actor.token_id}")
    with board.database.write() as session:
        found = find_submission(session, submission_id)
        # A ledger forgets nothing: where to reach somebody stays in the database.
        body = {"target": found.digest, "text": text, "contact": "", "by": actor.team}
        entry = board.ledger.append("objection", body)
        follow(session, board.ledger, board.now())
        note(session, board.now(), actor, "objection", found.id, entry=entry.index, contact=contact)
    return {"entry": entry.index}


@_router.post("/submissions/{submission_id}/retraction", status_code=201)
def retract_submission(
    board: AnyBoard, actor: TeamOrAdmin, submission_id: str, asked: models.Retraction
) -> dict[str, list[int]]:
    """Let the scores of a submission count no more, by its team or the operator; they stay to be seen."""
    try:
        reason = clean_text(asked.reason, 4000)
    except ValueError as error:
        raise bad_request(f"reason: {error}") from None
    if not reason:
        raise bad_request("reason: say for everybody why")
    with board.database.write() as session:
        follow_alone(session)
        found = find_submission(session, submission_id)
        check_owner(actor, found)
        gone = standing_of(session, board).retracted
        records = [run.record for run in found.runs if run.record and run.record not in gone]
        if not records:
            raise ProblemError(409, "no score of the submission stands; to end its runs: withdraw")
        said = {"reason": reason, "by": actor.team or "operator"}
        # Record by record: the same list may be another team's submission at another scale.
        entries = [board.ledger.append("retraction", {"target": r} | said) for r in records]
        follow(session, board.ledger, board.now())
        numbers = [entry.index for entry in entries]
        note(session, board.now(), actor, "retraction", found.id, entries=numbers)
    return {"entries": numbers}
