"""Rows out of Parquet files and Arrow streams, a small batch at a time."""

from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any, BinaryIO

from assay.errors import PoolError
from assay.pool.records import Fields, Problem

if TYPE_CHECKING:
    import pyarrow as pa

BATCH_ROWS = 128
Item = tuple[int, Any]


class Table:
    """A table of examples, opened.

    Attributes:
        num_rows: All rows; 0 where the file does not say.
    """

    def __init__(
        self,
        raw: BinaryIO,
        kind: str,
        choose: Callable[["pa.Schema"], list[str]],
        read: Callable[[dict[str, Any]], Any],
        batch_rows: int = BATCH_ROWS,
    ):
        """Open it.

        Args:
            raw: The file.
            kind: `parquet`, or `arrow` for an Arrow stream.
            choose: Returns the columns to read.
            read: Turns a row of these into an example or a `Problem`.
            batch_rows: Rows decoded at a time.

        Raises:
            PoolError: As `choose` does. Whatever pyarrow raises where it is no table.
        """
        import pyarrow as pa
        import pyarrow.parquet as pq

        self._read = read
        self._batch_rows = batch_rows
        self._file = pq.ParquetFile(raw) if kind == "parquet" else pa.ipc.open_stream(raw)
        parquet = isinstance(self._file, pq.ParquetFile)
        self.num_rows = self._file.metadata.num_rows if parquet else 0
        schema = self._file.schema_arrow if parquet else self._file.schema
        self._columns = choose(schema)

    def rows(self, start: int) -> Iterator[Item]:
        """Yield row numbers, `start` on, with what the rows hold; what is corrupt ends the table."""
        import pyarrow as pa

        batches, place = self._batches(start)
        try:
            for batch in batches:
                wanted = batch.slice(max(start - place, 0))
                place += batch.num_rows
                for i, row in enumerate(_python_rows(wanted), start=place - wanted.num_rows):
                    yield i, row if isinstance(row, Problem) else self._read(row)
        except (pa.ArrowException, OSError) as error:
            if isinstance(error, OSError) and type(error) is not OSError:
                raise  # a broken connection; pyarrow reports broken content as a plain OSError
            yield place, Problem("corrupt_file", f"after {place:,} rows: {error}")

    def _batches(self, start: int) -> tuple[Iterator["pa.RecordBatch"], int]:
        """Return batches of the wanted columns, and the row number of the first."""
        import pyarrow.parquet as pq

        if not isinstance(self._file, pq.ParquetFile):
            return self._stream_batches(self._file), 0
        place, groups = 0, list(range(self._file.num_row_groups))
        while groups:
            rows = self._file.metadata.row_group(groups[0]).num_rows
            if place + rows > start:
                break
            place += rows
            groups.pop(0)
        return self._file.iter_batches(
            self._batch_rows, row_groups=groups, columns=self._columns
        ), place

    def _stream_batches(self, stream: "pa.RecordBatchReader") -> Iterator["pa.RecordBatch"]:
        for batch in stream:
            for first in range(0, batch.num_rows, self._batch_rows):
                yield batch.select(self._columns).slice(first, self._batch_rows)


def document_columns(schema: "pa.Schema", fields: Fields) -> list[str]:
    """Return the columns that can hold text, an id or a scalar, and `metadata`.

    Raises:
        PoolError: If there is none with the text.
    """
    usable = [field.name for field in schema if is_scalar(field.type) or field.name == "metadata"]
    if fields.text not in usable and "metadata" not in usable:
        raise PoolError(
            f"there is no column {fields.text!r} but {', '.join(schema.names)}; name the one with "
            "the documents: --text-field NAME"
        )
    return usable


def is_scalar(kind: "pa.DataType") -> bool:
    """Tell whether values of the type can be a metadata column, or dates, which become text."""
    import pyarrow as pa

    kind = kind.value_type if pa.types.is_dictionary(kind) else kind
    checks = (
        *(pa.types.is_string, pa.types.is_large_string, pa.types.is_string_view),
        *(pa.types.is_integer, pa.types.is_floating, pa.types.is_boolean),
        *(pa.types.is_timestamp, pa.types.is_date, pa.types.is_fixed_size_binary),
    )
    return any(check(kind) for check in checks)


def _python_rows(batch: "pa.RecordBatch") -> Iterator[dict[str, Any] | Problem]:
    """Yield rows as dicts; dates as text, and a row that is not UTF-8 as a problem."""
    import pyarrow as pa

    for i, column in enumerate(batch.columns):
        if pa.types.is_timestamp(column.type) or pa.types.is_date(column.type):
            batch = batch.set_column(i, batch.schema.names[i], column.cast(pa.string()))
    try:
        rows = batch.to_pylist()
    except UnicodeDecodeError:
        rows = (_one_row(batch.slice(i, 1)) for i in range(batch.num_rows))
    yield from rows


def _one_row(batch: "pa.RecordBatch") -> dict[str, Any] | Problem:
    try:
        return batch.to_pylist()[0]
    except UnicodeDecodeError as error:
        return Problem("bad_encoding", f"byte {error.start}: {error.reason}")
