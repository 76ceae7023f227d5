"""`pool.json`: what a pool is, written last. A folder without one is no pool."""

import json
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

from assay.canonical import merkle_root
from assay.errors import PoolError, TrackError
from assay.spec import parse, plain

FORMAT = 1
MANIFEST_FILE = "pool.json"
REPORT_FILE = "build_report.json"
TOKENIZER_FILE = "tokenizer.json"
UIDS_FILE = "uids.npy"
ROWS_FILE = "rows.npy"
NUM_TOKENS_FILE = "n_tokens.npy"
NUM_BYTES_FILE = "n_bytes.npy"
SHARDS_FOLDER = "shards"
BUILD_FOLDER = ".build"
"""Holds the state of an unfinished build; absent from a finished pool."""

ColumnType = Literal["string", "int64", "float64", "bool"]


@dataclass(frozen=True)
class Column:
    """A metadata column.

    Attributes:
        name: As in the source, or one of the known columns.
        type: Of its values; any may be null.
    """

    name: str
    type: ColumnType


@dataclass(frozen=True)
class ShardEntry:
    """One shard, repeated documents that no row refers to included.

    Attributes:
        name: Its folder under `shards/`, five digits or more.
        rows: Documents in it.
        num_tokens: Tokens in it.
        num_bytes: UTF-8 bytes of text in it.
        digest: Of the logical content; does not depend on the Parquet writer.
        files: File name -> `sha256:` of its bytes.
    """

    name: str
    rows: int
    num_tokens: int
    num_bytes: int
    digest: str
    files: dict[str, str]


@dataclass(frozen=True)
class TokenizerEntry:
    """The tokenizer that made the tokens.

    Attributes:
        file: Its `tokenizers` JSON inside the pool.
        digest: `sha256:` of that file.
        vocab_size: One more than the largest token id.
        eos_id: The end-of-text token; it is not stored, whoever packs documents adds it.
    """

    file: str
    digest: str
    vocab_size: int
    eos_id: int


@dataclass(frozen=True)
class SourceEntry:
    """One file or generator that documents came from.

    Attributes:
        name: Path relative to the folder that all sources share, or a generator's name.
        fingerprint: What tells its versions apart, such as its size.
    """

    name: str
    fingerprint: str


@dataclass(frozen=True)
class Manifest:
    """Everything about a pool that fits a page.

    Attributes:
        format: Version of the layout.
        name: As `assay pools` lists it.
        kind: Modality; `text`.
        n: Documents with different ids: the rows.
        num_tokens: Tokens of the rows.
        num_bytes: UTF-8 bytes of the rows.
        root: Merkle root of the shards' content digests and, last, the tokenizer's digest.
        fingerprint: Digest of sources and settings of the build.
        tokenizer: What made the tokens.
        columns: Metadata.
        shards: In storage order.
        files: Top-level file -> `sha256:` of its bytes.
        sources: In the order in which they were read.
        licence: As given by whoever built it.
        report: Kind of problem -> count.
        card: Whatever a reader should know: heading -> text.
    """

    format: int
    name: str
    kind: Literal["text"]
    n: int
    num_tokens: int
    num_bytes: int
    root: str
    fingerprint: str
    tokenizer: TokenizerEntry
    columns: tuple[Column, ...]
    shards: tuple[ShardEntry, ...]
    files: dict[str, str]
    sources: tuple[SourceEntry, ...]
    licence: str = ""
    report: dict[str, int] = field(default_factory=dict)
    card: dict[str, str] = field(default_factory=dict)

    @property
    def stored(self) -> int:
        """Documents in storage: rows, and repeated documents that no row refers to."""
        return sum(shard.rows for shard in self.shards)

    def to_bytes(self) -> bytes:
        """Serialise for people and machines."""
        return to_json(plain(self))


def to_json(document: Any) -> bytes:
    """Return indented, sorted JSON, the form of every JSON file in a pool."""
    text = json.dumps(document, indent=2, sort_keys=True, ensure_ascii=False, allow_nan=False)
    return (text + "\n").encode("utf-8")


def pool_root(shards: tuple[ShardEntry, ...], tokenizer_digest: str) -> str:
    """Return the Merkle root that identifies a pool."""
    return merkle_root([*(shard.digest for shard in shards), tokenizer_digest])


def parse_manifest(data: bytes, where: str) -> Manifest:
    """Read `pool.json`.

    Raises:
        PoolError: If it is not one, or of a format that this version does not read.
    """
    try:
        raw = json.loads(data)
        version = raw.get("format") if isinstance(raw, dict) else None
        if version != FORMAT:
            raise PoolError(
                f"{where} has format {version!r}, this version of assay reads {FORMAT}; "
                "rebuild the pool with: assay pool build"
            )
        return parse(Manifest, raw, where)
    except (ValueError, TrackError) as error:
        raise PoolError(
            f"{where} is not a pool manifest ({error}); rebuild it with: assay pool build"
        ) from None


def truth_path(folder: Path) -> Path:
    """Where the hidden ground truth of a generated pool lies: beside the pool, never inside."""
    return folder.with_name(f"{folder.name}.truth.parquet")
