"""What a strategy sees of a pool: of documents, or of image-text pairs."""

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from assay.console import progress
from assay.pool import ImageTextPool, Pool
from assay.signals.columns import Setting
from assay.signals.reading import SignalReader
from assay.signals.text.reference import open_reference

if TYPE_CHECKING:
    import pyarrow as pa
    from PIL import Image


class PoolView:
    """Everything that a participant may see of a pool, and nothing of the answers.

    Attributes:
        n: Number of examples. A row is a number from 0 to n-1; every array is aligned to rows.
        uids: (n,) ids of dtype `u8,u8`, sorted.
        n_tokens: (n,) tokens of each document.
        n_bytes: (n,) UTF-8 bytes of each document.
        num_tokens: Tokens of the whole pool.
        tokens_seen: The budget of a run, in tokens; what is selected repeats until it is full.
        column_names: Metadata columns.
    """

    def __init__(self, pool: Pool, tokens_seen: int, signals: SignalReader | None = None):
        self._pool = pool
        self._signals = signals or SignalReader(pool)
        self.n: int = pool.n
        self.uids: NDArray[np.void] = pool.uids
        self.n_tokens: NDArray[np.int32] = pool.n_tokens
        self.n_bytes: NDArray[np.int32] = pool.n_bytes
        self.num_tokens: int = pool.num_tokens
        self.tokens_seen = tokens_seen
        self.column_names: tuple[str, ...] = pool.column_names

    def column(self, name: str, rows: NDArray[np.integer] | None = None) -> "pa.Array":
        """Return a metadata column as a pyarrow array, for all rows or the given ones."""
        return self._pool.column(name, rows)

    def signal(self, name: str, **parameters: Setting) -> NDArray[Any]:
        """Return a column of a signal, (n,) or (n, d), computed the first time it is wanted.

        Args:
            name: Of the column, as `assay signals list` has it.
            parameters: Of the signal; defaults where left out.
        """
        return self._signals.column(name, **parameters)

    def reference(self, name: str = "default") -> Iterator[str]:
        """Yield the documents of a reference, which shows what is good.

        Args:
            name: A pool's, `COLUMN~WORD` for documents of this pool, or `default`: the clean reference of
                the embedded pool, of another pool the pool NAME-reference.

        Raises:
            SignalError: If there is no such reference.
        """
        with self._signals.apart():  # the embedded reference is generated at first use
            found = open_reference(self._pool, name)
        self._signals.used[f"reference({name})"] = found.pool.root
        return found.texts()

    def texts(self, rows: NDArray[np.integer] | None = None) -> Iterator[str]:
        """Yield documents in row order (or in the order of `rows`), with a progress bar."""
        total = self.n if rows is None else len(rows)
        with progress("reading documents", total, "docs") as bar:
            for text in self._pool.texts(rows):
                bar.update()
                yield text

    def scan(
        self, columns: tuple[str, ...] = ("text",)
    ) -> Iterator[tuple[NDArray[np.int64], "pa.RecordBatch"]]:
        """Yield everything in the order in which it is stored, the fastest way, with a progress bar.

        Args:
            columns: `text`, `uid` or metadata columns.

        Yields:
            (k,) rows, -1 for a repeated document that no row refers to; and a batch of k documents.
        """
        with progress("reading documents", self.n, "docs") as bar:
            for rows, batch in self._pool.scan(columns):
                yield rows, batch
                bar.update(int((rows >= 0).sum()))

    def tokens(self, row: int) -> NDArray[np.unsignedinteger]:
        """Return the token ids of one document, memory-mapped."""
        return self._pool.tokens(row)


class PairView:
    """Everything that a participant may see of an image-text pool, and nothing of the answers.

    Attributes:
        n: Number of pairs. A row is a number from 0 to n-1; every array is aligned to rows.
        uids: (n,) ids of dtype `u8,u8`, sorted.
        samples_seen: The budget of a run; what is selected repeats until it is full.
        column_names: Metadata columns, such as `original_width` or `clip_l14_similarity_score`.
        embedding_names: Features that came with the pool, such as `l14_img`.
    """

    def __init__(self, pool: ImageTextPool, samples_seen: int, signals: SignalReader | None = None):
        self._pool = pool
        self._signals = signals or SignalReader(pool)
        self.n: int = pool.n
        self.uids: NDArray[np.void] = pool.uids
        self.samples_seen = samples_seen
        self.column_names: tuple[str, ...] = pool.column_names
        self.embedding_names: tuple[str, ...] = pool.embedding_names

    def column(self, name: str, rows: NDArray[np.integer] | None = None) -> "pa.Array":
        """Return a metadata column as a pyarrow array, for all rows or the given ones."""
        return self._pool.column(name, rows)

    def signal(self, name: str, **parameters: Setting) -> NDArray[Any]:
        """Return a column of a signal, (n,) or (n, d), computed the first time it is wanted.

        Args:
            name: Of the column, as `assay signals list` has it.
            parameters: Of the signal; defaults where left out.
        """
        return self._signals.column(name, **parameters)

    def embedding(self, name: str, rows: NDArray[np.integer] | None = None) -> NDArray[np.float16]:
        """Return features, (k, d), for all rows or the given ones."""
        return self._pool.embedding(name, rows)

    def captions(self, rows: NDArray[np.integer] | None = None) -> Iterator[str]:
        """Yield captions in row order, or in the order of `rows`."""
        return self._pool.captions(rows)

    def images(self, rows: NDArray[np.integer] | None = None) -> "Iterator[Image.Image | None]":
        """Yield images as RGB, None for one that cannot be decoded, with a progress bar."""
        from assay.pool.imagetext.images import ImageProblem, decode_image

        wanted = range(self.n) if rows is None else rows
        with progress("reading images", len(wanted), "images") as bar:
            for row in wanted:
                try:
                    yield decode_image(self._pool.image_bytes(int(row)))
                except ImageProblem:
                    yield None
                bar.update()
