"""The arrays aligned to sorted ids, written in bounded memory once all shards are there."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from operator import itemgetter
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from assay.artifact import atomic_file
from assay.canonical import digest_file
from assay.pool.manifest import (
    NUM_BYTES_FILE,
    NUM_TOKENS_FILE,
    ROWS_FILE,
    SHARDS_FOLDER,
    UIDS_FILE,
    StoredShard,
)
from assay.pool.report import MAX_EXAMPLES
from assay.pool.shard import DOCUMENTS_FILE
from assay.pool.sort import ENTRY, MAX_ENTRIES, first_of_each, read_blocks, sorted_blocks
from assay.pool.uid import UID_DTYPE, uids_from_bytes


@dataclass(frozen=True)
class Index:
    """What the arrays came to.

    Attributes:
        n: Rows.
        num_tokens: Tokens of the rows; 0 where none are stored.
        num_bytes: UTF-8 bytes of the rows; likewise.
        repeats: Examples whose id came before.
        examples: Of the first of those, by uid: position in storage, position of the one that stays.
        files: File name -> digest.
    """

    n: int
    num_tokens: int
    num_bytes: int
    repeats: int
    examples: list[tuple[int, int]]
    files: dict[str, str]


SIZES = {"n_tokens": NUM_TOKENS_FILE, "n_bytes": NUM_BYTES_FILE}
"""Sizes of a document, and the arrays that hold them."""


def write_index(
    folder: Path,
    work: Path,
    shards: Sequence[StoredShard],
    limit: int = MAX_ENTRIES,
    *,
    table: str = DOCUMENTS_FILE,
    sizes: Mapping[str, str] = SIZES,
) -> Index:
    """Sort the ids of all shards and write the aligned arrays.

    Args:
        folder: The pool.
        work: Folder for temporary files.
        shards: In storage order.
        limit: Most entries held in memory.
        table: A shard's file with the column `uid`.
        sizes: Columns of that file that get an array of their own -> its file.
    """
    entries, rows = work / "entries.bin", work / "rows.bin"
    _collect([folder / SHARDS_FOLDER / s.name / table for s in shards], sizes, entries)
    totals = np.zeros(3, dtype=np.int64)
    repeats = 0
    examples: list[tuple[int, int]] = []
    kept = -1
    with rows.open("wb") as stream:
        for block, fresh in first_of_each(sorted_blocks(entries, limit)):
            unique = block[fresh]
            unique.tofile(stream)
            totals += [
                len(unique),
                *(unique[f].sum(dtype=np.int64) for f in ("n_tokens", "n_bytes")),
            ]
            repeats += int((~fresh).sum())
            if len(examples) < MAX_EXAMPLES:
                examples += _examples(block, fresh, kept)[: MAX_EXAMPLES - len(examples)]
            kept = int(unique["position"][-1]) if len(unique) else kept
    entries.unlink()
    files = _write_arrays(folder, rows, int(totals[0]), limit, sizes)
    rows.unlink()
    n, num_tokens, num_bytes = map(int, totals)
    return Index(n, num_tokens, num_bytes, repeats, examples, files)


def _collect(tables: Sequence[Path], sizes: Mapping[str, str], target: Path) -> None:
    """Write one `ENTRY` for every stored example."""
    import pyarrow.parquet as pq

    position = 0
    with target.open("wb") as stream:
        for path in tables:
            table = pq.read_table(path, columns=["uid", *sizes])
            entries = np.zeros(len(table), dtype=ENTRY)
            uids = uids_from_bytes(b"".join(table["uid"].to_pylist()))
            entries["f0"], entries["f1"] = uids["f0"], uids["f1"]
            entries["position"] = np.arange(position, position + len(table))
            for size in sizes:
                entries[size] = table[size].to_numpy()
            entries.tofile(stream)
            position += len(table)


def _examples(
    block: NDArray[np.void], fresh: NDArray[np.bool_], kept: int
) -> list[tuple[int, int]]:
    """Return (position, position of the first with that uid) of the block's first repeats.

    Args:
        block: Sorted entries.
        fresh: Where a new uid begins.
        kept: Position of the last first before this block.
    """
    found: list[tuple[int, int]] = []
    for i in np.flatnonzero(~fresh)[:MAX_EXAMPLES]:
        firsts = np.flatnonzero(fresh[: i + 1])
        first = int(block["position"][firsts[-1]]) if len(firsts) else kept
        found.append((int(block["position"][i]), first))
    return found


def _write_arrays(
    folder: Path, rows: Path, n: int, limit: int, sizes: Mapping[str, str]
) -> dict[str, str]:
    def uids(block: NDArray[np.void]) -> NDArray[np.void]:
        pairs = np.empty(len(block), dtype=UID_DTYPE)
        pairs["f0"], pairs["f1"] = block["f0"], block["f1"]
        return pairs

    arrays: dict[str, tuple[np.dtype, Callable[[NDArray[np.void]], NDArray[Any]]]] = {
        UIDS_FILE: (UID_DTYPE, uids),
        ROWS_FILE: (np.dtype("<i8"), itemgetter("position")),
        **{file: (np.dtype("<i4"), itemgetter(size)) for size, file in sizes.items()},
    }
    for name, (dtype, pick) in arrays.items():
        _write_npy(folder / name, dtype, n, (pick(block) for block in read_blocks(rows, limit)))
    return {name: digest_file(folder / name) for name in arrays}


def _write_npy(path: Path, dtype: np.dtype, n: int, blocks: Iterator[NDArray[Any]]) -> None:
    """Write an npy file piece by piece."""
    descr = np.lib.format.dtype_to_descr(dtype)
    with atomic_file(path) as stream:
        np.lib.format.write_array_header_1_0(
            stream, {"descr": descr, "fortran_order": False, "shape": (n,)}
        )
        for block in blocks:
            stream.write(block.astype(dtype, copy=False).tobytes())
