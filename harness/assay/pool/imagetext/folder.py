"""A folder of images with captions: KEY.txt beside KEY.jpg, or one table of file names and captions."""

import json
from collections.abc import Iterator, Sequence
from functools import cached_property
from pathlib import PurePosixPath
from typing import TYPE_CHECKING, Any

from assay.canonical import digest_json
from assay.errors import PoolError
from assay.pool.imagetext.records import (
    CAPTION_FIELDS,
    MAX_IMAGE_BYTES,
    MAX_SIDE_BYTES,
    PairFields,
    Span,
    read_pair,
)
from assay.pool.imagetext.samples import Item, Sample, split_name
from assay.pool.records import Problem

if TYPE_CHECKING:
    from fsspec import AbstractFileSystem

CAPTION_STEMS = ("captions", "metadata")
CAPTION_KINDS = ("csv", "tsv", "jsonl", "json", "parquet")
FILE_FIELDS = ("file_name", "filename", "file", "image", "path", "image_path")


class FolderSource:
    """A folder of images; its places are pairs, by file name or in the order of its table.

    Attributes:
        name: Name of the folder.
        size: Pairs.
        done: Pairs read by the running `records`.
        unit: `pairs`.
    """

    unit = "pairs"

    def __init__(
        self,
        name: str,
        filesystem: "AbstractFileSystem",
        folder: str,
        images: Sequence[str],
        fields: PairFields,
    ):
        """Look at it.

        Args:
            name: Of the source.
            filesystem: That it is on.
            folder: On that filesystem.
            images: Paths of its images, sorted.
            fields: Where its table keeps caption, file name and id.

        Raises:
            PoolError: If its table of captions cannot be read.
        """
        self.name = name
        self.done = 0
        self._filesystem = filesystem
        self._folder = folder.rstrip("/")
        self._images = images
        self._fields = fields
        self._table = self._find_table()
        self._rows = None if self._table is None else self._read_table(self._table)
        self.size = len(images if self._rows is None else self._rows)

    @property
    def fingerprint(self) -> str:
        """Return a digest of names and sizes of the images, and of the table of captions."""
        sizes = [[p[len(self._folder) :], self._filesystem.size(p)] for p in self._images]
        return f"{len(self._images)} images, {digest_json([sizes, self._rows])}"

    def records(self, start: int) -> Iterator[Item]:
        """Yield pairs from place `start` on.

        Raises:
            PoolError: If an image cannot be read.
        """
        for place in range(start, self.size):
            self.done = place
            yield (
                place,
                self._from_table(place) if self._rows is not None else self._from_files(place),
            )

    def _from_table(self, place: int) -> Any:
        assert self._rows is not None
        row = dict(self._rows[place])
        names = (self._fields.image,) if self._fields.image else FILE_FIELDS
        field = next((name for name in names if isinstance(row.get(name), str)), None)
        if field is None:
            return Problem("missing_image", f"none of {', '.join(names)} among {', '.join(row)}")
        path = f"{self._folder}/{PurePosixPath(row.pop(field))}"
        if path not in self._known:
            return Problem("missing_image", f"{path[-100:]} is not there")
        image = self._image(path)
        return image if isinstance(image, Problem) else read_pair(row, None, image, self._fields)

    def _from_files(self, place: int) -> Any:
        path = self._images[place]
        image = self._image(path)
        if isinstance(image, Problem):
            return image
        text = self._beside(path, "txt")
        text = text if text is None else text.rstrip(b"\r\n")
        return Sample(path, image, text, self._beside(path, "json")).pair(self._fields)

    @cached_property
    def _known(self) -> set[str]:
        return set(self._images)

    def _image(self, path: str) -> Span | Problem:
        data = self._read(path, MAX_IMAGE_BYTES)
        if isinstance(data, Problem):
            return data
        local = "file" in self._filesystem.protocol
        where = path if local else self._filesystem.unstrip_protocol(path)
        return Span(where, 0, len(data), data)

    def _beside(self, image: str, kind: str) -> bytes | None:
        """Read the file of the same key, if there is one."""
        path = f"{split_name(image)[0]}.{kind}"
        if not self._filesystem.exists(path):
            return None
        data = self._read(path, MAX_SIDE_BYTES)
        return None if isinstance(data, Problem) else data

    def _read(self, path: str, most: int) -> bytes | Problem:
        try:
            size = int(self._filesystem.size(path) or 0)
            if size > most:
                return Problem("image_too_large", f"{path[-100:]}: {size:,} bytes")
            return bytes(self._filesystem.cat_file(path))  # pyright: ignore[reportArgumentType]
        except Exception as error:  # every fsspec backend has its own
            raise PoolError(
                f"cannot read {path} ({type(error).__name__}: {error}); the same command goes on from "
                "what is built"
            ) from None

    def _find_table(self) -> str | None:
        names = [f"{stem}.{kind}" for stem in CAPTION_STEMS for kind in CAPTION_KINDS]
        paths = (f"{self._folder}/{name}" for name in names)
        return next((path for path in paths if self._filesystem.exists(path)), None)

    def _read_table(self, path: str) -> list[dict[str, Any]]:
        try:
            with self._filesystem.open(path, "rb") as stream:
                rows = parse_table(stream, path.rpartition(".")[2])
        except Exception as error:
            raise PoolError(
                f"cannot read the captions in {path} ({type(error).__name__}: {error}); wanted is a "
                f"table with file names ({FILE_FIELDS[0]}) and captions ({CAPTION_FIELDS[0]})"
            ) from None
        return rows


def parse_table(stream: Any, kind: str) -> list[dict[str, Any]]:
    """Read a table of captions.

    Args:
        stream: The file.
        kind: One of `CAPTION_KINDS`.

    Returns:
        One dict a row; `{name: caption, ...}` in JSON is a table of two columns.

    Raises:
        ValueError: If it is none.
    """
    if kind in ("csv", "tsv"):
        from pyarrow import csv

        options = csv.ParseOptions(
            delimiter="\t" if kind == "tsv" else ",", newlines_in_values=True
        )
        return csv.read_csv(stream, parse_options=options).to_pylist()
    if kind == "parquet":
        import pyarrow.parquet as pq

        return pq.read_table(stream).to_pylist()
    if kind == "jsonl":
        rows = [json.loads(line) for line in stream if line.strip()]
    else:
        rows = json.load(stream)
        if isinstance(rows, dict):
            rows = [{FILE_FIELDS[0]: n, CAPTION_FIELDS[0]: text} for n, text in rows.items()]
    if not isinstance(rows, list) or not all(isinstance(row, dict) for row in rows):
        raise ValueError("no list of objects")
    return rows
