"""The ledger and what follows from it: records, proofs, boards. Every answer is tagged with the ledger."""

from typing import Annotated, Any

import sqlalchemy as sa
from fastapi import APIRouter, Query, Request, Response

from assay.board import board_json
from assay.errors import LedgerError
from assay.ledger import RANKED_LEVELS, Entry, prove_record
from assay_board.api import models
from assay_board.api.access import MAX_BODY_BYTES, AnyBoard, Cursor, LedgerSize, Limit, page
from assay_board.boards import Boards, list_boards, standing_of
from assay_board.context import Board
from assay_board.database import RecordRow
from assay_board.pages.cache import BoardCache
from assay_board.pages.downloads import board_csv, board_parquet
from assay_board.problems import ProblemError, bad_request, not_found

MAX_ENTRIES = 100
router = APIRouter(tags=["ledger"], max_body_size=MAX_BODY_BYTES)
Word = Annotated[str | None, Query(max_length=100)]
Whole = Annotated[int, Query(ge=0, le=10**15)]


@router.get("/records")
def list_records(
    board: AnyBoard,
    size: LedgerSize,
    cursor: Cursor,
    limit: Limit = 50,
    track: Word = None,
    scale: Word = None,
    submission: Word = None,
) -> models.Page[dict[str, Any]]:
    """List records, newest first, with what a board shows of each."""
    query = sa.select(RecordRow)
    filters = {
        RecordRow.track: track,
        RecordRow.scale: scale,
        RecordRow.submission: submission,
    }
    for column, value in filters.items():
        if value is not None:
            query = query.where(column == value)
    if cursor is not None:
        query = query.where(RecordRow.index < cursor)
    with board.database.read() as session:
        rows = list(session.scalars(query.order_by(RecordRow.index.desc()).limit(limit + 1)))
        now = standing_of(session, board)
    shown, following = page(rows, limit, lambda row: row.index)
    items = []
    for row in shown:
        retraction = now.retraction(row.summary)
        items.append(
            {
                "index": row.index,
                "level": row.level,
                "ranked": row.level in RANKED_LEVELS and retraction is None,
                "retracted": retraction and retraction.reason,
                **now.corrected_record(row.summary),
            }
        )
    return models.Page(items=items, next=following)


@router.get("/records/{digest}")
def show_record(board: AnyBoard, size: LedgerSize, digest: str) -> dict[str, Any]:
    """Show a record as it was signed, and what was said about it later."""
    entry = entry_of(board, digest)
    with board.database.read() as session:
        now = standing_of(session, board)
    retraction = now.retraction(entry.body)
    signed = {key: value for key, value in entry.plain().items() if key != "body"}
    return {
        "record": entry.body,
        "entry": signed,
        "retracted": retraction and vars(retraction),
        "manifest": now.corrected_record(entry.body)["submission"]["manifest"],
    }


@router.get("/records/{digest}/proof")
def show_proof(board: AnyBoard, size: LedgerSize, digest: str) -> dict[str, Any]:
    """Prove that the ledger holds a record, under its signed head; `assay ledger verify` checks the answer."""
    entry_of(board, digest)
    try:
        return prove_record(board.ledger, digest)
    except LedgerError as error:  # its head is just being signed
        raise ProblemError(503, str(error), retry_after=1) from None


def entry_of(board: Board, digest: str) -> Entry:
    """Return the entry of a record.

    Raises:
        ProblemError: 404, if the ledger has none.
    """
    index = board.ledger.find(digest)
    if index is None:
        raise not_found(f"record {digest[:80]!r}")
    return board.ledger.read(index)


@router.get("/ledger/head")
def ledger_head(board: AnyBoard, size: LedgerSize) -> dict[str, Any]:
    """Show the signed head: size and root of the whole ledger."""
    return board.ledger.head().plain()


@router.get("/ledger/entries")
def ledger_entries(
    board: AnyBoard,
    size: LedgerSize,
    start: Whole = 0,
    limit: Annotated[int, Query(ge=1, le=MAX_ENTRIES)] = MAX_ENTRIES,
) -> models.Page[dict[str, Any]]:
    """List entries as they are on disk; a copy of all of them verifies offline."""
    stop = min(start + limit, size)
    items = [board.ledger.read(index).plain() for index in range(start, stop)]
    return models.Page(items=items, next=str(stop) if stop < size and items else None)


@router.get("/ledger/consistency")
def ledger_consistency(
    board: AnyBoard,
    size: LedgerSize,
    old: Annotated[int, Query(ge=0, le=10**15, alias="from")],
    new: Annotated[int, Query(ge=0, le=10**15, alias="to")],
) -> dict[str, Any]:
    """Prove that the ledger of `to` entries continues the one of `from`."""
    if not old <= new <= size:
        raise bad_request(f"from and to: 0 <= from <= to <= {size}, got {old} and {new}")
    return {
        "from": old,
        "to": new,
        "from_root": board.ledger.root(old),
        "to_root": board.ledger.root(new),
        "proof": board.ledger.consistency_proof(old, new),
    }


@router.get("/boards")
def boards(board: AnyBoard, size: LedgerSize) -> models.Page[dict[str, Any]]:
    """List the boards that have records."""
    with board.database.read() as session:
        return models.Page(items=list_boards(session), next=None)


@router.get("/boards/{track}/{scale}.csv", response_class=Response)
def show_csv(
    request: Request, response: Response, board: AnyBoard, size: LedgerSize, track: str, scale: str
) -> Response:
    """Show the boards of a scale as CSV, with the columns of the download on their pages."""
    text = board_csv(*_pages(request, board, track, scale))
    return Response(text, media_type="text/csv; charset=utf-8", headers=dict(response.headers))


@router.get("/boards/{track}/{scale}.parquet", response_class=Response)
def show_parquet(
    request: Request, response: Response, board: AnyBoard, size: LedgerSize, track: str, scale: str
) -> Response:
    """Show the boards of a scale as Parquet, with the columns of the download on their pages."""
    data = board_parquet(*_pages(request, board, track, scale))
    kind = "application/vnd.apache.parquet"
    return Response(data, media_type=kind, headers=dict(response.headers))


@router.get("/boards/{track}/{scale}")
def show_board(
    request: Request, board: AnyBoard, size: LedgerSize, track: str, scale: str
) -> dict[str, Any]:
    """Show a board: a table for each seal and pool, best first."""
    return board_json(_tables(request, board, size, track, scale))


def _pages(request: Request, board: Board, track: str, scale: str) -> list[Any]:
    board.law.scale(track, scale)
    snapshot = request.app.state.source.snapshot()
    cache: BoardCache = request.app.state.cache
    return [cache.board(snapshot, table) for table in snapshot.boards(track, scale)]


def _tables(request: Request, board: Board, size: int, track: str, scale: str) -> list[Any]:
    board.law.scale(track, scale)
    cache: Boards = request.app.state.boards
    return cache.tables(track, scale, size)
