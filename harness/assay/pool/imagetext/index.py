"""Arrays aligned to the rows of a pool of pairs: where images lie, captions, rows of the metadata.

Rows lie in storage in random order. Each array is scattered into a memory-mapped file, one shard
after the other, so that memory is bounded by a shard and eight bytes for each stored pair.
"""

import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from assay.artifact import atomic_file
from assay.canonical import digest_file
from assay.pool.imagetext.payload import file_size
from assay.pool.imagetext.shard import PAIRS_FILE
from assay.pool.manifest import ROWS_FILE, SHARDS_FOLDER, SidecarEntry, StoredShard
from assay.pool.sources import is_url

if TYPE_CHECKING:
    import pyarrow as pa

LOCATIONS_FILE = "locations.npy"
CAPTIONS_FILE = "captions.arrow"
PAYLOAD_FILE = "payload.arrow"
METADATA_ROWS_FILE = "metadata_rows.npy"

LOCATION = np.dtype([("file", "<u4"), ("offset", "<u8"), ("length", "<u4")])
"""Of an image: number of its file in `payload.arrow`, first byte, number of bytes."""

METADATA_ROW = np.dtype([("file", "<u4"), ("row", "<u4")])


@dataclass(frozen=True)
class PairIndex:
    """What the arrays came to.

    Attributes:
        num_bytes: Caption bytes of the rows.
        image_bytes: Encoded bytes of the rows' images.
        files: File name -> digest.
    """

    num_bytes: int
    image_bytes: int
    files: dict[str, str]


def write_pair_index(
    folder: Path, work: Path, shards: Sequence[StoredShard], sidecars: Sequence[SidecarEntry]
) -> PairIndex:
    """Write the arrays; `uids.npy` and `rows.npy` are there.

    Args:
        folder: The pool.
        work: Folder for temporary files.
        shards: In storage order.
        sidecars: Files of features; where there are none, nothing leads to them.
    """
    positions = np.load(folder / ROWS_FILE, allow_pickle=False)
    stored = Stored(folder, shards, positions)
    locations = work / LOCATIONS_FILE
    image_bytes = _write_locations(stored, folder, locations)
    _publish(locations, folder / LOCATIONS_FILE)
    num_bytes = _write_captions(stored, work, folder / CAPTIONS_FILE)
    names = [LOCATIONS_FILE, CAPTIONS_FILE, PAYLOAD_FILE]
    if sidecars:
        _write_metadata_rows(stored, sidecars, work / METADATA_ROWS_FILE)
        _publish(work / METADATA_ROWS_FILE, folder / METADATA_ROWS_FILE)
        names.append(METADATA_ROWS_FILE)
    return PairIndex(num_bytes, image_bytes, {n: digest_file(folder / n) for n in names})


class Stored:
    """The pairs of all shards, with the rows that lead to them."""

    def __init__(self, folder: Path, shards: Sequence[StoredShard], positions: NDArray[np.int64]):
        """Invert `rows.npy`.

        Args:
            folder: The pool.
            shards: In storage order.
            positions: (n,) positions of the rows.
        """
        self.n = len(positions)
        self._files = [folder / SHARDS_FOLDER / shard.name / PAIRS_FILE for shard in shards]
        self._rows = np.full(sum(shard.rows for shard in shards), -1, dtype=np.int64)
        self._rows[positions] = np.arange(self.n)

    def scan(self, columns: list[str]) -> Iterator[tuple[NDArray[np.int64], "pa.Table"]]:
        """Yield shard after shard: rows, -1 for a repeated pair that no row refers to, and the table."""
        import pyarrow.parquet as pq

        start = 0
        for file in self._files:
            table = pq.read_table(file, columns=columns)
            rows = self._rows[start : start + len(table)]
            start += len(table)
            yield rows, table

    def scan_kept(self, column: str) -> Iterator[tuple[NDArray[np.int64], "pa.ChunkedArray"]]:
        """Yield one column, shard after shard, without repeated pairs."""
        import pyarrow as pa

        for rows, table in self.scan([column]):
            kept = np.flatnonzero(rows >= 0)
            yield rows[kept], table[column].take(pa.array(kept))


