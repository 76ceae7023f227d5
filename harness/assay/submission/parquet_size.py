"""What a Parquet file would unpack to, found out without unpacking anything.

pyarrow allocates what a page header claims, up to 2 GB, and never compares it with the footer; and a
footer that is damaged in the wrong place ends the whole process, because some of pyarrow's metadata
objects throw where nothing can catch. So the footer and the page headers are read here first, in plain
Python.

Source:
    https://github.com/apache/parquet-format (parquet.thrift: FileMetaData, PageHeader)
"""

import mmap
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from assay.submission.thrift import CompactReader

MAX_FOOTER_BYTES = 4 << 20
_MAX_PAGES = 1_000_000
_TAIL_BYTES = 8  # length of the footer, then the magic bytes
_PANDAS_INDEX = b"__index_level_"  # never read

# field numbers of parquet.thrift
_NUM_ROWS, _ROW_GROUPS = 3, 4  # FileMetaData
_COLUMNS, _GROUP_ROWS = 1, 3  # RowGroup
_FILE_PATH, _META_DATA = 1, 3  # ColumnChunk
_COLUMN_PATH, _UNPACKED, _PACKED, _DATA_OFFSET, _DICTIONARY_OFFSET = (
    3,
    6,
    7,
    9,
    11,
)  # ColumnMetaData
_PAGE_UNPACKED, _PAGE_PACKED = 2, 3  # PageHeader


@dataclass(frozen=True)
class ParquetSize:
    """What a file holds, by its own account.

    Attributes:
        num_rows: Rows that the footer declares.
        num_bytes: Decoded bytes: the larger of what the footer and what the pages say.
    """

    num_rows: int
    num_bytes: int


def measure_parquet(path: Path) -> ParquetSize:
    """Read the footer and every page header.

    Raises:
        ValueError: If the file is no Parquet, truncated, encrypted, or points outside itself.
    """
    with path.open("rb") as stream, mmap.mmap(stream.fileno(), 0, access=mmap.ACCESS_READ) as data:
        footer = CompactReader(_footer(data)).read_struct()
        num_rows = footer.get(_NUM_ROWS, -1)
        if num_rows < 0:
            raise ValueError("the footer declares no rows")
        declared = unpacked = num_pages = 0
        groups = footer.get(_ROW_GROUPS, [])
        if sum(group[_GROUP_ROWS] for group in groups) != num_rows:
            raise ValueError("the footer contradicts itself about the number of rows")
        for group in groups:
            for chunk in group[_COLUMNS]:
                meta = chunk[_META_DATA]
                if _FILE_PATH in chunk:
                    raise ValueError("a column lies in another file")
                if meta[_COLUMN_PATH][0].startswith(_PANDAS_INDEX):
                    continue
                pages, num_bytes = _measure_pages(data, meta, _MAX_PAGES - num_pages)
                declared += meta[_UNPACKED]
                unpacked += num_bytes
                num_pages += pages
        return ParquetSize(num_rows, max(declared, unpacked))


def _footer(data: mmap.mmap) -> bytes:
    end = len(data) - _TAIL_BYTES
    length = int.from_bytes(data[max(0, end) : end + 4], "little")
    if end < 4 or data[end + 4 :] != b"PAR1" or length > min(end - 4, MAX_FOOTER_BYTES):
        raise ValueError("it has no valid footer; it is truncated")
    return data[end - length : end]


def _measure_pages(data: mmap.mmap, meta: dict[int, Any], max_pages: int) -> tuple[int, int]:
    """Return how many pages a column chunk has, and what they unpack to."""
    position = meta[_DATA_OFFSET]
    if 0 < meta.get(_DICTIONARY_OFFSET, 0) < position:
        position = meta[_DICTIONARY_OFFSET]
    stop = position + meta[_PACKED]
    if not 0 < position <= stop <= len(data):
        raise ValueError("a column lies outside the file")
    num_pages = num_bytes = 0
    while position < stop:
        reader = CompactReader(data, position)
        header = reader.read_struct()
        unpacked, packed = header[_PAGE_UNPACKED], header[_PAGE_PACKED]
        num_pages += 1
        if unpacked < 0 or packed < 0 or num_pages > max_pages:
            raise ValueError("a page header is malformed")
        num_bytes += unpacked
        position = reader.position + packed
    return num_pages, num_bytes
