"""One shard of pairs: captions, metadata and where the images lie, in Parquet."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from assay.canonical import digest_bytes, digest_file
from assay.pool.imagetext.records import Span
from assay.pool.manifest import Column, StoredShard
from assay.pool.shard import digest_rows, first_columns, write_table

PAIRS_FILE = "pairs.parquet"


@dataclass(frozen=True)
class PairContent:
    """What a shard holds, in storage order.

    Attributes:
        uids: 16 bytes a pair, as they print.
        captions: (rows,) UTF-8.
        image_sha256: (rows,) hex, of the stored bytes.
        sizes: (rows,) width and height of the stored image, in pixels.
        spans: (rows,) where images lie; inside the pool, relative to its folder.
        metadata_rows: (rows,) row of the joined metadata, or None without any.
        columns: Name -> (rows,) values.
    """

    uids: bytes
    captions: Sequence[bytes]
    image_sha256: Sequence[str]
    sizes: Sequence[tuple[int, int]]
    spans: Sequence[Span]
    metadata_rows: Sequence[int | None]
    columns: Mapping[str, Sequence[Any]]

    def digest(self) -> str:
        """Return `sha256:...` of the logical content, wherever the images lie."""
        images = digest_bytes(*map(bytes.fromhex, self.image_sha256))
        return digest_rows(self.uids, self.captions, self.columns, images=images)


def write_pairs(folder: Path, content: PairContent, schema: Sequence[Column]) -> StoredShard:
    """Write a shard's file, whole or absent."""
    import pyarrow as pa

    width, height = zip(*content.sizes, strict=True)
    arrays = {
        **first_columns(content.uids, content.captions, content.columns, schema),
        "width": pa.array(width, pa.int32()),
        "height": pa.array(height, pa.int32()),
        "image_sha256": pa.array(content.image_sha256, pa.large_string()),
        "file": pa.array([span.file for span in content.spans], pa.large_string()),
        "offset": pa.array([span.offset for span in content.spans], pa.int64()),
        "length": pa.array([span.length for span in content.spans], pa.int64()),
        "metadata_row": pa.array(content.metadata_rows, pa.int64()),
    }
    write_table(folder / PAIRS_FILE, pa.table(arrays), [*(c.name for c in schema), "file"])
    return StoredShard(
        name=folder.name,
        rows=len(content.captions),
        num_bytes=sum(map(len, content.captions)),
        digest=content.digest(),
        files={PAIRS_FILE: digest_file(folder / PAIRS_FILE)},
    )


def read_pairs(folder: Path, schema: Sequence[Column]) -> PairContent:
    """Read a whole shard back into memory."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    table = pq.read_table(folder / PAIRS_FILE)
    found = {name: table[name].to_pylist() for name in ("file", "offset", "length")}
    return PairContent(
        uids=b"".join(table["uid"].to_pylist()),
        captions=table["text"].cast(pa.large_binary()).to_pylist(),
        image_sha256=table["image_sha256"].to_pylist(),
        sizes=list(zip(table["width"].to_pylist(), table["height"].to_pylist(), strict=True)),
        spans=[Span(*where) for where in zip(*found.values(), strict=True)],
        metadata_rows=table["metadata_row"].to_pylist(),
        columns={column.name: table[column.name].to_pylist() for column in schema},
    )
