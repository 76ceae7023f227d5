"""What a source yields, and how a raw JSON object becomes it.

Ids. A document keeps its own 128-bit id where it has one: the first of the fields `uid`,
`WARC-Record-ID`, `id` and `source_id` (top level or inside `metadata`) that holds 32 hex digits, a UUID or a
`<urn:uuid:...>`; `--id-field` names another field to read instead. Any other own id, such as
`doc_17`, is kept in the column `source_id`, and the uid is the first 16 bytes of
sha256("assay uid 1" 0x00 "id" 0x00 own id). Without an own id, or with `--id-field none`, it is
that of sha256("assay uid 1" 0x00 "text" 0x00 url 0x00 text).

Columns. Scalars of the top level and of `metadata` (where both have a name, the top level's) become
metadata columns; the text and the id that became the uid do not. Five columns always exist: `url`;
`host` (as given, else taken from the url); `timestamp` (as written in `timestamp`, `WARC-Date` or
`date`); `source` (as given, else the name of the file or generator); `source_id`. A field that would
collide with a column of the pool's own (`uid`, `text`, `n_tokens`, `n_bytes`) is called `source_<name>`.
"""

import hashlib
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit

Scalar = str | int | float | bool | None

MAX_TEXT_BYTES = 64_000_000
"""A longer line or document is a counted problem; it bounds memory."""

PROBLEMS = {
    "corrupt_json": "a line that is not a JSON object",
    "corrupt_file": "a file whose rest cannot be decoded",
    "bad_encoding": "text that is not valid UTF-8",
    "missing_text": "no text field",
    "text_not_string": "a text field that holds something else",
    "missing_id": "no id in the field that --id-field names",
    "empty": "nothing but white space",
    "too_long": f"over {MAX_TEXT_BYTES // 1_000_000} MB",
    "repeated_id": "an id seen before; the first document with it stays",
    "column_value": "a metadata value that does not fit its column, set to null; the document stays",
}
"""Kinds of problem, as they are counted in a pool's report. All but the last cost the document."""

KNOWN_COLUMNS = ("url", "host", "timestamp", "source", "source_id")
OWN_COLUMNS = ("uid", "text", "n_tokens", "n_bytes")
ID_FIELDS = ("uid", "WARC-Record-ID", "id", "source_id")
TIME_FIELDS = ("timestamp", "WARC-Date", "date")
NO_ID_FIELD = "none"

_UUID = re.compile(
    r"(?:<?urn:uuid:)?([0-9a-f]{8})-([0-9a-f]{4})-([0-9a-f]{4})-([0-9a-f]{4})-([0-9a-f]{12})>?"
)
_HEX = re.compile(r"[0-9a-f]{32}")


@dataclass(frozen=True, slots=True)
class Record:
    """One candidate document.

    Attributes:
        text: The document.
        uid: Its own 128-bit id, 16 bytes, or None where one is to be derived.
        columns: Visible metadata.
        truth: Hidden ground truth of a generated document; it never enters the pool.
    """

    text: str
    uid: bytes | None = None
    columns: Mapping[str, Scalar] = field(default_factory=dict)
    truth: Mapping[str, Any] | None = None


@dataclass(frozen=True, slots=True)
class Problem:
    """Something in a source that is no document.

    Attributes:
        kind: A key of `PROBLEMS`.
        detail: What was found there, short.
    """

    kind: str
    detail: str


@dataclass(frozen=True)
class Fields:
    """Where raw objects keep what Assay needs.

    Attributes:
        text: Field of the text.
        id: Field of the own id; None looks through `ID_FIELDS`, `none` ignores own ids.
    """

    text: str = "text"
    id: str | None = None


def read_record(raw: Any, fields: Fields) -> Record | Problem:
    """Turn one parsed JSON object, or row of a table, into a record."""
    if not isinstance(raw, dict):
        return Problem("corrupt_json", f"a JSON {type(raw).__name__}, not an object")
    text = _find(raw, fields.text)
    if text is None:
        return Problem("missing_text", f"no {fields.text!r} among {', '.join(map(str, raw))}")
    if not isinstance(text, str):
        return Problem("text_not_string", f"{fields.text!r} holds a {type(text).__name__}")
    columns = scalars(raw)
    columns.pop(_bare(fields.text), None)
    uid, own = identify(raw, columns, fields.id)
    if uid is None and own is None and needs_id(fields.id):
        return Problem("missing_id", f"no {fields.id!r} among {', '.join(map(str, raw))}")
    set_apart(columns, OWN_COLUMNS)
    return Record(text, uid or derive_uid(own, url_of(columns), text), columns)


