"""Texts in any order of rows, in bounded memory and linear time."""

import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from assay.home import assay_home
from assay.pool.shard import DOCUMENTS_FILE

if TYPE_CHECKING:
    from assay.pool.store import Pool

WINDOW_BYTES = 256_000_000
"""Text held at a time."""


def in_row_order(
    pool: "Pool", rows: NDArray[np.int64], window_bytes: int = WINDOW_BYTES
) -> Iterator[str]:
    """Yield the texts of `rows`, in that order.

    Args:
        pool: Where they are.
        rows: Any order, repeats allowed.
        window_bytes: Text held at a time.
    """
    if not len(rows):
        return
    windows = (np.cumsum(pool.n_bytes[rows], dtype=np.int64) - 1) // window_bytes
    if windows[-1] == 0:
        texts: list[str] = [""] * len(rows)
        for places, found in _gather(pool, rows):
            for place, text in zip(places, found, strict=True):
                texts[place] = text
        yield from texts
        return
    scratch = assay_home() / "cache"
    scratch.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=scratch) as folder:
        for part in _spill(pool, rows, windows, Path(folder)):
            yield from part


def _gather(pool: "Pool", rows: NDArray[np.int64]) -> Iterator[tuple[NDArray[np.int64], list[str]]]:
    """Yield places in `rows` and their texts, in storage order, decoding each row group once."""
    import pyarrow.parquet as pq

    shards, local = pool.locate(rows)
    order = np.lexsort((local, shards))
    for in_shard in _runs(order, shards[order]):
        shard = int(shards[in_shard[0]])
        with pq.ParquetFile(pool.shard_file(shard, DOCUMENTS_FILE)) as file:
            sizes = [file.metadata.row_group(g).num_rows for g in range(file.num_row_groups)]
            stops = np.cumsum(sizes)
            groups = stops.searchsorted(local[in_shard], side="right")
            for places in _runs(in_shard, groups):
                group = int(stops.searchsorted(local[places[0]], side="right"))
                column = file.read_row_group(group, columns=["text"]).column("text")
                first = stops[group] - sizes[group]
                yield places, [column[int(i)].as_py() for i in local[places] - first]


def _runs(order: NDArray[np.intp], keys: NDArray[np.integer]) -> list[NDArray[np.intp]]:
    """Cut `order` wherever the key, given in that order, changes."""
    return np.split(order, np.flatnonzero(np.diff(keys)) + 1)


def _spill(
    pool: "Pool", rows: NDArray[np.int64], windows: NDArray[np.int64], folder: Path
) -> Iterator[list[str]]:
    """Distribute texts over one file a window, in one pass over storage; then yield window by window."""
    for places, texts in _gather(pool, rows):
        for window in np.unique(windows[places]):
            chosen = np.flatnonzero(windows[places] == window)
            encoded = [texts[i].encode("utf-8") for i in chosen]
            header = np.stack([places[chosen], [len(text) for text in encoded]], axis=1)
            with (folder / f"{window}.index").open("ab") as stream:
                header.astype(np.int64).tofile(stream)
            with (folder / f"{window}.texts").open("ab") as stream:
                stream.writelines(encoded)
    for window in np.unique(windows):
        index = np.fromfile(folder / f"{window}.index", dtype=np.int64).reshape(-1, 2)
        data = (folder / f"{window}.texts").read_bytes()
        starts = np.cumsum(index[:, 1]) - index[:, 1]
        order = np.argsort(index[:, 0], kind="stable")
        yield [str(data[starts[i] : starts[i] + index[i, 1]], "utf-8") for i in order]
        (folder / f"{window}.texts").unlink()
