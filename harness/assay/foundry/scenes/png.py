"""PNG files with stored blocks: one way to write them, so the same bytes with every zlib."""

import struct
import zlib

import numpy as np
from numpy.typing import NDArray

_SIGNATURE = b"\x89PNG\r\n\x1a\n"
_ZLIB_HEADER = b"\x78\x01"
_STORED_MAX = 65_535
_RGB8 = (8, 2, 0, 0, 0)
_HEADER, _CHUNK, _BLOCK, _WORD = (
    struct.Struct(form) for form in (">IIBBBBB", ">I4s", "<BHH", ">I")
)


def encode_png(pixels: NDArray[np.uint8]) -> bytes:
    """Write an image without compression.

    Args:
        pixels: (height, width, 3), RGB.

    Source: PNG, third edition, sections 5, 9 and 10; RFC 1950; RFC 1951, section 3.2.4.
    """
    height, width, _ = pixels.shape
    rows = np.zeros((height, 1 + 3 * width), dtype=np.uint8)
    rows[:, 1:] = pixels.reshape(height, 3 * width)
    header = _HEADER.pack(width, height, *_RGB8)
    data = _chunk(b"IDAT", _stored(rows.tobytes()))
    return b"".join((_SIGNATURE, *_chunk(b"IHDR", header), *data, *_chunk(b"IEND", b"")))


def _stored(data: bytes) -> bytes:
    parts = [_ZLIB_HEADER]
    for start in range(0, len(data), _STORED_MAX):
        block = data[start : start + _STORED_MAX]
        last = start + _STORED_MAX >= len(data)
        parts += (_BLOCK.pack(last, len(block), len(block) ^ 0xFFFF), block)
    return b"".join((*parts, _WORD.pack(zlib.adler32(data))))


def _chunk(kind: bytes, data: bytes) -> tuple[bytes, bytes, bytes]:
    check = zlib.crc32(data, zlib.crc32(kind))
    return _CHUNK.pack(len(data), kind), data, _WORD.pack(check)
