"""A pool, opened: ids and sizes memory-mapped, tokens read in place, columns and texts on demand.

A ROW is a position in the sorted ids. A POSITION is a place in storage: shards in order, documents
in the order in which they were read. `rows.npy` leads from the one to the other.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property, lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from assay.errors import PoolError
from assay.pool.manifest import (
    NUM_BYTES_FILE,
    NUM_TOKENS_FILE,
    ROWS_FILE,
    SHARDS_FOLDER,
    UIDS_FILE,
    Manifest,
    ShardEntry,
)
from assay.pool.mirror import PoolFiles
from assay.pool.shard import DOCUMENTS_FILE, OFFSETS_FILE, TOKENS_FILE
from assay.pool.texts import in_row_order
from assay.pool.tokenizer import load_tokenizer, token_dtype

if TYPE_CHECKING:
    import pyarrow as pa
    from tokenizers import Tokenizer

OPEN_SHARDS = 256
"""Memory maps kept open; every one costs a file descriptor."""


@dataclass(frozen=True)
class ShardTokens:
    """A shard's tokens, memory-mapped.

    Attributes:
        tokens: All of its documents, end to end.
        offsets: (rows + 1,) where each document's tokens start.
    """

    tokens: NDArray[np.unsignedinteger]
    offsets: NDArray[np.uint64]


class Pool:
    """The frozen candidates. Every array and column is aligned to `uids`.

    Attributes:
        manifest: What `pool.json` says.
        path: The pool's folder; of a remote pool, the local mirror that fills as files are wanted.
    """

    def __init__(self, files: PoolFiles):
        """Use `Pool.open`."""
        self._files = files
        self.manifest: Manifest = files.manifest
        self.path: Path = files.folder
        self._starts = np.cumsum([0, *(shard.rows for shard in self.manifest.shards)])
        self._shard_tokens = lru_cache(maxsize=OPEN_SHARDS)(self._map_tokens)
        self._columns: dict[str, Any] = {}

    @classmethod
    def open(cls, where: str | Path) -> "Pool":
        """Open a pool by name, folder or fsspec URL, in milliseconds whatever its size.

        Raises:
            PoolError: If there is none, or it is unfinished.
        """
        return cls(PoolFiles(where))

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

    @property
    def num_tokens(self) -> int:
        """Return the tokens of all rows."""
        return self.manifest.num_tokens

    @property
    def vocab_size(self) -> int:
        """Return one more than the largest token id."""
        return self.manifest.tokenizer.vocab_size

    @property
    def eos_id(self) -> int:
        """Return the end-of-text token; `tokens` does not end with it."""
        return self.manifest.tokenizer.eos_id

    @cached_property
    def uids(self) -> NDArray[np.void]:
        """The (n,) ids, `UID_DTYPE`, sorted, all different."""
        return self._array(UIDS_FILE)

    @cached_property
    def n_tokens(self) -> NDArray[np.int32]:
        """The (n,) tokens of each document."""
        return self._array(NUM_TOKENS_FILE)

    @cached_property
    def n_bytes(self) -> NDArray[np.int32]:
        """The (n,) UTF-8 bytes of each document."""
        return self._array(NUM_BYTES_FILE)

    @cached_property
    def positions(self) -> NDArray[np.int64]:
        """The (n,) positions of the rows in storage."""
        return self._array(ROWS_FILE)

    @cached_property
    def rows_in_storage(self) -> NDArray[np.int64]:
        """The (stored,) rows of documents in storage order, -1 for a repeated one."""
        rows = np.full(self.manifest.stored, -1, dtype=np.int64)
        rows[self.positions] = np.arange(self.n)
        return rows

    @property
    def column_names(self) -> tuple[str, ...]:
        """Return the metadata columns, `n_tokens` and `n_bytes` last."""
        return (*(column.name for column in self.manifest.columns), "n_tokens", "n_bytes")

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

    def text(self, row: int) -> str:
        """Return one document."""
        return next(self.texts([row]))

    def texts(self, rows: ArrayLike | None = None) -> Iterator[str]:
        """Yield documents in row order, or in the order of `rows`, in bounded memory.

        Rows lie in storage in random order. Up to 256 MB are read at once; beyond that, texts pass
        through a temporary file under `$ASSAY_HOME/cache`. Where order does not matter, `scan` is
        faster.
        """
        wanted = np.arange(self.n) if rows is None else np.asarray(rows, dtype=np.int64)
        return in_row_order(self, wanted)

    def scan(
        self, columns: tuple[str, ...] = ("text",)
    ) -> Iterator[tuple[NDArray[np.int64], "pa.RecordBatch"]]:
        """Yield everything in storage order, a thousand documents at a time: the fast path.

        Args:
            columns: `text`, `uid` or metadata columns.

        Yields:
            Rows, (k,), -1 for a repeated document that no row refers to; and a batch of k documents.
        """
        import pyarrow.parquet as pq

        for shard in range(len(self.manifest.shards)):
            start = int(self._starts[shard])
            with pq.ParquetFile(self.shard_file(shard, DOCUMENTS_FILE)) as file:
                for batch in file.iter_batches(1000, columns=list(columns)):
                    stop = start + batch.num_rows
                    yield self.rows_in_storage[start:stop], batch.select(list(columns))
                    start = stop

    def tokens(self, row: int) -> NDArray[np.unsignedinteger]:
        """Return one document's tokens, a view of the memory map; without end-of-text token."""
        position = self.positions[row]
        shard = int(self._starts.searchsorted(position, side="right")) - 1
        mapped = self._shard_tokens(shard)
        local = position - self._starts[shard]
        return mapped.tokens[mapped.offsets[local] : mapped.offsets[local + 1]]

    def tokenizer(self) -> "Tokenizer":
        """Load the tokenizer that made the tokens."""
        entry = self.manifest.tokenizer
        return load_tokenizer(self._files.path(entry.file, entry.digest))

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
        entry: ShardEntry = self.manifest.shards[shard]
        return self._files.path(f"{SHARDS_FOLDER}/{entry.name}/{file}", entry.files[file])

    def _map_tokens(self, shard: int) -> ShardTokens:
        path = self.shard_file(shard, TOKENS_FILE)
        # An empty file cannot be mapped; numpy reads it as what it is.
        tokens = (
            np.memmap(path, dtype=token_dtype(self.vocab_size), mode="r")
            if self.manifest.shards[shard].num_tokens
            else np.empty(0, dtype=token_dtype(self.vocab_size))
        )
        # A plain ndarray: indexing np.memmap costs several times as much.
        offsets = self._map(self.shard_file(shard, OFFSETS_FILE))
        return ShardTokens(tokens.view(np.ndarray), offsets)

    def _array(self, file: str) -> NDArray[Any]:
        return self._map(self._files.path(file, self.manifest.files[file]))

    def _map(self, path: Path) -> NDArray[Any]:
        try:
            return np.load(path, mmap_mode="r", allow_pickle=False).view(np.ndarray)
        except (ValueError, EOFError) as error:
            raise PoolError(
                f"{path} is damaged ({error}); see what else is with: assay pool verify {self.path}"
            ) from None
