"""JSON lines out of a stream of bytes, compressed or not, in bounded memory."""

import json
import zlib
from collections.abc import Callable, Iterator
from typing import Any

from assay.pool.records import MAX_TEXT_BYTES, Fields, Problem, Record, read_record

Item = tuple[int, Record | Problem]


class CorruptStreamError(Exception):
    """Compressed data that cannot be decoded any further."""


def read_json_lines(blocks: Iterator[bytes], start: int, fields: Fields) -> Iterator[Item]:
    """Yield line numbers (from 0, `start` on) with what the lines hold; blank lines hold nothing.

    Args:
        blocks: The decoded bytes of a file.
        start: First line wanted.
        fields: Where the objects keep text and id.
    """
    place = -1
    try:
        for place, line in enumerate(split_lines(blocks)):
            if place >= start and (item := _parse(line, place, fields)):
                yield place, item
    except CorruptStreamError as error:
        if place + 1 >= start:
            yield place + 1, Problem("corrupt_file", f"after {place + 1:,} lines: {error}")


def split_lines(blocks: Iterator[bytes], max_bytes: int = MAX_TEXT_BYTES) -> Iterator[bytes | None]:
    """Split at newlines; a line longer than `max_bytes` comes as None and is never held."""
    pieces: list[bytes] = []
    held = 0
    for block in blocks:
        first, *rest = block.split(b"\n")
        held += len(first)
        if held > max_bytes:
            pieces.clear()
        else:
            pieces.append(first)
        if rest:
            yield b"".join(pieces) if held <= max_bytes else None
            for line in rest[:-1]:
                yield line if len(line) <= max_bytes else None
            pieces, held = [rest[-1]], len(rest[-1])
    if held:
        yield b"".join(pieces) if held <= max_bytes else None


def decompress(blocks: Iterator[bytes], new_decoder: Callable[[], Any]) -> Iterator[bytes]:
    """Decode gzip members or zstd frames that follow each other.

    Args:
        blocks: The file's bytes; what one block decodes to is held in memory.
        new_decoder: `zlib.decompressobj` or zstandard's, for one member or frame.

    Raises:
        CorruptStreamError: After everything that could be decoded was yielded.
    """
    import zstandard

    decoder: Any = None
    for block in blocks:
        left = block
        while left:
            decoder = decoder or new_decoder()
            try:
                decoded = decoder.decompress(left)
            except (zlib.error, zstandard.ZstdError) as error:
                raise CorruptStreamError(str(error)) from None
            if decoded:
                yield decoded
            left = decoder.unused_data if decoder.eof else b""
            decoder = None if decoder.eof else decoder
    if decoder is not None:
        raise CorruptStreamError("the file ends in the middle of compressed data")


def _parse(line: bytes | None, place: int, fields: Fields) -> Record | Problem | None:
    if line is None:
        return Problem("too_long", f"a line of over {MAX_TEXT_BYTES // 1_000_000} MB")
    if not line.strip():
        return None
    try:
        text = line.decode("utf-8-sig" if place == 0 else "utf-8")
    except UnicodeDecodeError as error:
        return Problem("bad_encoding", f"byte {error.start}: {error.reason}")
    try:
        raw = json.loads(text)
    except (ValueError, RecursionError) as error:
        return Problem("corrupt_json", str(error))
    return read_record(raw, fields)
