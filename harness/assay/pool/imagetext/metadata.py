"""Candidates from metadata files, joined with samples by id.

DataComp publishes Parquet files with a row for each candidate, and beside each of them a `.npz` with
features of the same rows. Samples come in any order, so the metadata are first copied, uncompressed,
to where any row can be read at once, and their ids sorted. The copy goes when the build ends.

    .build/metadata-<fingerprint>/00000.arrow   a file's columns, typed alike in all files
    .build/metadata-<fingerprint>/high.npy ...  ids sorted, and their rows
"""

from collections.abc import Sequence
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from assay.artifact import atomic_file
from assay.console import progress
from assay.errors import PoolError
from assay.pool.columns import MAX_FIELDS
from assay.pool.imagetext.records import (
    CAPTION_FIELDS,
    MEASURED,
    OWN_PAIR_COLUMNS,
    json_text,
    usable_names,
)
from assay.pool.manifest import Column, ColumnType
from assay.pool.readers import SourceFile
from assay.pool.records import Scalar, parse_uid
from assay.pool.sort import ENTRY, first_of_each, sorted_blocks
from assay.pool.sources import match, named
from assay.pool.uid import uids_from_bytes

if TYPE_CHECKING:
    import pyarrow as pa

COPY_ROWS = 4096
"""Rows of a batch of the copy."""

_SORTED = {"high": "f0", "low": "f1", "row": "position"}


class MetadataFile(SourceFile):
    """A Parquet file of candidates. Its attributes are those of `SourceFile`."""

    def open(self) -> Any:
        """Open it.

        Raises:
            PoolError: If it is no Parquet file.
        """
        import pyarrow.parquet as pq

        raw = self._open()
        try:
            return pq.ParquetFile(raw)
        except Exception as error:
            raw.close()
            raise self._unreadable(error) from None

    def sidecar(self) -> str | None:
        """Return path or URL of the features beside it, if there are any."""
        path = self._path.removesuffix(".parquet") + ".npz"
        if not self._filesystem.exists(path):
            return None
        local = "file" in self._filesystem.protocol
        return path if local else self._filesystem.unstrip_protocol(path)


def metadata_files(words: Sequence[str]) -> list[MetadataFile]:
    """Find the files that folders, globs and paths stand for.

    Raises:
        PoolError: If one stands for nothing.
    """
    found = [where for word in words for where in match(word, (".parquet",))]
    return [MetadataFile(name, *where) for name, where in named(found)]


class Metadata:
    """The copy, opened.

    Attributes:
        candidates: Different ids.
        rows: Rows of each file.
        columns: Typed alike in all files.
    """

    def __init__(self, folder: Path, columns: tuple[Column, ...]):
        """Map what `prepare` wrote."""
        import pyarrow as pa

        self.columns = columns
        files = sorted(folder.glob("*.arrow"))
        self._readers = [pa.ipc.open_file(pa.memory_map(str(file))) for file in files]
        self.rows = [_num_rows(reader) for reader in self._readers]
        self._starts = np.cumsum([0, *self.rows])
        self._high, self._low, self._row = (
            np.load(folder / f"{name}.npy", mmap_mode="r", allow_pickle=False).view(np.ndarray)
            for name in _SORTED
        )
        self.candidates = len(self._high)
        self._batch = lru_cache(maxsize=64)(self._load_batch)

    def find(self, uid: bytes) -> int | None:
        """Return the row of a candidate, counted through all files, or None."""
        high = np.uint64(int.from_bytes(uid[:8]))
        low = np.uint64(int.from_bytes(uid[8:]))
        at = int(self._high.searchsorted(high))
        while at < self.candidates and self._high[at] == high:
            if self._low[at] == low:
                return int(self._row[at])
            at += 1
        return None

    def values(self, row: int) -> dict[str, Scalar]:
        """Return the columns of a row that hold something."""
        file = int(self._starts.searchsorted(row, side="right")) - 1
        batch, place = divmod(row - int(self._starts[file]), COPY_ROWS)
        columns = self._batch(file, batch).columns
        found = (
            (c.name, values[place].as_py()) for c, values in zip(self.columns, columns, strict=True)
        )
        return {name: value for name, value in found if value is not None}

    def _load_batch(self, file: int, batch: int) -> "pa.RecordBatch":
        return self._readers[file].get_batch(batch)


def prepare(folder: Path, files: Sequence[MetadataFile], id_field: str) -> Metadata:
    """Copy and sort, or go on with that.

    Args:
        folder: Of this build's metadata alone.
        files: In the order of their rows.
        id_field: Their column of ids.

    Raises:
        PoolError: If a file cannot be read, a row has no id, or there is no row.
    """
    folder.mkdir(parents=True, exist_ok=True)
    columns = _common_columns(files, id_field)
    with progress("reading metadata", len(files), "files") as bar:
        for number, file in enumerate(files):
            if not (folder / f"{number:05d}.arrow").is_file():
                _copy(file, folder, f"{number:05d}", columns, id_field)
            bar.update()
    if not (folder / "row.npy").is_file():
        _sort(folder, len(files))
    return Metadata(folder, columns)


