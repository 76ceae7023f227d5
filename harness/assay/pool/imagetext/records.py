"""What a source of image-text pairs yields, and how raw fields become it.

Ids. A pair keeps its own 128-bit id where it has one, in the field `uid` of its JSON as DataComp has
it, or in one of the fields that documents keep theirs in (`assay.pool.records`). An own id of another
form becomes a uid as it does there. Without any, the uid is the first 16 bytes of
sha256("assay uid 1" 0x00 "pair" 0x00 url 0x00 caption 0x00 sha256 of the image, hex).

Columns. Scalars of the JSON become metadata columns; objects and lists among them, such as
`face_bboxes`, as JSON text. Fields that the pool measures itself (`width` and `height` of the stored
image) and the caption's own are left out.
"""

import hashlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from assay.canonical import canonical_json
from assay.pool.records import (
    PROBLEMS,
    Problem,
    Scalar,
    derive_uid,
    identify,
    needs_id,
    scalars,
    set_apart,
)

MAX_CAPTION_BYTES = 64_000
MAX_IMAGE_BYTES = 64_000_000
MAX_SIDE_BYTES = 1_000_000
"""Of a caption file or JSON file of one sample."""

MAX_FIELD_NAME = 200

CAPTION_FIELDS = ("caption", "text", "txt")
IMAGE_FIELDS = ("image", "jpg", "jpeg", "png", "webp", "img", "image_bytes")
KNOWN_PAIR_COLUMNS = ("url", "host", "source", "source_id")
MEASURED = ("width", "height", "image_sha256")
"""Columns of every pool of pairs: of the stored image, in pixels, and its digest in hex."""
PLACE_COLUMNS = ("file", "offset", "length", "metadata_row")
OWN_PAIR_COLUMNS = ("uid", "text", "image", "image_sha256", *PLACE_COLUMNS)

PAIR_PROBLEMS = {
    **{kind: PROBLEMS[kind] for kind in ("corrupt_file", "bad_encoding", "text_not_string")},
    "corrupt_json": "a JSON file of a sample that is not a JSON object, or over 1 MB",
    "missing_id": PROBLEMS["missing_id"],
    "bad_member": "a member of a tar that is no plain file; it is skipped",
    "missing_image": "a sample without an image",
    "missing_caption": "a sample without a caption",
    "empty": "a caption that is nothing but white space",
    "too_long": f"a caption over {MAX_CAPTION_BYTES // 1000} kB",
    "image_too_large": f"an image over {MAX_IMAGE_BYTES // 1_000_000} MB",
    "bad_image": "an image whose header cannot be read, or that promises over 64 million pixels",
    "sha256_mismatch": "an image that is not the one whose sha256 the metadata give",
    "not_in_metadata": "a sample that is no candidate of the metadata",
    "missing_sample": "a candidate of the metadata without a usable sample",
    "repeated_id": "an id seen before; the first pair with it stays",
    "column_value": "a metadata value that does not fit its column, set to null; the pair stays",
}
"""Kinds of problem, as they are counted in a pool's report."""


@dataclass(frozen=True, slots=True)
class Span:
    """Bytes that can be read where they are.

    Attributes:
        file: Path or fsspec URL of the file that holds them.
        offset: First byte.
        length: Number of bytes.
        data: The bytes, where the reader has them at hand anyway.
    """

    file: str
    offset: int
    length: int
    data: bytes | None = field(default=None, repr=False, compare=False)


@dataclass(frozen=True, slots=True)
class Pair:
    """One candidate: an image with its caption.

    Attributes:
        caption: As it came with the image.
        image: Encoded bytes, or where they lie in a file that can be read in place.
        uid: Its own 128-bit id, 16 bytes, or None where one is to be derived.
        columns: Visible metadata.
        truth: Hidden ground truth of a generated pair; it never enters the pool.
    """

    caption: str
    image: bytes | Span
    uid: bytes | None = None
    columns: Mapping[str, Scalar] = field(default_factory=dict)
    truth: Mapping[str, Any] | None = None


@dataclass(frozen=True)
class PairFields:
    """Where raw objects keep what Assay needs.

    Attributes:
        caption: Field of the caption; None takes a caption file, else the first of `CAPTION_FIELDS`.
        image: Column of the images in a table; None looks through `IMAGE_FIELDS`.
        id: Field of the own id; None looks in the usual ones, `none` ignores own ids.
    """

    caption: str | None = None
    image: str | None = None
    id: str | None = None


def read_pair(
    raw: Mapping[str, Any], caption: str | None, image: bytes | Span, fields: PairFields
) -> Pair | Problem:
    """Turn the parts of a sample into a pair.

    Args:
        raw: Its other fields, and perhaps the caption.
        caption: The text of its caption file, or None.
        image: Its image.
        fields: Where to look.
    """
    names = (fields.caption,) if fields.caption else CAPTION_FIELDS
    if caption is None or fields.caption:
        found = next((raw[name] for name in names if raw.get(name) is not None), None)
        if found is None:
            return Problem("missing_caption", f"no caption file and none of {', '.join(names)}")
        if not isinstance(found, str):
            return Problem("text_not_string", f"the caption is a {type(found).__name__}")
        caption = found
    columns = _columns(raw)
    for name in names:
        if columns.get(name) == caption:
            del columns[name]
    uid, own = identify(raw, columns, fields.id)
    if uid is None and own is None and needs_id(fields.id):
        return Problem("missing_id", f"no {fields.id!r} among {', '.join(map(str, raw))}")
    set_apart(columns, OWN_PAIR_COLUMNS)
    return Pair(caption, image, uid, columns)


def caption_problem(caption: str) -> Problem | None:
    """Return why a caption cannot enter a pool, or None."""
    if not caption or caption.isspace():
        return Problem("empty", f"{len(caption)} characters of white space")
    try:
        num_bytes = len(caption.encode("utf-8"))
    except UnicodeEncodeError as error:
        return Problem("bad_encoding", f"lone surrogate at character {error.start}")
    return Problem("too_long", f"{num_bytes:,} bytes") if num_bytes > MAX_CAPTION_BYTES else None


def derive_pair_uid(source_id: str | None, url: str | None, caption: str, sha256: str) -> bytes:
    """Return 16 bytes for a pair without a 128-bit id of its own (see the module's docstring)."""
    if source_id:
        return derive_uid(source_id, None, "")
    joined = "\0".join(("assay uid 1", "pair", url or "", caption, sha256))
    return hashlib.sha256(joined.encode("utf-8", "surrogatepass")).digest()[:16]


def json_text(value: Any) -> str | None:
    """Return an object or list as JSON text, or None where JSON cannot hold it."""
    try:
        return canonical_json(value).decode("utf-8")
    except (ValueError, TypeError, RecursionError):
        return None


def usable_names(names: Iterable[str]) -> set[str]:
    """Return those field names that can name a column everywhere."""
    return {name for name in names if name.isprintable() and 0 < len(name) <= MAX_FIELD_NAME}


def _columns(raw: Mapping[str, Any]) -> dict[str, Scalar]:
    columns = scalars(raw)
    for name, value in raw.items():
        if isinstance(value, dict | list) and name != "metadata":
            columns[name] = json_text(value)
    usable = usable_names(columns)
    return {n: v for n, v in columns.items() if n in usable and n not in MEASURED}