def set_apart(columns: dict[str, Scalar], own: Iterable[str]) -> None:
    """Rename fields that would collide with a column of the pool's own."""
    for name in own:
        if name in columns:
            columns[f"source_{name}"] = columns.pop(name)


def text_problem(text: str) -> Problem | None:
    """Return why a text cannot enter a pool, or None."""
    if not text or text.isspace():
        return Problem("empty", f"{len(text)} characters of white space")
    try:
        num_bytes = len(text.encode("utf-8"))
    except UnicodeEncodeError as error:
        return Problem("bad_encoding", f"lone surrogate at character {error.start}")
    return Problem("too_long", f"{num_bytes:,} bytes") if num_bytes > MAX_TEXT_BYTES else None


def complete_columns(columns: Mapping[str, Scalar], source: str) -> dict[str, Scalar]:
    """Add the columns that every pool has."""
    full = dict(columns)
    url = url_of(columns)
    full["url"] = url
    full["host"] = _word(columns.get("host")) or (host_of(url) if url else None)
    full["timestamp"] = next(
        (word for name in TIME_FIELDS if (word := _word(columns.get(name)))), None
    )
    full["source"] = _word(columns.get("source")) or source
    full["source_id"] = _word(columns.get("source_id"))
    return full


def url_of(columns: Mapping[str, Scalar]) -> str | None:
    """Return a document's address, or None."""
    return _word(columns.get("url")) or _word(columns.get("WARC-Target-URI"))


def derive_uid(source_id: str | None, url: str | None, text: str) -> bytes:
    """Return 16 bytes for a document without a 128-bit id of its own (see the module's docstring)."""
    parts = ("id", source_id) if source_id else ("text", url or "", text)
    joined = "\0".join(("assay uid 1", *parts))
    return hashlib.sha256(joined.encode("utf-8", "surrogatepass")).digest()[:16]


def parse_uid(value: object) -> bytes | None:
    """Return the 16 bytes of 32 hex digits, a UUID or a `urn:uuid:`, else None."""
    if isinstance(value, bytes):
        return value if len(value) == 16 else None
    if not isinstance(value, str):
        return None
    word = value.strip().lower()
    if _HEX.fullmatch(word):
        return bytes.fromhex(word)
    match = _UUID.fullmatch(word)
    return bytes.fromhex("".join(match.groups())) if match else None


def host_of(url: str) -> str | None:
    """Return the lower-case host name of a url, with or without a scheme, or None."""
    try:
        return urlsplit(url if "://" in url else f"//{url}").hostname or None
    except ValueError:  # such as an unclosed bracket of an IPv6 address
        return None


def _bare(name: str) -> str:
    return name.removeprefix("metadata.")


def _find(raw: Mapping[str, Any], name: str) -> Any:
    """Look at the top level first, then inside `metadata`."""
    value = raw.get(name)
    if value is None and isinstance(metadata := raw.get("metadata"), dict):
        value = metadata.get(_bare(name))
    return value


def scalars(raw: Mapping[str, Any]) -> dict[str, Scalar]:
    """Return the scalar fields of the top level and of `metadata`."""
    found: dict[str, Scalar] = {}
    metadata = raw.get("metadata")
    for level in (metadata if isinstance(metadata, dict) else {}, raw):
        for name, value in level.items():
            if isinstance(value, str | int | float):
                found[str(name)] = value
    return found


def needs_id(field: str | None) -> bool:
    """Tell whether an id was asked for by name."""
    return field not in (None, NO_ID_FIELD)


def identify(
    raw: Mapping[str, Any], columns: dict[str, Scalar], field: str | None
) -> tuple[bytes | None, str | None]:
    """Look for an example's own id.

    What became the uid leaves `columns`; another own id moves to its `source_id`.

    Args:
        raw: The fields.
        columns: The scalars among them.
        field: Where the id is; None looks through `ID_FIELDS`, `none` nowhere.

    Returns:
        A 128-bit id, and an id of another form; None where there is none.
    """
    names = {None: ID_FIELDS, NO_ID_FIELD: ()}.get(field, (field or "",))
    uid = own = None
    for name in names:
        value = _find(raw, name)
        parsed = parse_uid(value)
        if parsed and uid is None:
            uid = parsed
            columns.pop(_bare(name), None)
        elif not parsed and own is None and (own := _word(value)):
            columns.pop(_bare(name), None)
    if own:
        columns["source_id"] = own
    return uid, own


def _word(value: object) -> str | None:
    """Return a string or number as a string; None for anything else, and for an empty string."""
    if isinstance(value, bool) or not isinstance(value, str | int | float):
        return None
    return str(value) or None
