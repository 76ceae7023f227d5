"""Sort ids that do not fit memory: split by the highest bits that differ, sort each part, append."""

from collections.abc import Iterator
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from assay.pool.uid import sort_order

ENTRY = np.dtype(
    [("f0", "<u8"), ("f1", "<u8"), ("position", "<i8"), ("n_tokens", "<i4"), ("n_bytes", "<i4")]
)
"""A stored document: its uid, its position in storage, its size."""

MAX_ENTRIES = 1 << 22
"""Entries sorted in memory at a time: 128 MiB, and about as much again while sorting."""


def sorted_blocks(path: Path, limit: int = MAX_ENTRIES) -> Iterator[NDArray[np.void]]:
    """Yield a file's entries by rising uid, in blocks of at most `limit`.

    Entries with the same uid stay in the order of the file, and may fall into two blocks.

    Args:
        path: File of `ENTRY`; parts are written beside it and removed again.
        limit: Most entries held in memory.
    """
    if path.stat().st_size <= limit * ENTRY.itemsize:
        entries = np.fromfile(path, dtype=ENTRY)
        yield entries[sort_order(entries)]
        return
    varying = _varying_bits(path, limit)
    if varying == 0:  # one id, repeated: in order as it is
        yield from read_blocks(path, limit)
        return
    for part in _split(path, max(varying.bit_length() - 8, 0), limit):
        yield from sorted_blocks(part, limit)
        part.unlink()


def first_of_each(
    blocks: Iterator[NDArray[np.void]],
) -> Iterator[tuple[NDArray[np.void], NDArray[np.bool_]]]:
    """Pair sorted blocks with a mask: True where an entry's uid differs from the one before it."""
    last: NDArray[np.void] | None = None
    for block in blocks:
        fresh = np.ones(len(block), dtype=bool)
        fresh[1:] = (block["f0"][1:] != block["f0"][:-1]) | (block["f1"][1:] != block["f1"][:-1])
        if last is not None and len(block):
            fresh[0] = block["f0"][0] != last["f0"][0] or block["f1"][0] != last["f1"][0]
        if len(block):
            last = block[-1:]
        yield block, fresh


def read_blocks(path: Path, limit: int = MAX_ENTRIES) -> Iterator[NDArray[np.void]]:
    """Yield a file's entries in its own order, `limit` at a time."""
    with path.open("rb") as stream:
        while len(block := np.fromfile(stream, dtype=ENTRY, count=limit)):
            yield block


def _varying_bits(path: Path, limit: int) -> int:
    """Return the 128-bit mask of bits in which uids of the file differ."""
    ored, anded = [0, 0], [~0, ~0]
    for block in read_blocks(path, limit):
        for half, name in enumerate(("f0", "f1")):
            ored[half] |= int(np.bitwise_or.reduce(block[name]))
            anded[half] &= int(np.bitwise_and.reduce(block[name]))
    return (ored[0] & ~anded[0]) << 64 | (ored[1] & ~anded[1])


def _split(path: Path, shift: int, limit: int) -> list[Path]:
    """Distribute entries over up to 256 files by eight bits of their uid, from bit `shift` on."""
    parts = [path.with_name(f"{path.name}-{digit:02x}") for digit in range(256)]
    for part in parts:
        part.unlink(missing_ok=True)
    for block in read_blocks(path, limit):
        digits = _digits(block, shift)
        grouped = block[np.argsort(digits, kind="stable")]
        stops = np.cumsum(np.bincount(digits, minlength=256))
        for digit in np.unique(digits):
            start = stops[digit - 1] if digit else 0
            with parts[digit].open("ab") as stream:
                grouped[start : stops[digit]].tofile(stream)
    return [part for part in parts if part.exists()]


def _digits(block: NDArray[np.void], shift: int) -> NDArray[np.intp]:
    """Return eight bits of every uid, as a 128-bit number, from bit `shift` on."""
    if shift >= 64:
        value = block["f0"] >> np.uint64(shift - 64)
    elif shift == 0:
        value = block["f1"]
    else:
        value = block["f0"] << np.uint64(64 - shift) | block["f1"] >> np.uint64(shift)
    return (value & np.uint64(255)).astype(np.intp)
