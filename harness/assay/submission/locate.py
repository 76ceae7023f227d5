"""Where the entries of a submission lie in a pool: rows, and spans of tokens within them."""

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from assay.pool import Pool
from assay.pool.chunks import ChunkBounds
from assay.pool.uid import find
from assay.submission.form import Stage, Unit


@dataclass(frozen=True)
class Located:
    """Entries of one stage, all (n,) and in the stage's order.

    Attributes:
        rows: Row in the pool, or -1 for an id (or a chunk of one) that the pool does not have.
        token_start: First token of the span within its document.
        token_stop: One after its last token; equal to the start where there is nothing to see.
    """

    rows: NDArray[np.int64]
    token_start: NDArray[np.int32]
    token_stop: NDArray[np.int32]

    @property
    def num_tokens(self) -> NDArray[np.int64]:
        """Tokens of every entry."""
        return (self.token_stop - self.token_start).astype(np.int64)


def locate(stage: Stage, unit: Unit, pool: Pool) -> Located:
    """Find every entry of a stage in the pool."""
    rows = find(pool.uids, stage.uids)
    start = np.zeros(len(rows), dtype=np.int32)
    stop = np.zeros(len(rows), dtype=np.int32)
    if stage.chunks is None:
        known = rows >= 0
        stop[known] = pool.n_tokens[rows[known]]
        return Located(rows, start, stop)
    assert unit != "document", "chunk numbers count chunks"
    bounds_of = ChunkBounds(pool, unit)
    for first, after in _same_document(rows):
        if rows[first] < 0:
            continue
        bounds = bounds_of(int(rows[first]))
        chunks = stage.chunks[first:after]
        exists = chunks < len(bounds) - 1
        rows[first:after][~exists] = -1
        start[first:after][exists] = bounds[chunks[exists]]
        stop[first:after][exists] = bounds[chunks[exists] + 1]
    return Located(rows, start, stop)


def _same_document(rows: NDArray[np.int64]) -> Iterator[tuple[int, int]]:
    """Yield first and last-but-one entry of every run of equal rows; a stage keeps them together."""
    edges = np.flatnonzero(np.diff(rows)) + 1
    bounds = [0, *edges.tolist(), len(rows)]
    return pairwise(bounds)
