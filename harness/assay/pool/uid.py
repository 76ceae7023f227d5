"""128-bit example ids: DataComp's own form, two little-endian uint64, high half first."""

import numpy as np
from numpy.typing import NDArray

UID_DTYPE = np.dtype([("f0", "<u8"), ("f1", "<u8")])
"""DataComp's dtype. A uid prints as 32 hex digits: 16 for `f0`, 16 for `f1`."""


def uids_from_bytes(raw: bytes) -> NDArray[np.void]:
    """Read big-endian 16-byte ids (what `bytes.fromhex` of a printed uid gives)."""
    halves = np.frombuffer(raw, dtype=">u8").reshape(-1, 2)
    uids = np.empty(len(halves), dtype=UID_DTYPE)
    uids["f0"], uids["f1"] = halves[:, 0], halves[:, 1]
    return uids


def uids_to_hex(uids: NDArray[np.void]) -> list[str]:
    """Print ids, 32 lower-case hex digits each."""
    raw = np.stack([uids["f0"], uids["f1"]], axis=1).astype(">u8").tobytes().hex()
    return [raw[i : i + 32] for i in range(0, len(raw), 32)]


def sort_order(uids: NDArray[np.void]) -> NDArray[np.intp]:
    """Return the stable permutation that sorts ids (as 128-bit numbers)."""
    return np.lexsort((uids["f1"], uids["f0"]))


def find(sorted_uids: NDArray[np.void], wanted: NDArray[np.void]) -> NDArray[np.int64]:
    """Return the position of each wanted id in a sorted, duplicate-free array, or -1.

    Searches the high halves (a structured comparison would be some hundred times slower), then
    walks the rare runs of ids that share one.
    """
    high = np.ascontiguousarray(sorted_uids["f0"])
    low = sorted_uids["f1"]
    position = np.searchsorted(high, wanted["f0"], side="left")
    found = np.full(len(wanted), -1, dtype=np.int64)
    open_rows = np.arange(len(wanted))
    while len(open_rows):
        inside = position[open_rows] < len(high)
        open_rows = open_rows[inside]
        open_rows = open_rows[high[position[open_rows]] == wanted["f0"][open_rows]]
        match = low[position[open_rows]] == wanted["f1"][open_rows]
        found[open_rows[match]] = position[open_rows[match]]
        open_rows = open_rows[~match]
        position[open_rows] += 1
    return found
