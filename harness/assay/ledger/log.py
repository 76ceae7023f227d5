"""The ledger as a log: append, read, prove. `layout` says which files it has.

An append is on disk when it returns. The head is written after the entry: a process that is killed between
the two leaves a head that lags by one entry, and the next append, or `open` with the key, first checks that
entry and signs a head over it.
"""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from assay.artifact import create_durable, only_one, write_atomic
from assay.canonical import canonical_json
from assay.console import say
from assay.errors import LedgerError
from assay.ledger.body import check_body
from assay.ledger.entry import (
    BEGINNING,
    Entry,
    SignedHead,
    make_entry,
    make_head,
    read_entry,
)
from assay.ledger.keys import key_name, load_or_create_key
from assay.ledger.layout import (
    ENTRIES,
    HEAD_FILE,
    KEYS_FILE,
    Mark,
    entry_path,
    find_head,
    make_mark,
    read_keys,
)
from assay.ledger.tree import Tree


class Ledger:
    """A ledger, for one process with any number of threads; other processes may append meanwhile.

    Every method first takes in what others have appended. What was read once is trusted to have the same
    digest from then on, and every later read of an entry is held against it.

    Attributes:
        folder: Where it is.
        key_file: The private key, made with the first entry; None reads only.
    """

    def __init__(self, folder: Path, key_file: Path | None = None):
        self.folder = folder
        self.key_file = key_file
        self._guard = threading.RLock()
        self._writing = threading.Lock()
        self._head: SignedHead | None = None
        self._forget()

    @classmethod
    def open(cls, folder: Path, key_file: Path | None = None) -> "Ledger":
        """Read a ledger; with a key, make sure that there is a signed head over all of it.

        Raises:
            LedgerError: If it was edited, or has no entry and no key to begin with.
        """
        ledger = cls(folder, key_file)
        if key_file is not None:
            with ledger._alone() as key:
                ledger._sign_head(key)
        elif not ledger.size:
            raise LedgerError(
                f"{folder} holds no ledger; begin one with assay score, or name the folder that has {ENTRIES}/ and "
                f"{HEAD_FILE} in it"
            )
        return ledger

    @property
    def size(self) -> int:
        """Number of entries."""
        with self._caught_up():
            return len(self._marks)

    def marks(self) -> list[Mark]:
        """Return what is kept of every entry, in order."""
        with self._caught_up():
            return list(self._marks)

    def find(self, record: str) -> int | None:
        """Return the index of the entry that holds the record of that digest."""
        with self._caught_up():
            return self._records.get(record)

    def read(self, index: int) -> Entry:
        """Read one entry.

        Raises:
            LedgerError: If it is missing or was edited since.
        """
        path = entry_path(self.folder, index)
        with self._guard:
            known = (self._marks if index < len(self._marks) else self.marks())[index].digest
        try:
            entry = read_entry(path)
        except FileNotFoundError:
            raise _missing(path) from None
        if entry.digest != known:
            raise LedgerError(f"{path} was edited: it is not the entry that was there before")
        return entry

    def entries(self, start: int = 0) -> Iterator[Entry]:
        """Read all entries from `start` on, those that are there now."""
        return (self.read(index) for index in range(start, self.size))

    def head(self) -> SignedHead:
        """Return the newest signed head.

        Raises:
            LedgerError: If nothing was ever signed.
        """
        with self._caught_up():
            if self._head is None:
                raise LedgerError(f"{self.folder} has no {HEAD_FILE}: nothing was appended yet")
            return self._head

    def inclusion_proof(self, index: int, size: int) -> list[str]:
        """Return what leads from entry `index` to the root of the first `size` entries."""
        with self._caught_up():
            return self._tree.inclusion_proof(index, size)

    def consistency_proof(self, old_size: int, new_size: int) -> list[str]:
        """Return what shows that the ledger of `new_size` entries continues the one of `old_size`."""
        with self._caught_up():
            return self._tree.consistency_proof(old_size, new_size)

    def root(self, size: int) -> str:
        """Return the root of the first `size` entries."""
        with self._caught_up():
            return self._tree.root(size)

    def append(self, kind: str, body: dict[str, Any], level: str = "") -> Entry:
        """Sign an entry and put it behind all others; it is on disk when this returns.

        Args:
            kind: See `body.check_body`.
            body: What the entry says. A record that the ledger has already is not appended again.
            level: Of a run, how its numbers came about.

        Returns:
            The entry, or the one that holds the same record.

        Raises:
            LedgerError: If the kind does not allow the body, or the ledger was edited.
        """
        check_body(kind, level, body)
        with self._alone() as key:
            if kind == "run" and (known := self.find(body["digest"])) is not None:
                return self.read(known)
            self._sign_head(key)
            marks = self.marks()
            index, previous = len(marks), marks[-1].digest if marks else BEGINNING
            entry = make_entry(
                key, index=index, previous=previous, time=_now(), kind=kind, level=level, body=body
            )
            path = entry_path(self.folder, index)
            create_durable(path, entry.to_bytes(), self.folder / ENTRIES / ".draft")
            self._sign_head(key)
            return self.read(index)

    @contextmanager
    def _alone(self) -> Iterator[Ed25519PrivateKey]:
        """Hold the ledger against others who append, never against those who read; yields the key."""
        assert self.key_file is not None, "opened without a key: to read only"
        self.folder.mkdir(parents=True, exist_ok=True)
        # Beside the folder: what is in it can be published.
        lock = self.folder.with_name(self.folder.name + ".lock")
        with self._writing, only_one(lock, on_wait=lambda: None):
            self.marks()  # what was edited takes no key and no entry
            key = load_or_create_key(self.key_file)
            self._admit(key_name(key))
            yield key

    def _admit(self, name: str) -> None:
        """List the public key, before anything is signed with it."""
        known = read_keys(self.folder)
        if name not in known:
            listed = {"keys": [*known, name]}
            write_atomic(self.folder / KEYS_FILE, canonical_json(listed) + b"\n")
            if known:
                say(f"note: {self.folder} was signed by another key so far; from here on by {name}")

    def _sign_head(self, key: Ed25519PrivateKey) -> None:
        """Write a head over all entries unless there is one."""
        with self._caught_up():
            size = len(self._marks)
            root = self._tree.root(size)
            covered = self._head.size if self._head else -1
        if covered < size:
            head = make_head(key, size=size, root=root, time=_now())
            write_atomic(self.folder / HEAD_FILE, canonical_json(head.plain()) + b"\n")
            self.marks()

    @contextmanager
    def _caught_up(self) -> Iterator[None]:
        """Take in what was appended since, and hold what was taken in against other threads."""
        with self._guard:
            head = find_head(self.folder)
            whole = len(self._marks) >= (head.size if head else 0)
            if head != self._head or not whole or self._path_of_next().exists():
                self._catch_up(head)
            yield

    def _catch_up(self, head: SignedHead | None) -> None:
        if head is None and not entry_path(self.folder, 0).exists():
            # The whole folder was taken away: what comes is another ledger.
            self._head = None
            self._forget()
        try:
            self._take_new(head)
        except LedgerError:
            # No head vouches for what was taken; the files may be put right while this runs.
            self._forget()
            raise
        self._head = head

    def _take_new(self, head: SignedHead | None) -> None:
        before = self._head
        if before and (head is None or head.size < before.size):
            raise self._cut(before)
        while (path := self._path_of_next()).is_file():
            entry = read_entry(path)
            self._check_order(entry, path)
            if head is None or entry.index >= head.size:
                _check_signed(entry, path, self.folder)
            self._take(entry)
        if head is not None:
            self._check_head(head)
        if before and self._tree.root(before.size) != before.root:
            raise self._cut(before)

    def _cut(self, before: SignedHead) -> LedgerError:
        return LedgerError(
            f"{self.folder} does not go on from what was read before: it was put back or replaced; compare: "
            f"assay ledger verify {self.folder} --since {before.root}"
        )

    def _check_order(self, entry: Entry, path: Path) -> None:
        previous = self._marks[-1].digest if self._marks else BEGINNING
        if entry.index != len(self._marks) or entry.previous != previous:
            raise LedgerError(
                f"{path} does not follow the entry before it; say what happened with: "
                f"assay ledger verify {self.folder}"
            )

    def _check_head(self, head: SignedHead) -> None:
        if head.size > len(self._marks):
            raise _missing(self._path_of_next())
        listed = head.key in read_keys(self.folder)
        if not (listed and head.is_signed and self._tree.root(head.size) == head.root):
            raise LedgerError(
                f"{self.folder / HEAD_FILE} is not the head of these entries: some were edited; say which "
                f"with: assay ledger verify {self.folder}"
            )

    def _path_of_next(self) -> Path:
        return entry_path(self.folder, len(self._marks))

    def _take(self, entry: Entry) -> None:
        mark = make_mark(entry)
        if mark.record:
            self._records.setdefault(mark.record, entry.index)
        self._marks.append(mark)
        self._tree.append(entry.digest.encode())

    def _forget(self) -> None:
        self._marks: list[Mark] = []
        self._records: dict[str, int] = {}
        self._tree = Tree()


def _check_signed(entry: Entry, path: Path, folder: Path) -> None:
    """Check an entry that no head vouches for."""
    if not (entry.key in read_keys(folder) and entry.is_signed):
        raise LedgerError(
            f"{path} is not signed by a key of this ledger: it was put there from elsewhere"
        )
    entry.check()


def _missing(path: Path) -> LedgerError:
    return LedgerError(f"{path} is missing; take it from a mirror of this ledger, or from a backup")


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="seconds")
