"""The shard of pairs that a build is filling."""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from assay.pool.columns import fit
from assay.pool.imagetext.images import ImageProblem, image_header
from assay.pool.imagetext.metadata import Metadata
from assay.pool.imagetext.packing import Packer
from assay.pool.imagetext.payload import span_bytes
from assay.pool.imagetext.records import (
    MAX_IMAGE_BYTES,
    Pair,
    Span,
    caption_problem,
    derive_pair_uid,
)
from assay.pool.imagetext.shard import PairContent, write_pairs
from assay.pool.manifest import IMAGES_FOLDER, Column, StoredShard
from assay.pool.records import Problem, Scalar, complete_columns, url_of
from assay.pool.report import Tally

SHARD_BYTES = 64_000_000
"""Captions and metadata of a shard."""

PACKED_BYTES = 128_000_000
"""Images of a shard that are packed into a tar of the pool."""


@dataclass(frozen=True, slots=True)
class _Image:
    """What is measured of an image: pixels, format, and the digest of its bytes in hex."""

    size: tuple[int, int]
    kind: str
    sha256: str


class PairDraft:
    """Pairs on their way into one shard.

    Attributes:
        places: (source number, place in it) of each pair.
        truth: Hidden ground truth of each pair, or None.
        tally: Problems met on the way.
    """

    def __init__(
        self,
        schema: Sequence[Column],
        metadata: Metadata | None,
        verify_sha256: bool,
        shard_pairs: int,
    ):
        """Start with nothing.

        Args:
            schema: The pool's metadata columns.
            metadata: What pairs are joined with.
            verify_sha256: Leave out images that are not those whose `sha256` the metadata give.
            shard_pairs: Pairs of a shard.
        """
        self.places: list[tuple[int, int]] = []
        self.truth: list[Any] = []
        self.tally = Tally()
        self._schema = schema
        self._metadata = metadata
        self._verify_sha256 = verify_sha256
        self._shard_pairs = shard_pairs
        self._num_bytes = 0
        self._uids = bytearray()
        self._captions: list[bytes] = []
        self._sha256: list[str] = []
        self._sizes: list[tuple[int, int]] = []
        self._spans: list[Span | tuple[int, int]] = []
        self._metadata_rows: list[int | None] = []
        self._columns: dict[str, list[Any]] = {column.name: [] for column in schema}
        self._packer = Packer()

    @property
    def full(self) -> bool:
        """Whether the last pair was the shard's last."""
        return (
            len(self.places) >= self._shard_pairs
            or self._num_bytes >= SHARD_BYTES
            or self._packer.size >= PACKED_BYTES
        )

    def add(self, record: Pair, source: str, number: int, place: int) -> None:
        """Take one pair, or count why it cannot be a candidate."""
        if problem := self._take(record, source, place):
            self.tally.add(problem.kind, source, place, problem.detail)
            return
        self.places.append((number, place))
        self.truth.append(record.truth)

    def _take(self, pair: Pair, source: str, place: int) -> Problem | None:
        if problem := caption_problem(pair.caption):
            return problem
        data = span_bytes(pair.image)
        image = _examine(data)
        if isinstance(image, Problem):
            return image
        uid = pair.uid or _derive(pair, image.sha256)
        joined = self._join(uid, pair, source)
        if joined is None:
            return Problem("not_in_metadata", f"{uid.hex()} is no candidate")
        row, columns = joined
        given = columns.get("sha256")
        if self._verify_sha256 and isinstance(given, str) and given.lower() != image.sha256:
            detail = f"{uid.hex()}: {image.sha256[:16]}..., not {given[:16]}..."
            return Problem("sha256_mismatch", detail)
        self._fit(columns, source, place)
        span = pair.image
        self._spans.append(
            Span(span.file, span.offset, span.length)
            if isinstance(span, Span)
            else self._packer.add(data, image.kind, pair.caption, uid, pair.columns)
        )
        self._uids += uid
        self._captions.append(pair.caption.encode("utf-8"))
        self._num_bytes += len(self._captions[-1])
        self._sha256.append(image.sha256)
        self._sizes.append(image.size)
        self._metadata_rows.append(row)
        return None

    def _join(
        self, uid: bytes, pair: Pair, source: str
    ) -> tuple[int | None, dict[str, Scalar]] | None:
        """Return row and values of a pair's metadata, its own included; None if it has no row."""
        if self._metadata is None:
            return None, complete_columns(pair.columns, source)
        row = self._metadata.find(uid)
        if row is None:
            return None
        return row, complete_columns({**pair.columns, **self._metadata.values(row)}, source)

    def _fit(self, columns: dict[str, Scalar], source: str, place: int) -> None:
        for column in self._schema:
            value, fits = fit(columns.get(column.name), column.type)
            self._columns[column.name].append(value)
            self._num_bytes += len(value) if isinstance(value, str) else 8
            if not fits:
                detail = f"{column.name} is {columns[column.name]!r}, not {column.type}"
                self.tally.add("column_value", source, place, detail)

    def write(self, folder: Path) -> StoredShard:
        """Write the shard's files, packed images first."""
        if self._packer.size:
            self._packer.write(folder.parents[1] / IMAGES_FOLDER / f"{folder.name}.tar")
        return write_pairs(folder, self._content(folder), self._schema)

    def _content(self, folder: Path) -> PairContent:
        tar = f"{IMAGES_FOLDER}/{folder.name}.tar"
        pool = f"{folder.parents[1]}/"
        spans = [
            Span(s.file.removeprefix(pool), s.offset, s.length)
            if isinstance(s, Span)
            else Span(tar, *s)
            for s in self._spans
        ]
        return PairContent(
            uids=bytes(self._uids),
            captions=self._captions,
            image_sha256=self._sha256,
            sizes=self._sizes,
            spans=spans,
            metadata_rows=self._metadata_rows,
            columns=self._columns,
        )


def _examine(data: bytes) -> _Image | Problem:
    if len(data) > MAX_IMAGE_BYTES:
        return Problem("image_too_large", f"{len(data):,} bytes")
    try:
        width, height, kind = image_header(data)
    except ImageProblem as error:
        return Problem("bad_image", str(error))
    return _Image((width, height), kind, hashlib.sha256(data).hexdigest())


def _derive(pair: Pair, sha256: str) -> bytes:
    own_id = pair.columns.get("source_id")
    return derive_pair_uid(
        None if own_id is None else str(own_id), url_of(pair.columns), pair.caption, sha256
    )
