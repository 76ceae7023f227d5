"""Where the entries of a submission lie in a pool: rows, and in text spans of tokens within them."""

from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from assay.pool import AnyPool, ImageTextPool, Pool
from assay.pool.chunks import CHUNK_TOKENS, chunk_bounds, vocabulary_pieces
from assay.pool.uid import find
from assay.submission.form import Stage, Unit


@dataclass(frozen=True)
class Located:
    """Entries of one stage, all (n,) and in the stage's order.

    Attributes:
        rows: Row in the pool, or -1 for an id (or a chunk of one) that the pool does not have.
        spans: In a text pool, the span of tokens within each document.
    """

    rows: NDArray[np.int64]
    spans: "TokenSpans | None" = None

    @property
    def shown(self) -> NDArray[np.int64]:
        """Tokens of every entry, or 1 sample; 0 where there is nothing to see."""
        return (self.rows >= 0).astype(np.int64) if self.spans is None else self.spans.lengths

    @property
    def cost(self) -> NDArray[np.int64]:
        """What one look at every entry takes from the budget: a document has an end-of-text too."""
        shown = self.shown
        return shown if self.spans is None else np.where(shown > 0, shown + 1, 0)

    @property
    def keys(self) -> NDArray[np.int64]:
        """Numbers that are the same for the same example alone."""
        return self.rows if self.spans is None else self.rows << 31 | self.spans.start


@dataclass(frozen=True, eq=False)
class TokenSpans:
    """Parts of documents, both (n,).

    Attributes:
        start: First token of the span within its document.
        stop: One after its last token; equal to the start where there is nothing to see.
    """

    start: NDArray[np.int32]
    stop: NDArray[np.int32]

    @property
    def lengths(self) -> NDArray[np.int64]:
        """Tokens of every span."""
        return (self.stop - self.start).astype(np.int64)

    def take(self, used: NDArray[np.bool_]) -> "TokenSpans":
        """Return the spans where `used` is true."""
        return TokenSpans(self.start[used], self.stop[used])

    def to_bytes(self) -> tuple[bytes, bytes]:
        """Return both arrays as little-endian bytes, for digests."""
        return self.start.astype("<i4").tobytes(), self.stop.astype("<i4").tobytes()


def locate(stage: Stage, unit: Unit, pool: AnyPool) -> Located:
    """Find every entry of a stage in the pool; a pair has no chunks, so none is ever found."""
    rows = find(pool.uids, stage.uids)
    if isinstance(pool, ImageTextPool):
        return Located(rows if stage.chunks is None else np.full_like(rows, -1))
    if stage.chunks is None:
        stop = np.where(rows >= 0, pool.n_tokens[rows], 0).astype(np.int32)
        return Located(rows, TokenSpans(np.zeros_like(stop), stop))
    assert unit != "document", "chunk numbers count chunks"
    if unit == "words128":
        start, stop = _word_spans(pool, rows, stage.chunks)
    else:
        start, stop = _token_spans(pool, rows, stage.chunks, CHUNK_TOKENS[unit])
    exists = (rows >= 0) & (stop >= 0)
    return Located(
        np.where(exists, rows, -1),
        TokenSpans(
            np.where(exists, start, 0).astype(np.int32), np.where(exists, stop, 0).astype(np.int32)
        ),
    )


def _token_spans(
    pool: Pool, rows: NDArray[np.int64], chunks: NDArray[np.int32], size: int
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Return the spans of chunks of so many tokens; the stop is -1 where there is no such chunk."""
    length = pool.n_tokens[rows].astype(np.int64)
    start = chunks.astype(np.int64) * size
    exists = (start < length) | (chunks == 0)  # an empty document has one empty chunk
    return start, np.where(exists, np.minimum(start + size, length), -1)


def _word_spans(
    pool: Pool, rows: NDArray[np.int64], chunks: NDArray[np.int32]
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Return the spans of chunks of 128 words; the stop is -1 where there is no such chunk."""
    pieces = vocabulary_pieces(pool.tokenizer())
    start = np.zeros(len(rows), dtype=np.int64)
    stop = np.full(len(rows), -1, dtype=np.int64)
    edges = np.flatnonzero(np.diff(rows)) + 1  # chunks of one document lie side by side
    for first, after in pairwise([0, *edges.tolist(), len(rows)]):
        if rows[first] < 0:
            continue
        bounds = chunk_bounds(pool.tokens(int(rows[first])), "words128", pieces)
        wanted = chunks[first:after]
        exists = wanted < len(bounds) - 1
        start[first:after][exists] = bounds[wanted[exists]]
        stop[first:after][exists] = bounds[wanted[exists] + 1]
    return start, stop
