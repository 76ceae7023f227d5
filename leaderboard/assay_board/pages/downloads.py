"""Boards as files: CSV, JSON and Parquet with the same columns, a row a submission."""

import io
from collections.abc import Callable
from typing import Any

from assay.canonical import canonical_json
from assay.compare.tables import csv_text
from assay_board.pages.views.board import Board, Row


def board_rows(board: Board) -> list[dict[str, Any]]:
    """Return the rows with every number in full."""
    return [_plain(board, row) for row in board.rows]


def _plain(board: Board, row: Row) -> dict[str, Any]:
    scores: dict[str, Any] = {}
    for metric, mean, half in zip(board.metrics, row.means, row.half_widths, strict=True):
        scores |= {metric.name: mean, f"{metric.name}_half_width": half}
    return {
        "table": board.table.label,
        "seal": board.table.digests["seal"],
        "pool": board.table.digests["pool"],
        "state": row.state,
        "rank": row.rank,
        "rank_low": row.low,
        "rank_high": row.high,
        "p_best": row.p_best,
        "name": row.name,
        "submission": row.digest,
        "level": row.level,
        "seeds": row.seeds,
        **scores,
        "unique": row.unique,
        "unique_frac": row.unique_frac,
        "repeats": row.repeats,
        "curation_seconds": row.curation_seconds,
        "retracted_because": row.reason,
    }


def board_csv(*boards: Board) -> bytes:
    """Return boards of one track as CSV."""
    rows = [row for board in boards for row in board_rows(board)]
    columns = list(rows[0]) if rows else ["table"]
    return csv_text(columns, rows).encode("utf-8")


def board_json(board: Board) -> bytes:
    """Return the board as one JSON document, with the noise that ranks rest on."""
    noise = board.scores[0].noise
    head = {
        "table": board.table.label,
        "digests": dict(board.table.digests),
        "metric": board.metrics[0].name,
        "lower_is_better": board.metrics[0].lower_is_better,
        "entries": board.size,
        "pooled_sd": noise.sd,
        "degrees": noise.degrees,
        "minimal_detectable_effect": board.detectable,
    }
    return canonical_json(head | {"rows": board_rows(board)}) + b"\n"


def board_parquet(*boards: Board) -> bytes:
    """Return boards of one track as Parquet."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    sink = io.BytesIO()
    rows = [row for board in boards for row in board_rows(board)]
    pq.write_table(pa.Table.from_pylist(rows), sink, compression="zstd")
    return sink.getvalue()


FORMATS: dict[str, tuple[str, Callable[[Board], bytes]]] = {
    "csv": ("text/csv; charset=utf-8", board_csv),
    "json": ("application/json", board_json),
    "parquet": ("application/vnd.apache.parquet", board_parquet),
}
"""Ending to media type and writer."""
