"""The hidden ground truth of a generated pool: beside it, never inside, aligned to its rows."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from assay.artifact import atomic_file
from assay.pool.manifest import ROWS_FILE, UIDS_FILE, truth_path


def write_truth_part(path: Path, truth: Sequence[Mapping[str, Any] | None]) -> None:
    """Keep one shard's truth until the pool is finished; write nothing where there is none."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    names = sorted({name for one in truth if one for name in one})
    if not names:
        return
    columns = {name: [(one or {}).get(name) for one in truth] for name in names}
    with atomic_file(path) as stream:
        pq.write_table(pa.table(columns), stream)


def write_truth(pool: Path, parts: Sequence[tuple[Path, int]]) -> None:
    """Join the shards' truth, in the order of the pool's rows; write nothing where there is none.

    Args:
        pool: The pool's folder, with its index written.
        parts: File of each shard, which may be absent, and the shard's documents.
    """
    import pyarrow as pa
    import pyarrow.parquet as pq

    if not any(path.is_file() for path, _ in parts):
        return
    tables = [
        pq.read_table(path) if path.is_file() else pa.table({"_": pa.nulls(rows)})
        for path, rows in parts
    ]
    stored = pa.concat_tables(tables, promote_options="permissive")
    positions = np.load(pool / ROWS_FILE, allow_pickle=False)
    uids = np.load(pool / UIDS_FILE, allow_pickle=False)
    raw = np.stack([uids["f0"], uids["f1"]], axis=1).astype(">u8").tobytes()
    uid = pa.FixedSizeBinaryArray.from_buffers(pa.binary(16), len(uids), [None, pa.py_buffer(raw)])
    table = stored.take(pa.array(positions)).drop_columns(
        [name for name in stored.column_names if name == "_"]
    )
    with atomic_file(truth_path(pool)) as stream:
        pq.write_table(table.add_column(0, "uid", uid), stream)
