"""One entry of a ledger, and the signed head over all of them: what they hold, and how they are read.

An entry's digest covers everything in it but the digest itself and the signature; the signature covers the
digest. `previous` is the digest of the entry before it, so that an entry fixes all earlier ones.
"""

import json
from dataclasses import asdict, dataclass, fields
from pathlib import Path
from typing import Any, get_origin

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from assay.canonical import canonical_json, digest_bytes, digest_json
from assay.errors import LedgerError
from assay.ledger.body import check_body
from assay.ledger.keys import is_signed, key_name, sign

ENTRY_CONTEXT = b"assay ledger entry 1"
HEAD_CONTEXT = b"assay ledger head 1"
BEGINNING = "sha256:" + 64 * "0"
"""What the first entry has as its previous one."""
MAX_BYTES = 16 << 20
"""Of an entry's file: a mirror may come from anybody."""


@dataclass(frozen=True)
class Entry:
    """One entry.

    Attributes:
        index: Its place, from 0.
        previous: Digest of the entry before it.
        time: When it was appended, ISO 8601 in UTC.
        kind: `run`, `retraction`, `correction`, `epoch`, `suite` or `objection`.
        level: Of a run, how its numbers came about (see `body.LEVELS`); empty for every other kind.
        body: Of a run the record; see `body.check_body`.
        key: Name of the key that signed it.
        digest: Of all of the above.
        signature: Of the digest, 128 hex digits.
    """

    index: int
    previous: str
    time: str
    kind: str
    level: str
    body: dict[str, Any]
    key: str
    digest: str
    signature: str

    def plain(self) -> dict[str, Any]:
        """Return it as its file has it."""
        return {field.name: getattr(self, field.name) for field in fields(self)}

    def to_bytes(self) -> bytes:
        """Return its file."""
        return canonical_json(self.plain()) + b"\n"

    @property
    def is_signed(self) -> bool:
        """Whether its key signed it."""
        return is_signed(self.key, ENTRY_CONTEXT, self.digest.encode(), self.signature)

    def check(self) -> None:
        """Refuse an entry that its kind does not allow.

        Raises:
            LedgerError: It says what is wrong.
        """
        check_body(self.kind, self.level, self.body)


@dataclass(frozen=True)
class SignedHead:
    """What a ledger's owner vouches for: so many entries, and the root of their tree.

    Attributes:
        size: Number of entries.
        root: Of the Merkle tree over their digests.
        time: When it was signed, ISO 8601 in UTC.
        key: Name of the key that signed it.
        signature: Of everything above, 128 hex digits.
    """

    size: int
    root: str
    time: str
    key: str
    signature: str

    def plain(self) -> dict[str, Any]:
        """Return it as its file has it."""
        return asdict(self)

    @property
    def is_signed(self) -> bool:
        """Whether its key signed it."""
        return is_signed(self.key, HEAD_CONTEXT, _head_message(self.plain()), self.signature)


def make_entry(
    key: Ed25519PrivateKey, *, index: int, previous: str, time: str, kind: str, level: str,
    body: dict[str, Any],
) -> Entry:  # fmt: skip
    """Sign an entry; whether its kind allows it, `body.check_body` says."""
    content = {
        "index": index, "previous": previous, "time": time, "kind": kind, "level": level,
        "body": body, "key": key_name(key),
    }  # fmt: skip
    digest = content_digest(content)
    return Entry(**content, digest=digest, signature=sign(key, ENTRY_CONTEXT, digest.encode()))


def make_head(key: Ed25519PrivateKey, *, size: int, root: str, time: str) -> SignedHead:
    """Sign a head."""
    content = {"size": size, "root": root, "time": time, "key": key_name(key)}
    return SignedHead(**content, signature=sign(key, HEAD_CONTEXT, _head_message(content)))


def _head_message(head: dict[str, Any]) -> bytes:
    return canonical_json({name: head[name] for name in ("size", "root", "time", "key")})


def content_digest(values: dict[str, Any]) -> str:
    """Return the digest of an entry's values, all but the digest itself and the signature."""
    return digest_json({k: v for k, v in values.items() if k not in ("digest", "signature")})


def read_entry(path: Path) -> Entry:
    """Read an entry and hold its digest against its content; whose it is, its signature says.

    Raises:
        FileNotFoundError: If there is no such file.
        LedgerError: If it is no entry or was edited.
    """
    data, values = _read_json(path, Entry)
    if values["digest"] != _digest_as_written(data, values):
        raise LedgerError(f"{path} was edited: its digest is not that of its content")
    return Entry(**values)


def _digest_as_written(data: bytes, values: dict[str, Any]) -> str:
    """Return `content_digest` of a file without serialising its body again: ten thousand take seconds.

    In canonical JSON the body comes first, and what follows is known by its values.
    """
    others = {name: value for name, value in values.items() if name != "body"}
    try:
        end = b"," + canonical_json(others)[1:] + b"\n"
    except ValueError:  # half a surrogate pair, which parses, and which no digest covers
        return ""
    if not (data.startswith(b'{"body":') and data.endswith(end)):
        return ""
    covered = {name: others[name] for name in others if name not in ("digest", "signature")}
    return digest_bytes(data[: -len(end)], b",", canonical_json(covered)[1:])


def read_head(path: Path) -> SignedHead:
    """Read a signed head; whose it is, its signature says.

    Raises:
        FileNotFoundError: If there is no such file.
        LedgerError: If it is none.
    """
    _, values = _read_json(path, SignedHead)
    try:
        canonical_json(values)
        if values["size"] < 0:
            raise ValueError
    except ValueError:
        raise LedgerError(f"{path} is no signed head: edited") from None
    return SignedHead(**values)


def _read_json(path: Path, kind: type[Entry] | type[SignedHead]) -> tuple[bytes, dict[str, Any]]:
    """Read an object that has the fields of a dataclass, each of its type; return its file as well."""
    try:
        if path.stat().st_size > MAX_BYTES:
            raise ValueError
        data = path.read_bytes()
        values = json.loads(data, parse_constant=_no_constant)
    except (ValueError, RecursionError):
        raise LedgerError(f"{path} is not the JSON of an entry or a head: edited") from None
    found = {name: type(value) for name, value in values.items()} if type(values) is dict else {}
    wanted = {field.name: get_origin(field.type) or field.type for field in fields(kind)}
    if found != wanted:
        raise LedgerError(f"{path} has other fields than {', '.join(wanted)}: edited")
    return data, values


def _no_constant(name: str) -> None:
    raise ValueError(f"{name} is no JSON number")
