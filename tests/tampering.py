"""What a forger can do to a ledger's files, and what verification calls it."""

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

from assay.canonical import canonical_json, merkle_root
from assay.ledger import entry_path, read_entry
from assay.ledger.entry import (
    ENTRY_CONTEXT,
    _digest_as_written,
    content_digest,
    make_entry,
    make_head,
)
from assay.ledger.keys import key_name, load_or_create_key, sign
from ledgers import digest, filled, record

SIZE = 6
"""Entries of the ledger that is tampered with."""


def change(home: Path, index: int, /, **values: Any) -> dict[str, Any]:
    """Rewrite an entry's file, canonically, with what a forger without the key can do."""
    path = entry_path(home / "ledger", index)
    entry = json.loads(path.read_bytes()) | values
    path.write_bytes(canonical_json(entry) + b"\n")
    return entry


def redigested(home: Path, index: int, /, **values: Any) -> None:
    entry = change(home, index, **values)
    change(home, index, digest=content_digest(entry))


def resigned(home: Path, key_home: Path, start: int, size: int, /, **values: Any) -> None:
    """Rewrite history from an entry on, chain, signatures and head, with somebody's key."""
    key = load_or_create_key(key_home / "keys" / "ledger.ed25519")
    folder = home / "ledger"
    previous = read_entry(entry_path(folder, start)).previous
    for index in range(start, size):
        old = read_entry(entry_path(folder, index))
        entry = make_entry(
            key, index=index, previous=previous, time=old.time, kind=old.kind, level=old.level,
            body=old.body | (values if index == start else {}),
        )  # fmt: skip
        entry_path(folder, index).write_bytes(entry.to_bytes())
        previous = entry.digest
    digests = [read_entry(entry_path(folder, index)).digest for index in range(size)]
    head = make_head(key, size=size, root=merkle_root(digests), time="2026-01-01T00:00:00+00:00")
    (folder / "head.json").write_bytes(canonical_json(head.plain()))


def edit_head(home: Path, **values: Any) -> None:
    path = home / "ledger" / "head.json"
    path.write_bytes(canonical_json(json.loads(path.read_bytes()) | values))


def move(home: Path, source: int, target: int) -> None:
    folder = home / "ledger"
    one, two = entry_path(folder, source), entry_path(folder, target)
    first, second = one.read_bytes(), two.read_bytes()
    one.write_bytes(second)
    two.write_bytes(first)


def another_head(home: Path) -> None:
    key = load_or_create_key(home / "keys" / "ledger.ed25519")
    head = make_head(key, size=SIZE, root=digest("other"), time="2026-01-01T00:00:00+00:00")
    edit_head(home, **head.plain())


def strange_key(home: Path) -> None:
    stranger = filled(home.parent / "stranger", 0)
    name = key_name(load_or_create_key(home.parent / "stranger" / "keys" / "ledger.ed25519"))
    assert stranger.head().key == name
    redigested(home, 3, key=name)


def unlisted(home: Path) -> None:
    (home / "ledger" / "keys.json").write_text('{"keys": []}')


def wrong_record(home: Path) -> None:
    body = record("m", 3) | {"seed": 9}
    resigned(home, home, 3, SIZE, **body)


def one_signed_anew(home: Path) -> None:
    """Put another record in one place, with the owner's key, and leave the entries after it."""
    later = entry_path(home / "ledger", 3).read_bytes()
    resigned(home, home, 2, 3, **record("m", 2, 1.0))
    entry_path(home / "ledger", 3).write_bytes(later)


def spaced_body(home: Path) -> None:
    """Sign a body as it is written, white space and all."""
    key = load_or_create_key(home / "keys" / "ledger.ed25519")
    path = entry_path(home / "ledger", 5)
    spaced = path.read_bytes().replace(b'"seed":5', b'"seed": 5')
    values = json.loads(spaced)
    digest_as_written = _digest_as_written(spaced, values)
    signature = sign(key, ENTRY_CONTEXT, digest_as_written.encode())
    for name, value in (("digest", digest_as_written), ("signature", signature)):
        spaced = spaced.replace(values[name].encode(), value.encode())
    path.write_bytes(spaced)