def _write_locations(stored: Stored, folder: Path, path: Path) -> int:
    """Write where images lie, and the files that they lie in; return the sum of their bytes."""
    import pyarrow as pa

    numbers: dict[str, int] = {}
    image_bytes = 0
    target = _create(path, LOCATION, stored.n)
    for rows, table in stored.scan(["file", "offset", "length"]):
        files = table["file"].to_pylist()
        values = np.empty(len(rows), dtype=LOCATION)
        values["file"] = [numbers.setdefault(file, len(numbers)) for file in files]
        values["offset"] = table["offset"].to_numpy()
        values["length"] = table["length"].to_numpy()
        kept = rows >= 0
        target[rows[kept]] = values[kept]
        image_bytes += int(values["length"][kept].sum(dtype=np.int64))
    _flush(target)
    sizes = [file_size(f if is_url(f) else str(folder / f)) for f in numbers]
    payload = pa.table(
        {"path": pa.array(list(numbers), pa.large_string()), "size": pa.array(sizes, pa.int64())}
    )
    write_ipc(folder / PAYLOAD_FILE, payload)
    return image_bytes


def _write_captions(stored: Stored, work: Path, path: Path) -> int:
    """Write captions as one Arrow array; return their bytes."""
    import pyarrow as pa
    import pyarrow.compute as pc

    offsets = _create(work / "caption_offsets.npy", np.dtype("<i8"), stored.n + 1)
    for rows, captions in stored.scan_kept("text"):
        offsets[rows + 1] = pc.call_function("binary_length", [captions]).to_numpy()
    np.cumsum(offsets, out=offsets)
    num_bytes = int(offsets[-1])
    texts = _create(work / "captions.npy", np.dtype("u1"), num_bytes)
    for rows, captions in stored.scan_kept("text"):
        encoded = captions.cast(pa.large_binary()).to_pylist()
        for row, data in zip(rows.tolist(), encoded, strict=True):
            start = int(offsets[row])
            texts[start : start + len(data)] = np.frombuffer(data, dtype=np.uint8)
    _flush(texts)
    buffers = [None, pa.py_buffer(offsets), pa.py_buffer(texts)]
    array = pa.Array.from_buffers(pa.large_string(), stored.n, buffers)
    write_ipc(path, pa.table({"text": array}))
    return num_bytes


def _write_metadata_rows(stored: Stored, sidecars: Sequence[SidecarEntry], path: Path) -> None:
    starts = np.cumsum([0, *(sidecar.rows for sidecar in sidecars)])
    target = _create(path, METADATA_ROW, stored.n)
    for rows, column in stored.scan_kept("metadata_row"):
        joined = column.to_numpy()
        values = np.empty(len(rows), dtype=METADATA_ROW)
        values["file"] = starts.searchsorted(joined, side="right") - 1
        values["row"] = joined - starts[values["file"]]
        target[rows] = values
    _flush(target)


def write_ipc(path: Path, table: "pa.Table") -> None:
    """Write an uncompressed Arrow file of one batch, which can be memory-mapped."""
    import pyarrow as pa

    with atomic_file(path) as stream, pa.ipc.new_file(stream, table.schema) as writer:
        writer.write_table(table)


def _create(path: Path, dtype: np.dtype, length: int) -> NDArray[Any]:
    """Create a file of zeros, mapped for writing; numpy maps no empty array."""
    descr = np.lib.format.dtype_to_descr(dtype)
    with path.open("wb") as stream:
        header = {"descr": descr, "fortran_order": False, "shape": (length,)}
        np.lib.format.write_array_header_1_0(stream, header)
        stream.truncate(stream.tell() + length * dtype.itemsize)
    return np.load(path, mmap_mode="r+" if length else None, allow_pickle=False)


def _flush(array: NDArray[Any]) -> None:
    if isinstance(array, np.memmap):
        array.flush()


def _publish(work: Path, path: Path) -> None:
    """Move a whole file to where it belongs."""
    descriptor = os.open(work, os.O_RDONLY)
    os.fsync(descriptor)
    os.close(descriptor)
    work.replace(path)
