"""What pools of all kinds have in common: ids memory-mapped, metadata columns on demand.

A ROW is a position in the sorted ids. A POSITION is a place in storage: shards in order, examples
in the order in which they were read. `rows.npy` leads from the one to the other.
"""

from collections.abc import Iterator, Sequence
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from assay.errors import PoolError
from assay.pool.manifest import ROWS_FILE, SHARDS_FOLDER, UIDS_FILE, AnyManifest
from assay.pool.mirror import PoolFiles

if TYPE_CHECKING:
    import pyarrow as pa


class StoredPool:
    """The frozen candidates. Every array and column is aligned to `uids`.

    Attributes:
        manifest: What `pool.json` says.
        path: The pool's folder; of a remote pool, the local mirror that fills as files are wanted.
    """

    table_file: str
    """A shard's Parquet file."""

    own_columns: tuple[str, ...]
    """Columns of that file that are metadata of every pool of the kind."""

    def __init__(self, files: PoolFiles, manifest: AnyManifest):
        """Use `open` of a kind of pool."""
        self._files = files
        self.manifest = manifest
        self.path: Path = files.folder
        self._starts = np.cumsum([0, *(shard.rows for shard in manifest.shards)])
        self._columns: dict[str, Any] = {}

    @property
    def where(self) -> str:
        """Return the folder or URL that it was opened from."""
        return self._files.where

    @property
    def name(self) -> str:
        """Return the name it was built with."""
        return self.manifest.name

    @property
    def root(self) -> str:
        """Return the Merkle root, the pool's identity."""
        return self.manifest.root

    @property
    def n(self) -> int:
        """Return the number of rows."""
        return self.manifest.n

    @cached_property
    def uids(self) -> NDArray[np.void]:
        """The (n,) ids, `UID_DTYPE`, sorted, all different."""
        return self._array(UIDS_FILE)

    @cached_property
    def positions(self) -> NDArray[np.int64]:
        """The (n,) positions of the rows in storage."""
        return self._array(ROWS_FILE)

    @cached_property
    def rows_in_storage(self) -> NDArray[np.int64]:
        """The (stored,) rows of examples in storage order, -1 for a repeated one."""
        rows = np.full(self.manifest.stored, -1, dtype=np.int64)
        rows[self.positions] = np.arange(self.n)
        return rows

    @property
    def column_names(self) -> tuple[str, ...]:
        """Return the metadata columns, those that every pool of the kind has last."""
        return (*(column.name for column in self.manifest.columns), *self.own_columns)

    def column(self, name: str, rows: ArrayLike | None = None) -> "pa.Array":
        """Return a metadata column for all rows, or for the given ones in their order.

        Raises:
            PoolError: If there is no such column.
        """
        import pyarrow as pa

        if name not in self.column_names:
            raise PoolError(
                f"pool {self.name} has no column {name!r}; it has {', '.join(self.column_names)}"
            )
        if name not in self._columns:
            stored = [batch.column(0) for _, batch in self.scan((name,))]
            self._columns[name] = pa.concat_arrays(stored).take(pa.array(self.positions))
        column = self._columns[name]
        return column if rows is None else column.take(pa.array(np.asarray(rows)))

    def scan(
        self, columns: Sequence[str] = ("text",)
    ) -> Iterator[tuple[NDArray[np.int64], "pa.RecordBatch"]]:
        """Yield everything in storage order, a thousand examples at a time: the fast path.

        Args:
            columns: `text`, `uid` or metadata columns.

        Yields:
            Rows, (k,), -1 for a repeated example that no row refers to; and a batch of k examples.
        """
        import pyarrow.parquet as pq

        for shard in range(len(self.manifest.shards)):
            start = int(self._starts[shard])
            with pq.ParquetFile(self.shard_file(shard, self.table_file)) as file:
                for batch in file.iter_batches(1000, columns=list(columns)):
                    stop = start + batch.num_rows
                    yield self.rows_in_storage[start:stop], batch.select(list(columns))
                    start = stop

    def locate(self, rows: NDArray[np.int64]) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        """Return the shard of each row, and its place within that shard."""
        positions = self.positions[rows]
        shards = self._starts.searchsorted(positions, side="right") - 1
        return shards, positions - self._starts[shards]

    def digests(self) -> dict[str, str]:
        """Return the digest of every file but the manifest, by path inside the pool."""
        return self._files.digests()

    def file(self, relative: str, digest: str) -> Path:
        """Return a local path to one of the pool's files; fetched from a URL, it must match."""
        return self._files.path(relative, digest)

    def shard_file(self, shard: int, file: str) -> Path:
        """Return a local path to a shard's file."""
        entry = self.manifest.shards[shard]
        return self._files.path(f"{SHARDS_FOLDER}/{entry.name}/{file}", entry.files[file])

    def _array(self, file: str) -> NDArray[Any]:
        return self._map(self._files.path(file, self.manifest.files[file]))

    def _map(self, path: Path) -> NDArray[Any]:
        try:
            return np.load(path, mmap_mode="r", allow_pickle=False).view(np.ndarray)
        except (ValueError, EOFError) as error:
            raise PoolError(
                f"{path} is damaged ({error}); see what else is with: assay pool verify {self.path}"
            ) from None
