"""What a record rests on, as files: `assay verify ADDRESS` fetches them and computes everything again."""

from pathlib import Path
from typing import Any

import sqlalchemy as sa
from fastapi import APIRouter
from fastapi.responses import FileResponse

from assay_board.api import models
from assay_board.api.access import MAX_BODY_BYTES, AnyBoard, LedgerSize
from assay_board.api.ledger import entry_of
from assay_board.database import Mark
from assay_board.problems import not_found

router = APIRouter(tags=["ledger"], max_body_size=MAX_BODY_BYTES)
PARQUET = "application/vnd.apache.parquet"
NUMPY = "application/octet-stream"


@router.get("/records/{digest}/list", response_class=FileResponse)
def show_list(board: AnyBoard, digest: str) -> FileResponse:
    """Download the list that a run trained on, in canonical form, as Parquet."""
    record = entry_of(board, digest).body
    return _file(board.list_path(record["submission"]["digest"]), PARQUET, "list", record)


@router.get("/records/{digest}/outputs", response_class=FileResponse)
def show_outputs(board: AnyBoard, digest: str) -> FileResponse:
    """Download a run's per-item outputs, which every metric follows from, as Parquet."""
    record = entry_of(board, digest).body
    path = board.result_folder(record["digest"]) / "outputs.parquet"
    return _file(path, PARQUET, "outputs", record)


@router.get("/records/{digest}/trace", response_class=FileResponse)
def show_trace(board: AnyBoard, digest: str) -> FileResponse:
    """Download the loss of every step of a run, float32 (steps,), as `.npy`."""
    record = entry_of(board, digest).body
    return _file(board.result_folder(record["digest"]) / "trace.npy", NUMPY, "trace", record)


@router.get("/records/{digest}/epoch")
def show_epoch(board: AnyBoard, size: LedgerSize, digest: str) -> models.Page[dict[str, Any]]:
    """Show the entries that commit to the key of a run's seed and, once its epoch has ended, publish it."""
    source = entry_of(board, digest).body.get("seed_source") or {}
    query = sa.select(Mark.index).where(Mark.kind == "epoch", Mark.target == source.get("epoch"))
    with board.database.read() as session:
        indices = list(session.scalars(query.order_by(Mark.index)))
    items = [board.ledger.read(index).plain() for index in indices]
    return models.Page(items=items, next=None)


def _file(path: Path, media: str, name: str, record: dict[str, Any]) -> FileResponse:
    digits = record["digest"][7:19]
    if not path.is_file():
        raise not_found(f"{name} of record {digits} on this server, only the record")
    return FileResponse(path, media_type=media, filename=f"{digits}-{name}{path.suffix}")