def _common_columns(files: Sequence[MetadataFile], id_field: str) -> tuple[Column, ...]:
    """Return the columns of all files, by name."""
    kinds: dict[str, set[ColumnType]] = {}
    for file in files:
        with file.open() as parquet:
            schema = parquet.schema_arrow
        if id_field not in schema.names:
            raise PoolError(
                f"metadata {file.name} has no column {id_field!r} but {', '.join(schema.names)}; name "
                "the one with the ids: --id-field NAME"
            )
        for field in schema:
            kinds.setdefault(field.name, set()).add(_column_type(field.type))
    left_out = {id_field, *CAPTION_FIELDS, *MEASURED, *OWN_PAIR_COLUMNS}
    names = sorted(usable_names(kinds) - left_out)[:MAX_FIELDS]
    return tuple(Column(name, _widest(kinds[name])) for name in names)


def _column_type(kind: "pa.DataType") -> ColumnType:
    import pyarrow as pa

    if pa.types.is_boolean(kind):
        return "bool"
    if pa.types.is_integer(kind) and not pa.types.is_uint64(kind):
        return "int64"
    return "float64" if pa.types.is_floating(kind) else "string"


def _widest(kinds: set[ColumnType]) -> ColumnType:
    if len(kinds) == 1:
        return next(iter(kinds))
    return "float64" if kinds == {"int64", "float64"} else "string"


def _copy(
    file: MetadataFile, folder: Path, name: str, columns: Sequence[Column], id_field: str
) -> None:
    """Write one file's columns and ids; the columns last, they mark it as done."""
    import pyarrow as pa

    from assay.pool.shard import arrow_type

    schema = pa.schema([(column.name, arrow_type(column.type)) for column in columns])
    with (
        file.open() as parquet,
        atomic_file(folder / f"{name}.arrow") as stream,
        atomic_file(folder / f"{name}.uids") as uids,
        pa.ipc.new_file(stream, schema) as writer,
    ):
        present = set(parquet.schema_arrow.names)
        wanted = [id_field, *(c.name for c in columns if c.name in present)]
        place = 0
        waiting = pa.table({c.name: pa.array([], arrow_type(c.type)) for c in columns})
        for batch in parquet.iter_batches(COPY_ROWS, columns=wanted):
            uids.write(_parse_uids(batch[id_field], file.name, place))
            place += batch.num_rows
            arrays = [
                _cast(batch[c.name], c) if c.name in present else pa.nulls(batch.num_rows, t)
                for c, t in zip(columns, schema.types, strict=True)
            ]
            more = pa.Table.from_arrays(arrays, schema=schema)
            waiting = pa.concat_tables([waiting, more]).combine_chunks()
            if len(waiting) >= COPY_ROWS:
                writer.write_table(waiting.slice(0, COPY_ROWS), COPY_ROWS)
                waiting = waiting.slice(COPY_ROWS)
        if len(waiting):
            writer.write_table(waiting, COPY_ROWS)


def _cast(array: "pa.Array", column: Column) -> "pa.Array":
    """Return a column's values as all files have them; what is no scalar as JSON text."""
    import pyarrow as pa

    from assay.pool.shard import arrow_type

    wanted = arrow_type(column.type)
    nested = pa.types.is_nested(array.type) or pa.types.is_binary(array.type)
    if not nested:
        return array.cast(wanted)
    texts = [None if value is None else json_text(value) for value in array.to_pylist()]
    return pa.array(texts, wanted)


def _parse_uids(array: "pa.Array", file: str, place: int) -> bytes:
    """Return 16 bytes an id."""
    parsed: list[bytes] = []
    for number, value in enumerate(array.to_pylist()):
        uid = parse_uid(value)
        if uid is None:
            raise PoolError(
                f"metadata {file}, row {place + number + 1}: {str(value)[:60]!r} is no 128-bit id in 32 "
                "hex digits; leave that row out"
            )
        parsed.append(uid)
    return b"".join(parsed)


def _sort(folder: Path, num_files: int) -> None:
    """Write the sorted ids with their rows; the first row with an id stays."""
    entries = folder / "entries.bin"
    start = 0
    with entries.open("wb") as stream:
        for number in range(num_files):
            uids = uids_from_bytes((folder / f"{number:05d}.uids").read_bytes())
            block = np.zeros(len(uids), dtype=ENTRY)
            block["f0"], block["f1"] = uids["f0"], uids["f1"]
            block["position"] = np.arange(start, start + len(uids))
            block.tofile(stream)
            start += len(uids)
    unique = folder / "unique.bin"
    count = 0
    with unique.open("wb") as stream:
        for block, fresh in first_of_each(sorted_blocks(entries)):
            block[fresh].tofile(stream)
            count += int(fresh.sum())
    if not count:
        raise PoolError("the metadata have no row; give other files: --metadata M")
    table = np.memmap(unique, dtype=ENTRY, mode="r")
    for name, column in _SORTED.items():
        with atomic_file(folder / f"{name}.npy") as stream:
            np.save(stream, table[column], allow_pickle=False)
    entries.unlink()
    unique.unlink()


def _num_rows(reader: "pa.RecordBatchFileReader") -> int:
    last = reader.num_record_batches - 1
    return 0 if last < 0 else last * COPY_ROWS + reader.get_batch(last).num_rows
