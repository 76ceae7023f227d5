"""A pool of documents, opened: sizes memory-mapped, tokens read in place, texts on demand."""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property, lru_cache
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import ArrayLike, NDArray

from assay.errors import PoolError
from assay.pool.base import StoredPool
from assay.pool.manifest import (
    NUM_BYTES_FILE,
    NUM_TOKENS_FILE,
    Manifest,
)
from assay.pool.mirror import PoolFiles
from assay.pool.shard import DOCUMENTS_FILE, OFFSETS_FILE, TOKENS_FILE
from assay.pool.texts import in_row_order
from assay.pool.tokenizer import load_tokenizer, token_dtype

if TYPE_CHECKING:
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


class Pool(StoredPool):
    """The frozen candidates, documents. Every array and column is aligned to `uids`.

    Attributes:
        manifest: What `pool.json` says.
    """

    kind = "text"
    table_file = DOCUMENTS_FILE
    own_columns = ("n_tokens", "n_bytes")
    manifest: Manifest

    def __init__(self, files: PoolFiles):
        """Use `Pool.open`."""
        if files.manifest.kind != "text":
            raise PoolError(
                f"{files.where} is a pool of image-text pairs, and text is wanted here; list pools "
                "with: assay pools"
            )
        super().__init__(files, files.manifest)
        self._shard_tokens = lru_cache(maxsize=OPEN_SHARDS)(self._map_tokens)

    @classmethod
    def open(cls, where: str | Path) -> "Pool":
        """Open a pool by name, folder or fsspec URL, in milliseconds whatever its size.

        Raises:
            PoolError: If there is none, it is unfinished, or of another kind.
        """
        return cls(PoolFiles(where))

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
    def n_tokens(self) -> NDArray[np.int32]:
        """The (n,) tokens of each document."""
        return self._array(NUM_TOKENS_FILE)

    @cached_property
    def n_bytes(self) -> NDArray[np.int32]:
        """The (n,) UTF-8 bytes of each document."""
        return self._array(NUM_BYTES_FILE)

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
