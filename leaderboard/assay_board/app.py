"""The application: everything that a server answers, put together."""

import shutil
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from functools import partial
from typing import Any

from anyio import CapacityLimiter
from anyio.to_thread import current_default_thread_limiter
from fastapi import APIRouter, FastAPI
from fastapi.responses import JSONResponse
from starlette.middleware.gzip import DEFAULT_EXCLUDED_CONTENT_TYPES, GZipMiddleware

from assay import __version__
from assay.canonical import digest_json
from assay_board.api import models
from assay_board.api.access import MAX_BODY_BYTES, AnyBoard
from assay_board.api.artifacts import NUMPY, PARQUET
from assay_board.api.artifacts import router as artifacts_router
from assay_board.api.handlers import Finish, HeadAsGet, add_handlers
from assay_board.api.leases import leases_router
from assay_board.api.ledger import router as ledger_router
from assay_board.api.reported import reported_router
from assay_board.api.submissions import submissions_router
from assay_board.boards import Boards
from assay_board.context import UNDER_WAY, Board
from assay_board.kept import KeptAnswers
from assay_board.pages.cache import BoardCache
from assay_board.pages.routes import pages_router
from assay_board.problems import TYPE, not_found
from assay_board.screening import Screening
from assay_board.settings import BoardSettings
from assay_board.source import BoardSource
from assay_board.warming import warm

_PROBLEM = {"content": {TYPE: {"schema": models.ProblemDocument.model_json_schema()}}}
_REFUSALS: dict[int | str, dict[str, Any]] = {
    "4XX": _PROBLEM | {"description": "refused"},
    "5XX": _PROBLEM | {"description": "failed, or not now"},
}

PACKED = (*DEFAULT_EXCLUDED_CONTENT_TYPES, PARQUET, NUMPY)
"""Not compressed again."""

_about = APIRouter(tags=["server"], max_body_size=MAX_BODY_BYTES)


@_about.get("/health")
def health(board: AnyBoard) -> dict[str, Any]:
    """Say that the server works, and how large its ledger is."""
    return {"ok": True, "version": __version__, "entries": board.refresh()}


@_about.get("/tracks", response_model=models.Page[dict[str, Any]])
def tracks(board: AnyBoard) -> JSONResponse:
    """List tracks and scales: budget, pool, rules, seal, how large a list may be."""
    items = board.law.tracks()
    tag = {"ETag": f'W/"{digest_json(items)[7:39]}"', "Cache-Control": "no-cache"}
    return JSONResponse({"items": items, "next": None}, headers=tag)


def _nowhere(path: str) -> None:
    raise not_found(f"/v1/{path[:100]}; see: /v1/openapi.json")


def create_app(settings: BoardSettings) -> FastAPI:
    """Return the server; it opens ledger and database at once, and screens lists while it runs.

    Raises:
        UserError: If the ledger or the database cannot be used.
    """
    board = Board(settings)
    # What a server that was killed was just receiving; nobody was told that it arrived.
    shutil.rmtree(settings.folder / "incoming", ignore_errors=True)
    source = BoardSource(board)

    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        current_default_thread_limiter().total_tokens = settings.threads
        app.state.screening = Screening(board)
        app.state.screening.start()
        yield
        app.state.screening.stop()
        board.close()

    app = FastAPI(
        title="Assay leaderboard",
        version="1",
        summary="Hand in a list of example ids, get a score that the server computed itself.",
        openapi_url="/v1/openapi.json",
        # Both would load scripts from elsewhere.
        docs_url=None,
        redoc_url=None,
        lifespan=lifespan,
    )
    app.state.board = board
    app.state.uploads = CapacityLimiter(settings.upload_threads)
    app.state.boards = Boards(board)
    app.state.source, app.state.cache = source, (cache := BoardCache())
    app.state.warm = partial(warm, board, source, cache)
    # The last one is asked first: an answer is kept as it was compressed.
    app.add_middleware(Finish)
    app.add_middleware(GZipMiddleware, compresslevel=5, exclude_content_types=PACKED)
    app.add_middleware(
        KeptAnswers, stamp=lambda path: (board.stamp(path), cache.built), untagged=UNDER_WAY
    )
    app.add_middleware(HeadAsGet)
    add_handlers(app)
    uploads = submissions_router(settings), reported_router(settings), leases_router(settings)
    for router in (_about, *uploads, ledger_router, artifacts_router):
        app.include_router(router, prefix="/v1", responses=_REFUSALS)
    app.add_api_route("/v1/{path:path}", _nowhere, methods=["GET"], include_in_schema=False)
    finders = source.list_path, source.trace_path, source.pool_of
    pages = pages_router(source, settings.public_url, *finders, cache)
    app.include_router(pages)
    return app
