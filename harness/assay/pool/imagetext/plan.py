"""What a build of pairs decides before it starts: the metadata columns, and where features lie."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import islice

import numpy as np

from assay.console import progress
from assay.pool.columns import MAX_FIELDS, infer_columns
from assay.pool.imagetext.embeddings import embedding_entries
from assay.pool.imagetext.metadata import Metadata, MetadataFile
from assay.pool.imagetext.records import KNOWN_PAIR_COLUMNS, MEASURED, OWN_PAIR_COLUMNS, Pair
from assay.pool.manifest import Column, EmbeddingEntry, SidecarEntry
from assay.pool.records import Scalar, complete_columns
from assay.pool.sources import Source

HEAD_SOURCES = 32
"""Sources whose heads decide which columns there are, spread evenly over all of them."""

HEAD_PAIRS = 100
"""Pairs of each of these."""


@dataclass(frozen=True)
class ShardPlan:
    """A build's decisions.

    Attributes:
        fingerprint: Digest of sources and settings.
        columns: The pool's metadata columns.
        left_out: Fields that found no room among them.
        sidecars: Features beside the metadata files; empty where there are none.
        embeddings: Which features.
    """

    fingerprint: str
    columns: tuple[Column, ...]
    left_out: tuple[str, ...]
    sidecars: tuple[SidecarEntry, ...] = ()
    embeddings: tuple[EmbeddingEntry, ...] = ()


def make_plan(
    fingerprint: str,
    sources: Sequence[Source],
    metadata: Metadata | None,
    files: Sequence[MetadataFile],
) -> ShardPlan:
    """Decide.

    Args:
        fingerprint: Of the build.
        sources: The heads of some are read.
        metadata: What pairs are joined with.
        files: Of the metadata.

    Raises:
        PoolError: If a source cannot be opened, or features cannot be read.
    """
    joined = metadata.columns if metadata else ()
    fixed = [name for name in KNOWN_PAIR_COLUMNS if name not in {c.name for c in joined}]
    inferred, left_out = infer_columns(_read_heads(sources), fixed)
    taken = {column.name for column in joined}
    own = [column for column in inferred if column.name not in taken]
    columns = (*own[: len(fixed)], *joined, *own[len(fixed) :])
    names = {column.name for column in columns}
    assert names.isdisjoint((*OWN_PAIR_COLUMNS, *MEASURED)), f"a source has columns {names}"
    sidecars, embeddings = _find_features(metadata, files)
    left_out = [*left_out, *(column.name for column in columns[len(fixed) + MAX_FIELDS :])]
    return ShardPlan(
        fingerprint, columns[: len(fixed) + MAX_FIELDS], tuple(left_out), sidecars, embeddings
    )


def _find_features(
    metadata: Metadata | None, files: Sequence[MetadataFile]
) -> tuple[tuple[SidecarEntry, ...], tuple[EmbeddingEntry, ...]]:
    paths = [file.sidecar() for file in files]
    present = [path for path in paths if path]
    if metadata is None or not present:
        return (), ()
    sidecars = (SidecarEntry(p or "", rows) for p, rows in zip(paths, metadata.rows, strict=True))
    return tuple(sidecars), embedding_entries(present[0])


def _read_heads(sources: Sequence[Source]) -> Iterator[dict[str, Scalar]]:
    """Yield the columns of the first pairs of some sources."""
    count = min(HEAD_SOURCES, len(sources))
    chosen = np.linspace(0, len(sources) - 1, count).astype(int)
    with progress("sampling", count, "sources") as bar:
        for source in (sources[number] for number in chosen):
            items = source.records(0)
            pairs = (item for _, item in items if isinstance(item, Pair))
            for pair in islice(pairs, HEAD_PAIRS):
                yield complete_columns(pair.columns, source.name)
            bar.update()
