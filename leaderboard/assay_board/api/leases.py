"""Workers take runs, are heard of, and bring results."""

from typing import Annotated, Any

from fastapi import APIRouter, Header, Request, Response
from fastapi.responses import FileResponse

from assay_board import queue
from assay_board.api import models
from assay_board.api.access import MAX_BODY_BYTES, AnyBoard, Worker
from assay_board.api.forms import file_of, form_of, form_schema, work_on
from assay_board.audit import note
from assay_board.database import Lease
from assay_board.describe import iso
from assay_board.problems import bad_request
from assay_board.publishing import publish
from assay_board.results import MAX_RECORD_BYTES, MAX_TRACE_BYTES, Result
from assay_board.settings import BoardSettings
from assay_board.text import one_line

MAX_HEARTBEAT_BYTES = 5 << 20
Secret = Annotated[str, Header(alias="Assay-Lease", max_length=100)]


def leases_router(settings: BoardSettings) -> APIRouter:
    """Return the endpoints of workers."""
    router = APIRouter(tags=["workers"])
    router.include_router(_router)
    router.add_api_route(
        "/leases/{lease_id}/result",
        bring_result,
        methods=["POST"],
        status_code=201,
        response_model=models.Published,
        responses={200: {"model": models.Published, "description": "brought before"}},
        openapi_extra=form_schema(("record", "outputs", "trace"), ()),
        max_body_size=settings.max_result_bytes + MAX_RECORD_BYTES + MAX_TRACE_BYTES,
    )
    return router


_router = APIRouter(max_body_size=MAX_BODY_BYTES)


@_router.post(
    "/leases",
    status_code=201,
    response_model=models.LeaseView,
    responses={204: {"description": "nothing to do"}},
)
def take_lease(board: AnyBoard, actor: Worker, asked: models.LeaseRequest) -> Any:
    """Ask for a run."""
    name = one_line(asked.worker, 200)
    if not name:
        raise bad_request("worker: say who asks")
    pairs = [(pair.track, pair.scale) for pair in asked.capabilities.tracks]
    with board.database.write() as session:
        taken = queue.take(session, board.settings, actor, name, pairs)
        if taken is None:
            return Response(status_code=204)
        lease, secret = taken
        return models.LeaseView(
            id=lease.id,
            secret=secret,
            expires=iso(lease.expires),
            heartbeat_seconds=board.settings.heartbeat_seconds,
            job=_job(lease),
        )


def _job(lease: Lease) -> models.Job:
    run, submission = lease.run, lease.run.submission
    return models.Job(
        run=run.id,
        submission=models.JobSubmission(
            id=submission.id,
            digest=submission.digest,
            unit=submission.unit,
            name=submission.name,
            manifest=submission.manifest,
        ),
        track=submission.track,
        scale=submission.scale,
        label=submission.label,
        seal=submission.seal,
        pool=submission.pool,
        seed=run.seed,
        seed_index=run.seed_index,
        epoch=run.epoch,
    )


@_router.get("/leases/{lease_id}/list", response_class=FileResponse)
def lease_list(board: AnyBoard, actor: Worker, lease_id: str, secret: Secret) -> FileResponse:
    """Download the list that the run trains on."""
    with board.database.read() as session:
        lease = queue.held(session, board.settings, actor, lease_id, secret)
        path = board.list_path(lease.run.submission.digest)
    return FileResponse(
        path, media_type="application/vnd.apache.parquet", filename="submission.parquet"
    )


@_router.post("/leases/{lease_id}/heartbeat", max_body_size=MAX_HEARTBEAT_BYTES)
def heartbeat(
    board: AnyBoard, actor: Worker, lease_id: str, secret: Secret, asked: models.Heartbeat
) -> models.Beat:
    """Say that a run goes on, how far it is, and what it printed."""
    progress = asked.progress.model_dump() if asked.progress else None
    lines = [one_line(line, 2000) for line in asked.log]
    with board.database.write() as session:
        lease = queue.owned(session, actor, lease_id, secret)
        # A sign of life that the worker's own result overtook is no bad news.
        if lease.state != "finished":
            queue.held(session, board.settings, actor, lease_id, secret)
            queue.beat(session, board.settings, lease, progress, lines)
        expires = lease.expires
    return models.Beat(expires=iso(expires))


@_router.post("/leases/{lease_id}/failure", status_code=204)
def fail(
    board: AnyBoard, actor: Worker, lease_id: str, secret: Secret, asked: models.Failure
) -> Response:
    """Give a run back that came to nothing."""
    reason = one_line(asked.reason, 1000)
    with board.database.write() as session:
        lease = queue.held(session, board.settings, actor, lease_id, secret)
        lease.state = "failed"
        queue.give_back(lease.run, board.settings, reason, retryable=asked.retryable)
        note(session, board.now(), actor, "lease.failure", lease_id, reason=reason)
    return Response(status_code=204)


@_router.post("/leases/{lease_id}/return", status_code=204)
def give_back(
    board: AnyBoard, actor: Worker, lease_id: str, secret: Secret, asked: models.Return
) -> Response:
    """Give a run back because the worker is stopped or its machine taken away; no attempt is used up."""
    reason = one_line(asked.reason, 1000)
    with board.database.write() as session:
        lease = queue.held(session, board.settings, actor, lease_id, secret)
        queue.hand_back(lease, board.now(), reason)
        note(session, board.now(), actor, "lease.return", lease_id, reason=reason)
    return Response(status_code=204)


async def bring_result(
    request: Request,
    response: Response,
    board: AnyBoard,
    actor: Worker,
    lease_id: str,
    secret: Secret,
) -> models.Published:
    """Bring record, per-item outputs and trace; every number is computed again before it counts."""
    async with form_of(request, files=3, fields=0) as form:
        names = ("record", "outputs", "trace")
        result = Result(*(file_of(form, name)[0] for name in names))
        digest, index, new = await work_on(request, publish, board, actor, lease_id, secret, result)
    if not new:
        response.status_code = 200
    return models.Published(record=digest, entry=index)
