"""One file of documents: JSON lines (plain, gzip, zstd), Parquet or an Arrow stream.

What is broken inside a file is a `Problem`; a file that cannot be opened, or a connection that
breaks, ends the build, which the same command resumes.
"""

import zlib
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any, BinaryIO

from assay.canonical import digest_bytes
from assay.errors import PoolError
from assay.pool.lines import decompress, read_json_lines
from assay.pool.records import Fields, read_record
from assay.pool.tables import Item, Table, document_columns

if TYPE_CHECKING:
    from fsspec import AbstractFileSystem

LINES = tuple(
    f".{kind}{end}" for kind in ("jsonl", "ndjson", "json") for end in ("", ".gz", ".zst")
)
SUFFIXES = (*LINES, ".parquet", ".arrow")

_PLAIN_BLOCK = 1 << 20
_GZIP_BLOCK = 1 << 16
_ZSTD_BLOCK = 1 << 11
"""Compressed bytes decoded at a time. Two KiB of zstd hold at most 512 blocks of 128 KiB."""

_END_BYTES = 1 << 20


class SourceFile:
    """A file at a path or fsspec URL, looked at without opening it.

    Attributes:
        name: Path relative to the folder that all sources of the build share.
        size: Bytes of the file; 0 where the server does not say.
        done: Bytes read by the running `records`.
        unit: `B`.
    """

    unit = "B"

    def __init__(self, name: str, filesystem: "AbstractFileSystem", path: str):
        """Look at it.

        Raises:
            PoolError: If it is absent.
        """
        self.name = name
        self.done = 0
        self._filesystem = filesystem
        self._path = path
        try:
            self.size = int(filesystem.info(path).get("size") or 0)
        except Exception as error:  # every fsspec backend has its own
            raise self._unreadable(error) from None

    @property
    def fingerprint(self) -> str:
        """Return the size and a digest of both ends; a copy elsewhere, or later, has the same.

        Reading all of a source before reading it would double the work of a build: an edit that keeps
        the size and touches only the middle of a file over 2 MB goes unnoticed.
        """
        try:
            head = self._filesystem.read_block(self._path, 0, _END_BYTES)
            tail = self._filesystem.read_block(
                self._path, max(0, self.size - _END_BYTES), _END_BYTES
            )
        except Exception as error:
            raise self._unreadable(error) from None
        return f"{self.size} bytes, {digest_bytes(head, tail)}"

    def _open(self) -> Any:
        """Open it for reading.

        Raises:
            PoolError: If it cannot be.
        """
        try:
            return self._filesystem.open(self._path, "rb")
        except Exception as error:
            raise self._unreadable(error) from None

    def _rows(
        self, raw: BinaryIO, open_table: Callable[[BinaryIO], Table], start: int
    ) -> Iterator[Item]:
        """Yield the rows of a table from `start` on."""
        try:
            table = open_table(raw)
        except PoolError as error:
            raise PoolError(f"{self._path}: {error}") from None
        except Exception as error:
            raise self._unreadable(error) from None
        try:
            for place, item in table.rows(start):
                self.done = self.size * place // table.num_rows if table.num_rows else raw.tell()
                yield place, item
        except OSError as error:
            raise self._unreadable(error) from None

    def _unreadable(self, error: Exception) -> PoolError:
        return PoolError(
            f"cannot read {self._path} ({type(error).__name__}: {error}); check the path and your "
            "access to it; the same command goes on from what is built"
        )


def suffix_of(path: str) -> str:
    """Return what a path ends in, without dot; a web address may have a query behind it."""
    bare = path.split("?", 1)[0] if path.startswith("http") else path
    return bare.rsplit(".", 1)[-1]


class FileSource(SourceFile):
    """A file of documents.

    Its attributes are those of `SourceFile`.
    """

    def __init__(self, name: str, filesystem: "AbstractFileSystem", path: str, fields: Fields):
        """Look at the file, without opening it.

        Raises:
            PoolError: If it is absent, or of no known kind.
        """
        bare = path.split("?", 1)[0] if path.startswith("http") else path
        if not bare.endswith(SUFFIXES):
            raise PoolError(
                f"{path} is of no known kind; pools are built from {', '.join(SUFFIXES)}, folders "
                "of these, and datasets saved with save_to_disk"
            )
        super().__init__(name, filesystem, path)
        self._fields = fields
        self._kind = suffix_of(path)

    def records(self, start: int) -> Iterator[Item]:
        """Yield the file's items from place `start` on: lines, or rows of a table.

        Raises:
            PoolError: If the file cannot be opened, or stops being readable.
        """
        self.done = 0
        raw = self._open()
        with raw:
            if self._kind in ("parquet", "arrow"):
                yield from self._rows(raw, self._table, start)
            else:
                yield from read_json_lines(self._decoded(raw), start, self._fields)
        self.done = self.size

    def _table(self, raw: BinaryIO) -> Table:
        return Table(
            raw,
            self._kind,
            lambda schema: document_columns(schema, self._fields),
            lambda row: read_record(row, self._fields),
        )

    def _decoded(self, raw: BinaryIO) -> Iterator[bytes]:
        if self._kind == "gz":
            return decompress(self._blocks(raw, _GZIP_BLOCK), lambda: zlib.decompressobj(31))
        if self._kind == "zst":
            import zstandard

            decompressor = zstandard.ZstdDecompressor()
            return decompress(self._blocks(raw, _ZSTD_BLOCK), decompressor.decompressobj)
        return self._blocks(raw, _PLAIN_BLOCK)

    def _blocks(self, raw: BinaryIO, block_bytes: int) -> Iterator[bytes]:
        while True:
            try:
                block = raw.read(block_bytes)
            except Exception as error:
                raise self._unreadable(error) from None
            if not block:
                return
            self.done += len(block)
            yield block
