"""A pool in parts: each is read once, in place, and leaves one Parquet file for every signal."""

import json
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from assay.artifact import atomic_file
from assay.pool import AnyPool, load_pool
from assay.signals.columns import Examples, PerExample
from assay.signals.store import check_columns

if TYPE_CHECKING:
    import pyarrow as pa

PART_EXAMPLES = 10_000
"""What a kill costs at most, in each process."""

BATCH_BYTES = 1_000_000
"""Text looked at in one go: arrays made of it stay near the processor, and few at a time in memory."""


@dataclass(frozen=True)
class Part:
    """Consecutive row groups of a shard's table.

    Attributes:
        shard: Its number.
        groups: First row group, and one after the last.
        start: Position in storage of the first example.
        stop: One after that of the last.
    """

    shard: int
    groups: tuple[int, int]
    start: int
    stop: int

    @property
    def file_name(self) -> str:
        """Return what its files are called."""
        return f"part-{self.start:012d}-{self.stop:012d}.parquet"


def parts_of(pool: AnyPool) -> list[Part]:
    """Cut a pool into parts of about `PART_EXAMPLES`, in storage order."""
    import pyarrow.parquet as pq

    parts: list[Part] = []
    position = 0
    for shard in range(len(pool.manifest.shards)):
        metadata = pq.read_metadata(pool.shard_file(shard, pool.table_file))
        first, start = 0, position
        for group in range(metadata.num_row_groups):
            position += metadata.row_group(group).num_rows
            if position - start >= PART_EXAMPLES or group + 1 == metadata.num_row_groups:
                parts.append(Part(shard, (first, group + 1), start, position))
                first, start = group + 1, position
    return parts


def compute_part(where: str, part: Part, wanted: Sequence[tuple[PerExample, Path]]) -> int:
    """Compute signals on one part and leave a Parquet file of each.

    Args:
        where: Of the pool, which is opened here: this runs in a process of its own.
        part: What to read.
        wanted: Signals, each with the file to write; files that are there already are kept.

    Returns:
        Examples read.
    """
    import pyarrow as pa
    import pyarrow.parquet as pq

    missing = [(signal, path) for signal, path in wanted if not path.is_file()]
    made: dict[str, list[dict[str, Any]]] = {signal.name: [] for signal, _ in missing}
    seconds = dict.fromkeys(made, 0.0)
    reads = sorted({name for signal, _ in missing for name in signal.reads})
    for examples in _read(_open(where), part, reads):
        for signal, _ in missing:
            started = time.process_time()
            columns = signal.compute(examples)
            check_columns(signal, columns, len(examples))
            made[signal.name].append(dict(columns))
            seconds[signal.name] += time.process_time() - started + examples.shared.ready_seconds()
    for signal, path in missing:
        batches = made[signal.name]
        table = pa.table({name: _joined([b[name] for b in batches]) for name in signal.columns})
        note = {"cpu_seconds": json.dumps(seconds[signal.name])}
        with atomic_file(path) as stream:
            pq.write_table(table.replace_schema_metadata(note), stream, compression="zstd")
    return part.stop - part.start


def join_column(pool: AnyPool, files: Sequence[Path], name: str) -> NDArray[Any]:
    """Return one column of all parts in the order of the pool's rows.

    Args:
        pool: Whose rows they are.
        files: Of all its parts, in storage order.
        name: Of the column.
    """
    import pyarrow.parquet as pq

    joined: NDArray[Any] | None = None
    place = 0
    for file in files:
        values = _to_numpy(pq.read_table(file, columns=[name])[name])
        rows = pool.rows_in_storage[place : place + len(values)]
        place += len(values)
        if joined is None or values.dtype.itemsize > joined.dtype.itemsize:
            joined = _widened(joined, (pool.n, *values.shape[1:]), values.dtype)
        joined[rows[rows >= 0]] = values[rows >= 0]
    assert joined is not None, "a pool has a part"
    return joined


def _widened(
    joined: NDArray[Any] | None, shape: tuple[int, ...], dtype: np.dtype[Any]
) -> NDArray[Any]:
    """Return room for a column; texts of a later part may be longer than those before."""
    return np.empty(shape, dtype=dtype) if joined is None else joined.astype(dtype)


def cpu_seconds(file: Path) -> float:
    """Return the processor time that a part's file took."""
    import pyarrow.parquet as pq

    return float(json.loads((pq.read_schema(file).metadata or {})[b"cpu_seconds"]))


def _read(pool: AnyPool, part: Part, reads: Sequence[str]) -> Iterator[Examples]:
    """Yield a part's examples in batches of bounded size."""
    import pyarrow.parquet as pq

    place = part.start
    with pq.ParquetFile(pool.shard_file(part.shard, pool.table_file)) as file:
        for group in range(*part.groups):
            columns = list(reads) or ["uid"]
            table = file.read_row_group(group, columns=columns).combine_chunks()
            for batch in table.to_batches():
                for start, stop in _cuts(batch):
                    rows = pool.rows_in_storage[place : place + stop - start]
                    yield Examples(pool, rows, batch.slice(start, stop - start))
                    place += stop - start


def _cuts(batch: "pa.RecordBatch") -> Iterator[tuple[int, int]]:
    """Yield ranges of examples with about `BATCH_BYTES` of text each."""
    if "text" not in batch.schema.names:
        yield 0, len(batch)
        return
    import pyarrow.compute as pc

    lengths = pc.binary_length(batch["text"])  # pyright: ignore[reportAttributeAccessIssue]
    sizes = lengths.to_numpy(zero_copy_only=False)
    wall = np.cumsum(sizes, dtype=np.int64) // BATCH_BYTES
    edges = [0, *(np.flatnonzero(np.diff(wall)) + 1).tolist(), len(batch)]
    yield from pairwise(edges)


def _joined(arrays: Sequence[NDArray[Any]]) -> "pa.Array":
    """Return an Arrow array of values, or of vectors of one size."""
    import pyarrow as pa

    values = np.concatenate(arrays)
    if values.ndim == 1:
        return pa.array(values.tolist() if values.dtype.kind in "SU" else values)
    return pa.FixedSizeListArray.from_arrays(pa.array(values.reshape(-1)), values.shape[1])


def _to_numpy(column: "pa.ChunkedArray") -> NDArray[Any]:
    import pyarrow as pa

    array = column.combine_chunks()
    array = array.combine_chunks() if isinstance(array, pa.ChunkedArray) else array
    if isinstance(array, pa.FixedSizeListArray):
        return array.flatten().to_numpy(zero_copy_only=False).reshape(len(array), -1)
    values = array.to_numpy(zero_copy_only=False)
    return values.astype(str) if values.dtype.kind == "O" else values


@lru_cache(maxsize=1)
def _open(where: str) -> AnyPool:
    return load_pool(where)
