"""Samples of a webdataset tar: KEY.jpg, KEY.txt, KEY.json, one after the other.

DataComp and img2dataset write these. The key is the path up to the first dot of the file name, in
lower case what follows it says what a member is; members of one sample are neighbours.
"""

import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from assay.errors import PoolError
from assay.pool.imagetext.records import (
    MAX_IMAGE_BYTES,
    MAX_SIDE_BYTES,
    Pair,
    PairFields,
    Span,
    read_pair,
)
from assay.pool.imagetext.tar import CorruptTarError, Member, TarReader
from assay.pool.readers import SourceFile
from assay.pool.records import Problem

if TYPE_CHECKING:
    from fsspec import AbstractFileSystem

IMAGE_KINDS = ("jpg", "jpeg", "png", "webp", "gif", "bmp")
TAR_SUFFIXES = (".tar",)
Item = tuple[int, Pair | Problem]


@dataclass
class Sample:
    """The parts of one sample.

    Attributes:
        key: Shared by their names.
        image: Where the image lies.
        text: Bytes of its caption file.
        meta: Bytes of its JSON file.
        problem: Why it cannot be a pair.
    """

    key: str
    image: Span | None = None
    text: bytes | None = None
    meta: bytes | None = None
    problem: Problem | None = field(default=None)

    def pair(self, fields: PairFields) -> Pair | Problem:
        """Put the parts together."""
        found = self.problem or self._join(fields)
        if isinstance(found, Problem):
            return Problem(found.kind, f"{self.key[-80:]!r}: {found.detail}")
        return found

    def _join(self, fields: PairFields) -> Pair | Problem:
        if self.image is None:
            return Problem("missing_image", "no image in the sample")
        try:
            caption = None if self.text is None else self.text.decode("utf-8")
        except UnicodeDecodeError as error:
            return Problem("bad_encoding", f"byte {error.start} of the caption: {error.reason}")
        raw = {} if self.meta is None else parse_object(self.meta)
        return raw if isinstance(raw, Problem) else read_pair(raw, caption, self.image, fields)


def parse_object(data: bytes) -> dict[str, Any] | Problem:
    """Parse a sample's JSON."""
    try:
        raw = json.loads(data)
    except (ValueError, RecursionError) as error:
        return Problem("corrupt_json", str(error))
    return raw if isinstance(raw, dict) else Problem("corrupt_json", f"a JSON {type(raw).__name__}")


class TarSource(SourceFile):
    """A webdataset tar; its places are bytes, and a sample's is the last one before the next sample.

    Its attributes are those of `SourceFile`.
    """

    def __init__(
        self, name: str, filesystem: "AbstractFileSystem", path: str, where: str, fields: PairFields
    ):
        """Look at the file, without opening it.

        Args:
            name: Of the source.
            filesystem: That it is on.
            path: On that filesystem.
            where: Path or URL to read images from later.
            fields: Where samples keep caption and id.

        Raises:
            PoolError: If it is absent.
        """
        super().__init__(name, filesystem, path)
        self._where = where
        self._fields = fields

    def records(self, start: int) -> Iterator[Item]:
        """Yield the samples from byte `start` on.

        Raises:
            PoolError: If the file cannot be opened, is compressed, or stops being readable.
        """
        raw = self._open()
        with raw:
            try:
                reader = TarReader(raw, self.size, start)
                yield from self._samples(reader)
            except PoolError:
                raise
            except Exception as error:  # every fsspec backend has its own
                raise self._unreadable(error) from None
        self.done = self.size

    def _samples(self, reader: TarReader) -> Iterator[Item]:
        sample: Sample | None = None
        try:
            for member in reader.members():
                self.done = member.start
                if not member.plain:
                    if not member.folder:
                        detail = f"{member.name[:100]!r} is a link, a device or a sparse file"
                        yield member.start, Problem("bad_member", detail)
                    continue
                key, kind = split_name(member.name)
                if sample is not None and key != sample.key:
                    yield member.start - 1, sample.pair(self._fields)
                    sample = None
                sample = sample or Sample(key)
                self._take(reader, member, sample, kind)
        except CorruptTarError as error:
            self._refuse_compressed(reader)
            yield reader.position, Problem("corrupt_file", str(error))
            return
        if sample is not None:
            yield reader.position, sample.pair(self._fields)

    def _take(self, reader: TarReader, member: Member, sample: Sample, kind: str) -> None:
        """Read a member into its sample, if it is one of those that count."""
        if kind in IMAGE_KINDS and sample.image is None:
            if member.size > MAX_IMAGE_BYTES:
                sample.problem = Problem("image_too_large", f"{member.size:,} bytes")
            else:
                data = reader.read(member.size)
                sample.image = Span(self._where, member.offset, member.size, data)
        elif kind in ("txt", "json"):
            if member.size > MAX_SIDE_BYTES:
                problem = "too_long" if kind == "txt" else "corrupt_json"
                sample.problem = Problem(problem, f"{member.size:,} bytes")
            elif kind == "txt":
                sample.text = reader.read(member.size)
            else:
                sample.meta = reader.read(member.size)

    def _refuse_compressed(self, reader: TarReader) -> None:
        """Tell a compressed tar from a broken one."""
        if reader.position > 512:
            return
        head = self._filesystem.read_block(self._path, 0, 4)
        if head[:2] == b"\x1f\x8b" or head in (b"(\xb5/\xfd", b"BZh9"):
            raise PoolError(
                f"{self._path} is compressed, and images are read where they lie; unpack it first, "
                f"such as with: gunzip {self._path}"
            )


def split_name(name: str) -> tuple[str, str]:
    """Return a member's key, and the last part of its suffix in lower case."""
    folder, slash, file = name.rpartition("/")
    stem, _, suffix = file.partition(".")
    return f"{folder}{slash}{stem}", suffix.rpartition(".")[2].lower()