TAMPERINGS: dict[str, tuple[Callable[[Path], Any], str, int | None, str]] = {
    "a metric": (lambda home: change(home, 2, body=record("m", 2, 1.0)), "edited", 2, "its digest"),
    "one byte": (
        lambda home: entry_path(home / "ledger", 2).write_bytes(
            entry_path(home / "ledger", 2).read_bytes().replace(b'"seed":2', b'"seed":4')
        ),
        "edited", 2, "its digest",
    ),
    "white space": (
        lambda home: entry_path(home / "ledger", 1).write_text(
            json.dumps(json.loads(entry_path(home / "ledger", 1).read_text()))
        ),
        "edited", 1, "its digest",
    ),
    "a torn file": (
        lambda home: entry_path(home / "ledger", 4).write_bytes(
            entry_path(home / "ledger", 4).read_bytes()[:100]
        ),
        "edited", 4, "not the JSON",
    ),
    "an empty file": (lambda home: entry_path(home / "ledger", 4).write_bytes(b""), "edited", 4, "not the JSON"),
    "a list": (lambda home: entry_path(home / "ledger", 4).write_bytes(b"[]"), "edited", 4, "other fields"),
    "deep": (
        lambda home: entry_path(home / "ledger", 4).write_bytes(b"[" * 100_000), "edited", 4, "not the JSON"
    ),
    "NaN": (
        lambda home: entry_path(home / "ledger", 4).write_bytes(
            entry_path(home / "ledger", 4).read_bytes().replace(b'"seed":4', b'"seed":NaN')
        ),
        "edited", 4, "not the JSON",
    ),
    "too large": (
        lambda home: entry_path(home / "ledger", 4).write_bytes(b" " * (17 << 20)), "edited", 4, "not the JSON"
    ),
    "a field more": (lambda home: change(home, 0, note="x"), "edited", 0, "other fields"),
    "a number as text": (lambda home: change(home, 0, index="0"), "edited", 0, "other fields"),
    "the time": (lambda home: change(home, 5, time="2020-01-01T00:00:00+00:00"), "edited", 5, "its digest"),
    "a digest put right": (lambda home: redigested(home, 2, body=record("m", 2, 1.0)), "signature", 2, "its key's"),
    "a level put right": (lambda home: redigested(home, 2, level="official"), "signature", 2, "its key's"),
    "a signature": (lambda home: change(home, 2, signature="00" * 64), "signature", 2, "its key's"),
    "no signature": (lambda home: change(home, 2, signature=""), "signature", 2, "its key's"),
    "another's signature": (
        lambda home: change(home, 2, signature=read_entry(entry_path(home / "ledger", 3)).signature),
        "signature", 2, "its key's",
    ),
    "one removed": (lambda home: entry_path(home / "ledger", 2).unlink(), "missing", 2, "is missing"),
    "the first removed": (lambda home: entry_path(home / "ledger", 0).unlink(), "missing", 0, "is missing"),
    "the last removed": (lambda home: entry_path(home / "ledger", 5).unlink(), "missing", 5, "is missing"),
    "two swapped": (lambda home: move(home, 2, 3), "order", 2, "holds entry 3"),
    "one twice": (
        lambda home: shutil.copy(entry_path(home / "ledger", 1), entry_path(home / "ledger", 2)),
        "order", 2, "holds entry 1",
    ),
    "a stranger's": (strange_key, "key", 3, "no key of this ledger"),
    "a key that is no key": (lambda home: redigested(home, 3, key="ed25519:00"), "key", 3, "no key of this"),
    "no key listed": (unlisted, "key", 0, "no key of this ledger"),
    "keys that are no list": (
        lambda home: (home / "ledger" / "keys.json").write_text("{}"), "key", None, "no list of keys"
    ),
    "a wrong record": (wrong_record, "content", 3, "was edited"),
    "the head's size": (lambda home: edit_head(home, size=5), "head", None, "signature"),
    "a size below nothing": (lambda home: edit_head(home, size=-1), "head", None, "no signed head"),
    "the head's root": (lambda home: edit_head(home, root=digest("x")), "head", None, "signature"),
    "another head": (another_head, "head", None, "signs root"),
    "half a surrogate in the head": (
        lambda home: (home / "ledger" / "head.json").write_bytes(
            (home / "ledger" / "head.json").read_bytes().replace(b"2026", b"\\ud800")
        ),
        "head", None, "no signed head",
    ),
    "a torn head": (lambda home: (home / "ledger" / "head.json").write_text("{"), "head", None, "not the JSON"),
    "the head's time": (lambda home: edit_head(home, time="2020-01-01T00:00:00+00:00"), "head", None, "signature"),
    "one signed anew": (one_signed_anew, "order", 3, "of another history"),
    "a spaced body": (spaced_body, "edited", 5, "not in canonical form"),
    "no head": (lambda home: (home / "ledger" / "head.json").unlink(), "head", None, "covers 0 of 6"),
}  # fmt: skip
