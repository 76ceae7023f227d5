"""Teams hand in records of runs that they trained elsewhere."""

from fastapi import APIRouter, Request, Response

from assay_board.api import models
from assay_board.api.access import AnyBoard, Uploader
from assay_board.api.forms import file_of, form_of, form_schema, work_on
from assay_board.reporting import report
from assay_board.results import MAX_RECORD_BYTES, MAX_TRACE_BYTES, Result
from assay_board.settings import BoardSettings


def reported_router(settings: BoardSettings) -> APIRouter:
    """Return the endpoint."""
    router = APIRouter(tags=["submissions"])
    router.add_api_route(
        "/submissions/{submission_id}/reported",
        report_run,
        methods=["POST"],
        status_code=201,
        response_model=models.Reported,
        responses={200: {"model": models.Reported, "description": "handed in before"}},
        openapi_extra=form_schema(
            ("record", "outputs", "trace"), (), optional=("outputs", "trace")
        ),
        max_body_size=settings.max_result_bytes + MAX_RECORD_BYTES + MAX_TRACE_BYTES,
    )
    return router


async def report_run(
    request: Request, response: Response, board: AnyBoard, actor: Uploader, submission_id: str
) -> models.Reported:
    """Hand in a run that you trained: its record, and for level `checked` its per-item outputs and losses."""
    async with form_of(request, files=3, fields=0) as form:
        with_outputs = form.keys() & {"outputs", "trace"}
        names = ("record", "outputs", "trace") if with_outputs else ("record",)
        result = Result(*(file_of(form, name)[0] for name in names))
        listed = await work_on(request, report, board, actor, submission_id, result)
    if listed.new:
        request.app.state.screening.wake()
    else:
        response.status_code = 200
    return models.Reported(record=listed.record, entry=listed.entry, level=listed.level)
