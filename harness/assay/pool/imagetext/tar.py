"""Members of an uncompressed tar in one forward pass, wherever it starts, in bounded memory.

`tarfile` decodes the headers. Its reader of whole archives is not used: it keeps every member, reads
extended headers of any size into memory, and cannot say where a member starts before it has read it.
"""

import tarfile
from collections.abc import Iterator
from dataclasses import dataclass
from typing import BinaryIO

BLOCK = tarfile.BLOCKSIZE
MAX_EXTENDED_BYTES = 1 << 20
"""Of a long name or pax header."""

_SKIP_BYTES = 1 << 20
_PLAIN = (tarfile.REGTYPE, tarfile.AREGTYPE, tarfile.CONTTYPE)
_LONG_NAME, _LONG_LINK = tarfile.GNUTYPE_LONGNAME, tarfile.GNUTYPE_LONGLINK
_PAX = (tarfile.XHDTYPE, tarfile.SOLARIS_XHDTYPE)


class CorruptTarError(Exception):
    """The rest of a tar cannot be read."""


@dataclass(frozen=True, slots=True)
class Member:
    """One member.

    Attributes:
        name: Its path.
        start: Where its first header starts.
        offset: Where its bytes start.
        size: How many they are.
        plain: Whether it is a plain file, whose bytes lie there as they are.
        folder: Whether it is a folder.
    """

    name: str
    start: int
    offset: int
    size: int
    plain: bool
    folder: bool


class TarReader:
    """A forward pass over a tar.

    Attributes:
        position: Bytes of the file that lie behind.
    """

    def __init__(self, stream: BinaryIO, size: int, start: int = 0):
        """Begin at a member.

        Args:
            stream: The file; it need not seek.
            size: Its bytes, or 0 if nobody knows.
            start: Where a member starts.
        """
        self.position = 0
        self._stream = stream
        self._size = size
        self._skip(start)

    def members(self) -> Iterator[Member]:
        """Yield members; `read` gives the bytes of the one at hand.

        Raises:
            CorruptTarError: If a header is none, or the file ends too early.
        """
        while (member := self._next()) is not None:
            end = member.offset + -(-member.size // BLOCK) * BLOCK
            # The padding of the very last member may be absent.
            if self._size and member.offset + member.size > self._size:
                raise CorruptTarError(
                    f"{member.name[:100]!r} at byte {member.start:,} is of {member.size:,} bytes, and "
                    f"the file ends at {self._size:,}"
                )
            yield member
            self._skip(end - self.position)

    def read(self, size: int) -> bytes:
        """Return the next bytes.

        Raises:
            CorruptTarError: If there are fewer.
        """
        data = self._stream.read(size)
        while len(data) < size and (more := self._stream.read(size - len(data))):
            data += more
        self.position += len(data)
        if len(data) < size:
            raise CorruptTarError(f"the file ends at byte {self.position:,}, inside a member")
        return data

    def _next(self) -> Member | None:
        """Read headers up to the next member's bytes."""
        start = self.position
        extended: dict[str, str] = {}
        while True:
            info = self._header()
            if info is None:
                return None
            if info.type in (_LONG_NAME, _LONG_LINK, *_PAX, tarfile.XGLTYPE):
                extended |= self._extended(info)
                continue
            size = _number(extended.get("size"), info.size)
            if not (info.isreg() or info.issparse()):
                size = 0  # links, folders and devices have a size at times, but no bytes
            sparse = info.issparse() or any(key.startswith("GNU.sparse") for key in extended)
            return Member(
                name=extended.get("path", info.name),
                start=start,
                offset=self.position,
                size=size,
                plain=info.type in _PLAIN and not sparse,
                folder=info.isdir(),
            )

    def _header(self) -> tarfile.TarInfo | None:
        if self._size and self.position >= self._size:
            return None
        data = self._stream.read(BLOCK)
        self.position += len(data)
        if not data.strip(b"\0"):  # the end, marked or not
            return None
        try:
            info = tarfile.TarInfo.frombuf(data, "utf-8", "replace")
        except tarfile.HeaderError as error:
            raise CorruptTarError(
                f"no header at byte {self.position - len(data):,}: {error}"
            ) from None
        if info.size < 0:
            raise CorruptTarError(f"{info.name[:100]!r} is of {info.size} bytes")
        return info

    def _extended(self, info: tarfile.TarInfo) -> dict[str, str]:
        """Read what a long-name or pax header says of the next member."""
        if info.size > MAX_EXTENDED_BYTES:
            raise CorruptTarError(f"an extended header of {info.size:,} bytes")
        data = self.read(info.size)
        self._skip(-info.size % BLOCK)
        if info.type == _LONG_NAME:
            return {"path": data.rstrip(b"\0").decode("utf-8", "replace")}
        return _pax_records(data) if info.type in _PAX else {}

    def _skip(self, size: int) -> None:
        if size > _SKIP_BYTES and self._stream.seekable():
            self._stream.seek(size, 1)
            self.position += size
            return
        while size > 0:
            got = len(self._stream.read(min(size, _SKIP_BYTES)))
            if not got:
                return  # the next header is absent, too
            self.position += got
            size -= got


def _pax_records(data: bytes) -> dict[str, str]:
    """Parse lines of LENGTH, a space, KEY=VALUE."""
    found: dict[str, str] = {}
    while data:
        head, _, _ = data.partition(b" ")
        length = _number(head.decode("ascii", "replace"), 0)
        line = data[len(head) + 1 : length].decode("utf-8", "replace")
        if length <= len(head) + 1 or "=" not in line:
            raise CorruptTarError("a pax header that cannot be parsed")
        key, _, value = line.rstrip("\n").partition("=")
        found[key] = value
        data = data[length:]
    return found


def _number(word: str | None, default: int) -> int:
    if word is None:
        return default
    if not (word.isascii() and word.isdigit()) or len(word) > 19:
        raise CorruptTarError(f"{word[:40]!r} is no size")
    return int(word)
