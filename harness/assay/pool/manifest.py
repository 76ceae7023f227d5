"""`pool.json`: what a pool is, written last. A folder without one is no pool."""

import json
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

from assay.canonical import merkle_root
from assay.errors import PoolError, TrackError
from assay.spec import parse, plain

FORMAT = 1
IMAGE_TEXT = "image-text"
MANIFEST_FILE = "pool.json"
REPORT_FILE = "build_report.json"
TOKENIZER_FILE = "tokenizer.json"
UIDS_FILE = "uids.npy"
ROWS_FILE = "rows.npy"
NUM_TOKENS_FILE = "n_tokens.npy"
NUM_BYTES_FILE = "n_bytes.npy"
SHARDS_FOLDER = "shards"
IMAGES_FOLDER = "images"
"""Tars of images that could not be left where they were."""

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


@dataclass(frozen=True, kw_only=True)
class StoredShard:
    """One shard, repeated examples that no row refers to included.

    Attributes:
        name: Its folder under `shards/`, five digits or more.
        rows: Examples in it.
        num_bytes: UTF-8 bytes of text or captions in it.
        digest: Of the logical content; does not depend on the Parquet writer.
        files: File name -> `sha256:` of its bytes.
    """

    name: str
    rows: int
    num_bytes: int
    digest: str
    files: dict[str, str]


@dataclass(frozen=True, kw_only=True)
class ShardEntry(StoredShard):
    """A shard of documents.

    Attributes:
        num_tokens: Tokens in it.
    """

    num_tokens: int


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
class EmbeddingEntry:
    """An array of features beside the metadata, a row for each candidate.

    Attributes:
        name: Of the array in its `.npz` files, such as `l14_img`.
        width: Numbers of a row.
    """

    name: str
    width: int


@dataclass(frozen=True)
class SidecarEntry:
    """A file of metadata, with the features that lie beside it.

    Attributes:
        path: Of the `.npz` file: relative to the pool, or absolute, or a URL.
        rows: Candidates in the metadata file, and rows of each array.
    """

    path: str
    rows: int


@dataclass(frozen=True, kw_only=True)
class AnyManifest:
    """What manifests of all kinds have in common.

    Attributes:
        format: Version of the layout.
        name: As `assay pools` lists it.
        n: Examples with different ids: the rows.
        num_bytes: UTF-8 bytes of the rows' text or captions.
        root: Merkle root of the shards' content digests.
        fingerprint: Digest of sources and settings of the build.
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
    n: int
    num_bytes: int
    root: str
    fingerprint: str
    columns: tuple[Column, ...]
    shards: tuple[StoredShard, ...]
    files: dict[str, str]
    sources: tuple[SourceEntry, ...]
    licence: str = ""
    report: dict[str, int] = field(default_factory=dict)
    card: dict[str, str] = field(default_factory=dict)

    @property
    def stored(self) -> int:
        """Examples in storage: rows, and repeated ones that no row refers to."""
        return sum(shard.rows for shard in self.shards)

    def to_bytes(self) -> bytes:
        """Serialise for people and machines."""
        return to_json(plain(self))


@dataclass(frozen=True, kw_only=True)
class Manifest(AnyManifest):
    """Everything about a pool of documents that fits a page.

    Attributes:
        kind: Modality.
        num_tokens: Tokens of the rows.
        tokenizer: What made the tokens; its digest is the last leaf under the root.
    """

    kind: Literal["text"]
    num_tokens: int
    tokenizer: TokenizerEntry
    shards: tuple[ShardEntry, ...]


@dataclass(frozen=True, kw_only=True)
class ImageTextManifest(AnyManifest):
    """Everything about a pool of images with captions that fits a page.

    Where the images lie (`payload.arrow`) is under no leaf of the root: the same pairs elsewhere are
    the same pool.

    Attributes:
        kind: Modality.
        image_bytes: Encoded bytes of the rows' images.
        candidates: Different ids in the metadata that the samples were joined with, or None; `n` of
            them have a sample.
        sidecars: Metadata files in the order of their rows; empty where no features lie beside them.
        embeddings: The features.
    """

    kind: Literal["image-text"]
    image_bytes: int
    candidates: int | None = None
    sidecars: tuple[SidecarEntry, ...] = ()
    embeddings: tuple[EmbeddingEntry, ...] = ()


def to_json(document: Any) -> bytes:
    """Return indented, sorted JSON, the form of every JSON file in a pool."""
    text = json.dumps(document, indent=2, sort_keys=True, ensure_ascii=False, allow_nan=False)
    return (text + "\n").encode("utf-8")


def pool_root(shards: Sequence[StoredShard], *more: str) -> str:
    """Return the Merkle root that identifies a pool.

    Args:
        shards: In storage order.
        more: Digests of what else belongs to the content, such as the tokenizer's.
    """
    return merkle_root([*(shard.digest for shard in shards), *more])


def parse_manifest(data: bytes, where: str) -> Manifest | ImageTextManifest:
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
        return parse(ImageTextManifest if raw.get("kind") == IMAGE_TEXT else Manifest, raw, where)
    except (ValueError, TrackError) as error:
        raise PoolError(
            f"{where} is not a pool manifest ({error}); rebuild it with: assay pool build"
        ) from None


def truth_path(folder: Path) -> Path:
    """Where the hidden ground truth of a generated pool lies: beside the pool, never inside."""
    return folder.with_name(f"{folder.name}.truth.parquet")
