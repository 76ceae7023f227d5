"""Parquet lists: columns checked, and sizes added up, before anything is decoded."""

from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from assay.errors import SubmissionError
from assay.pool.uid import UID_DTYPE, uids_from_bytes
from assay.submission.entries import Entries
from assay.submission.ids import parse_ids
from assay.submission.lines import COLUMNS, MAX_LINE_BYTES
from assay.submission.parquet_size import measure_parquet

_BYTES_PER_ENTRY = 128  # decoded: an id, three numbers and their levels take about 70
_SLACK_BYTES = 1 << 20


def read_parquet(path: Path, max_entries: int) -> Entries:
    """Read columns `uid` (text or 16 bytes), `repeats`, `stage`, `share`.

    Raises:
        SubmissionError: F4 (damaged, nested, other columns, or over a cap), S1 (no id) or S3 (no
            integer).
    """
    try:
        _check_caps(path, max_entries)
        return _read(path)
    except SubmissionError:
        raise
    except Exception as error:  # whatever a forged file makes of metadata and of pyarrow
        reason = f"{type(error).__name__} {' '.join(str(error).split())[:200]}"
        raise SubmissionError("F4", f"{path.name} cannot be decoded: {reason}") from None


def _check_caps(path: Path, max_entries: int) -> None:
    """Bound what decoding can cost."""
    size = measure_parquet(path)
    if size.num_rows > max_entries:
        raise SubmissionError(
            "F4", f"{path.name} has {size.num_rows:,} rows; at most {max_entries:,} fit here"
        )
    cap = _SLACK_BYTES + size.num_rows * _BYTES_PER_ENTRY
    if size.num_bytes > cap:
        raise SubmissionError(
            "F4",
            f"{path.name} unpacks to {size.num_bytes:,} bytes for {size.num_rows:,} rows; no id list "
            "does",
        )


def _read(path: Path) -> Entries:
    import pyarrow.parquet as pq

    metadata = pq.read_metadata(path)
    names = _check_columns(path, metadata.schema.to_arrow_schema())
    parts: list[dict[str, NDArray[Any]]] = []
    num_rows = 0
    with pq.ParquetFile(
        path,
        metadata=metadata,
        # One long string that a million rows refer to would otherwise be decoded a million times.
        read_dictionary=["uid"],
        arrow_extensions_enabled=False,
        pre_buffer=False,
    ) as file:
        for group in range(metadata.num_row_groups):
            # Whole groups: in batches, each would carry the dictionary of all before it.
            for batch in file.read_row_group(group, columns=names).to_batches():
                parts.append(_convert(path, batch, num_rows))
                num_rows += batch.num_rows
    if not parts:
        return Entries(uids=np.empty(0, dtype=UID_DTYPE))
    if len({frozenset(part) for part in parts}) > 1:
        raise SubmissionError("S1", "some ids have a chunk number (uid#k) and some have none")
    joined: dict[str, Any] = {
        key: np.concatenate([part[key] for part in parts]) for key in parts[0]
    }
    return Entries(**joined)


def _check_columns(path: Path, schema: Any) -> list[str]:
    """Return the columns to read: all there are, but for pandas' own index."""
    import pyarrow as pa

    names = [name for name in schema.names if not name.startswith("__index_level_")]
    if "uid" not in names or not set(names) <= set(COLUMNS) or len(set(names)) != len(names):
        raise SubmissionError(
            "F4",
            f"{path.name}: columns are out of {', '.join(COLUMNS)}, uid always; got "
            f"{', '.join(names)[:80]}; write those alone, such as frame[['uid']].to_parquet(...)",
        )
    for name in names:
        kind = schema.field(name).type
        if pa.types.is_dictionary(kind):
            kind = kind.value_type
        accepted = {
            "uid": kind in (pa.string(), pa.large_string(), pa.binary(16), pa.uuid()),
            "share": pa.types.is_floating(kind),
        }.get(name, pa.types.is_integer(kind))
        if not accepted:
            raise SubmissionError("F4", f"{path.name}: column {name} has type {kind}")
    return names


def _convert(path: Path, batch: Any, first_row: int) -> dict[str, NDArray[Any]]:
    columns: dict[str, NDArray[Any]] = {}
    for name in batch.schema.names:
        column = batch.column(name)
        if column.null_count:
            row = first_row + column.is_null().index(True).as_py()
            raise SubmissionError("S1", f"column {name} is null here", row)
        if name == "uid":
            columns["uids"], chunks = _ids(path, column, first_row)
            if chunks is not None:
                columns["chunks"] = chunks
        else:
            kind = np.float64 if name == "share" else np.int64
            columns[name] = column.to_numpy(zero_copy_only=False).astype(kind)
    return columns


def _ids(
    path: Path, column: Any, first_row: int
) -> tuple[NDArray[np.void], NDArray[np.int64] | None]:
    import pyarrow as pa

    if column.type == pa.binary(16):
        return uids_from_bytes(b"".join(column.to_pylist())), None
    texts = column.dictionary.to_pylist()
    if any(len(text) > MAX_LINE_BYTES for text in texts):
        raise SubmissionError("F4", f"{path.name} has an id of over {MAX_LINE_BYTES} bytes")
    return parse_ids([texts[index] for index in column.indices.to_pylist()], first_row)
