"""One shard: documents in Parquet, tokens flat with offsets, and the digest of what they say."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from assay.artifact import atomic_file
from assay.canonical import digest_bytes, digest_file, digest_json
from assay.pool.manifest import Column, ColumnType, ShardEntry

if TYPE_CHECKING:
    import pyarrow as pa

DOCUMENTS_FILE = "documents.parquet"
TOKENS_FILE = "tokens.bin"
OFFSETS_FILE = "offsets.npy"
FILES = (DOCUMENTS_FILE, TOKENS_FILE, OFFSETS_FILE)

ROW_GROUP_DOCUMENTS = 1000
"""Small, so that a few documents can be read without decoding the shard."""


@dataclass(frozen=True)
class ShardContent:
    """What a shard holds, in storage order.

    Attributes:
        uids: 16 bytes a document, as they print.
        texts: (rows,) UTF-8.
        tokens: All documents' tokens, end to end.
        offsets: (rows + 1,) where each document's tokens start.
        columns: Name -> (rows,) values.
    """

    uids: bytes
    texts: Sequence[bytes]
    tokens: NDArray[np.unsignedinteger]
    offsets: NDArray[np.uint64]
    columns: Mapping[str, Sequence[Any]]

    def digest(self) -> str:
        """Return `sha256:...` of the logical content, whatever wrote the files."""
        tokens = digest_bytes(
            self.offsets.astype("<u8").tobytes(), self.tokens.astype("<u4").tobytes()
        )
        return digest_rows(self.uids, self.texts, self.columns, tokens=tokens)


def digest_rows(
    uids: bytes, texts: Sequence[bytes], columns: Mapping[str, Sequence[Any]], **payload: str
) -> str:
    """Return `sha256:...` of examples: ids, texts, metadata, and the digest of what else they hold."""
    lengths = np.array([len(text) for text in texts], dtype="<u8")
    return digest_json(
        {
            "uids": digest_bytes(uids),
            "texts": digest_bytes(lengths.tobytes(), *texts),
            "columns": {name: digest_json(list(v)) for name, v in columns.items()},
            **payload,
        }
    )


def write_shard(folder: Path, content: ShardContent, schema: Sequence[Column]) -> ShardEntry:
    """Write a shard's three files, each whole or absent."""
    write_table(folder / DOCUMENTS_FILE, _to_table(content, schema), [c.name for c in schema])
    with atomic_file(folder / TOKENS_FILE) as stream:
        stream.write(content.tokens.tobytes())
    with atomic_file(folder / OFFSETS_FILE) as stream:
        np.save(stream, content.offsets, allow_pickle=False)
    return ShardEntry(
        name=folder.name,
        rows=len(content.texts),
        num_tokens=len(content.tokens),
        num_bytes=sum(map(len, content.texts)),
        digest=content.digest(),
        files={name: digest_file(folder / name) for name in FILES},
    )


def write_table(path: Path, table: "pa.Table", dictionary: Sequence[str]) -> None:
    """Write a shard's Parquet file.

    Args:
        path: Where to.
        table: The examples.
        dictionary: Columns whose values repeat.
    """
    import pyarrow.parquet as pq

    with atomic_file(path) as stream:
        pq.write_table(
            table,
            stream,
            row_group_size=ROW_GROUP_DOCUMENTS,
            compression="zstd",
            use_dictionary=list(dictionary),  # pyright: ignore[reportArgumentType]
        )


def read_shard(folder: Path, schema: Sequence[Column], dtype: np.dtype) -> ShardContent:
    """Read a whole shard back into memory.

    Args:
        folder: The shard.
        schema: The pool's metadata columns.
        dtype: Of the stored tokens.
    """
    import pyarrow as pa
    import pyarrow.parquet as pq

    table = pq.read_table(folder / DOCUMENTS_FILE)
    return ShardContent(
        uids=b"".join(table["uid"].to_pylist()),
        texts=table["text"].cast(pa.large_binary()).to_pylist(),
        tokens=np.fromfile(folder / TOKENS_FILE, dtype=dtype),
        offsets=np.load(folder / OFFSETS_FILE, allow_pickle=False),
        columns={column.name: table[column.name].to_pylist() for column in schema},
    )


def arrow_type(kind: ColumnType) -> "pa.DataType":
    """Return how a metadata column is stored."""
    import pyarrow as pa

    return {
        "string": pa.large_string(),
        "int64": pa.int64(),
        "float64": pa.float64(),
        "bool": pa.bool_(),
    }[kind]


def first_columns(
    uids: bytes,
    texts: Sequence[bytes],
    columns: Mapping[str, Sequence[Any]],
    schema: Sequence[Column],
) -> dict[str, "pa.Array"]:
    """Return the columns that shards of all kinds begin with: `uid`, `text`, metadata."""
    import pyarrow as pa

    return {
        "uid": pa.FixedSizeBinaryArray.from_buffers(
            pa.binary(16), len(texts), [None, pa.py_buffer(uids)]
        ),
        "text": pa.array(texts, pa.large_binary()).cast(pa.large_string()),
        **{c.name: pa.array(columns[c.name], arrow_type(c.type)) for c in schema},
    }


def _to_table(content: ShardContent, schema: Sequence[Column]) -> "pa.Table":
    import pyarrow as pa

    arrays = {
        **first_columns(content.uids, content.texts, content.columns, schema),
        "n_tokens": pa.array(np.diff(content.offsets).astype(np.int32)),
        "n_bytes": pa.array([len(text) for text in content.texts], pa.int32()),
    }
    return pa.table(arrays)
