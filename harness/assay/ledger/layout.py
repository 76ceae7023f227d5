"""The files of a ledger, and what is kept of an entry in memory to find it again.

    entries/0000/000000.json   one entry a file, a thousand a folder, canonical JSON, never written twice
    head.json                  the signed head: size and root of the Merkle tree over all entries' digests
    keys.json                  the public keys whose signatures count

Nothing in the folder is secret, so that it can be published as it is.
"""

import json
from dataclasses import dataclass
from pathlib import Path

from assay.errors import LedgerError
from assay.ledger.entry import Entry, SignedHead, read_head

ENTRIES, HEAD_FILE, KEYS_FILE = "entries", "head.json", "keys.json"
IN_FOLDER = 1000


@dataclass(frozen=True)
class Mark:
    """What is kept of an entry in memory, to find it again.

    Attributes:
        digest: Of the entry.
        kind: Of the entry.
        level: Of the entry.
        record: Digest of the record; empty where the entry is no run, as is all that follows.
        submission: Digest of the submission.
        run: The run's key.
        track: Name.
        scale: Name.
    """

    digest: str
    kind: str
    level: str
    record: str = ""
    submission: str = ""
    run: str = ""
    track: str = ""
    scale: str = ""


def make_mark(entry: Entry) -> Mark:
    """Return what is kept of an entry.

    Raises:
        LedgerError: If it is a run and holds no whole record.
    """
    if entry.kind != "run":
        return Mark(entry.digest, entry.kind, entry.level)
    try:
        record, track = entry.body, entry.body["track"]
        submission, run = record["submission"]["digest"], record["digests"]["run"]
        named = record["digest"], submission, run, track["name"], track["scale"]
    except (KeyError, TypeError):
        raise LedgerError(f"entry {entry.index} is a run without a whole record") from None
    return Mark(entry.digest, entry.kind, entry.level, *named)


def entry_path(folder: Path, index: int) -> Path:
    """Return the file of an entry."""
    return folder / ENTRIES / f"{index // IN_FOLDER:04d}" / f"{index:06d}.json"


def find_head(folder: Path) -> SignedHead | None:
    """Return the signed head, or None where nothing was signed yet.

    Raises:
        LedgerError: If the file is none.
    """
    try:
        return read_head(folder / HEAD_FILE)
    except FileNotFoundError:
        return None


def read_keys(folder: Path) -> list[str]:
    """Return the names of the keys whose signatures count; none where nothing was signed yet.

    Raises:
        LedgerError: If the file is no list of keys.
    """
    path = folder / KEYS_FILE
    try:
        keys = json.loads(path.read_bytes())["keys"]
        assert isinstance(keys, list)
        assert all(isinstance(key, str) for key in keys)
    except FileNotFoundError:
        return []
    except (ValueError, KeyError, TypeError, AssertionError, RecursionError):
        raise LedgerError(
            f"{path} is no list of keys; take it from a mirror of this ledger"
        ) from None
    return keys
