"""A pool on one page."""

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from assay.pool.imagetext.store import ImageTextPool
from assay.pool.store import Pool

if TYPE_CHECKING:
    import pyarrow as pa

QUANTILES = (0, 1, 5, 25, 50, 75, 95, 99, 100)
MOST_FREQUENT = 20


@dataclass(frozen=True)
class Summary:
    """What a pool's metadata say at a glance.

    Attributes:
        tokens_percentiles: Percentile -> tokens of a document.
        tokens_histogram: (least tokens, documents) by powers of two.
        bytes_per_token: Over all rows.
        stored: Documents in storage, repeated ones included.
        hosts: The most frequent hosts and how many documents each has.
        sources: The same of the column `source`.
    """

    tokens_percentiles: dict[str, int]
    tokens_histogram: list[tuple[int, int]]
    bytes_per_token: float
    stored: int
    hosts: list[tuple[str, int]]
    sources: list[tuple[str, int]]


def summarise(pool: Pool) -> Summary:
    """Read sizes, hosts and sources of all rows."""
    powers = np.frexp(pool.n_tokens.astype(np.float64))[1] - 1  # floor of the binary logarithm
    bins, counts = np.unique(np.maximum(powers, 0), return_counts=True)
    return Summary(
        tokens_percentiles=_percentiles(pool.n_tokens),
        tokens_histogram=[(1 << int(b), int(c)) for b, c in zip(bins, counts, strict=True)],
        bytes_per_token=round(pool.manifest.num_bytes / max(pool.num_tokens, 1), 3),
        stored=pool.manifest.stored,
        hosts=_most_frequent(pool.column("host")),
        sources=_most_frequent(pool.column("source")),
    )


@dataclass(frozen=True)
class PairSummary:
    """What a pool of pairs says at a glance.

    Attributes:
        caption_percentiles: Percentile -> characters of a caption.
        side_percentiles: Percentile -> pixels of the shorter side of an image.
        image_percentiles: Percentile -> encoded bytes of an image.
        stored: Pairs in storage, repeated ones included.
        payload_files: Files that images lie in.
        hosts: The most frequent hosts and how many pairs each has.
        sources: The same of the column `source`.
    """

    caption_percentiles: dict[str, int]
    side_percentiles: dict[str, int]
    image_percentiles: dict[str, int]
    stored: int
    payload_files: int
    hosts: list[tuple[str, int]]
    sources: list[tuple[str, int]]


def summarise_pairs(pool: ImageTextPool) -> PairSummary:
    """Read captions, sizes, hosts and sources of all rows."""
    sides = np.minimum(pool.column("width").to_numpy(), pool.column("height").to_numpy())
    return PairSummary(
        caption_percentiles=_percentiles(np.fromiter(map(len, pool.captions()), np.int64)),
        side_percentiles=_percentiles(sides),
        image_percentiles=_percentiles(pool.locations["length"]),
        stored=pool.manifest.stored,
        payload_files=pool.num_payload_files,
        hosts=_most_frequent(pool.column("host")),
        sources=_most_frequent(pool.column("source")),
    )


def _percentiles(values: NDArray[np.integer]) -> dict[str, int]:
    found = np.percentile(values, QUANTILES, method="nearest")
    return {str(q): int(v) for q, v in zip(QUANTILES, found, strict=True)}


def _most_frequent(column: "pa.Array") -> list[tuple[str, int]]:
    counted = [(one["values"], one["counts"]) for one in column.value_counts().to_pylist()]
    known = [pair for pair in counted if pair[0] is not None]
    return sorted(known, key=lambda pair: (-pair[1], pair[0]))[:MOST_FREQUENT]
