"""Check a copy of a ledger, entry by entry, with nothing but the public keys in it."""

from collections.abc import Collection
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from assay.console import progress
from assay.errors import LedgerError
from assay.ledger.entry import BEGINNING, Entry, SignedHead, read_entry
from assay.ledger.layout import ENTRIES, HEAD_FILE, entry_path, find_head, read_keys
from assay.ledger.tree import Tree

Fault = Literal["edited", "missing", "order", "signature", "key", "content", "head", "fork"]

EXIT_CODES: dict[Fault, int] = {
    "edited": 3, "missing": 4, "order": 5, "signature": 6, "key": 7, "content": 8, "head": 9, "fork": 10,
}  # fmt: skip
"""Exit code of `assay ledger verify` by what is wrong first."""


@dataclass(frozen=True)
class Finding:
    """The first thing that is wrong.

    Attributes:
        fault: Which kind, see `EXIT_CODES`.
        index: Of the entry that is to blame, or None where none is.
        message: For people.
    """

    fault: Fault
    index: int | None
    message: str


@dataclass(frozen=True)
class LedgerReport:
    """What verifying came to.

    Attributes:
        folder: What was read.
        size: Entries that hold, in order from the first.
        root: Of their tree.
        keys: That signed them.
        head_size: Entries that the signed head covers, or None without one; one that has the latest entry
            not yet in it was left by a process that was killed.
        since_size: Size at which the ledger had the root that was asked for, or None.
        finding: The first fault, or None.
    """

    folder: str
    size: int
    root: str
    keys: tuple[str, ...]
    head_size: int | None
    since_size: int | None
    finding: Finding | None

    @property
    def ok(self) -> bool:
        """Whether everything holds."""
        return self.finding is None

    @property
    def exit_code(self) -> int:
        """0 or one of `EXIT_CODES`."""
        return EXIT_CODES[self.finding.fault] if self.finding else 0

    def plain(self) -> dict[str, Any]:
        """Return it as one JSON document."""
        from assay.spec import plain

        return {"ok": self.ok, "exit_code": self.exit_code, **plain(self)}


class _FaultError(Exception):
    def __init__(self, fault: Fault, index: int | None, message: str):
        super().__init__(message)
        self.finding = Finding(fault, index, message)


def verify_ledger(
    folder: Path, since: str | None = None, keys: Collection[str] = ()
) -> LedgerReport:
    """Check every entry, the chain, the signatures and the head; stop at the first fault.

    Args:
        folder: Of the ledger: the original, a mirror or a clone.
        since: A root that the reader saw earlier: this ledger must once have had it.
        keys: The only keys that may have signed anything; none believes the list in the folder.

    Raises:
        LedgerError: If there is no ledger.
    """
    indices = _indices(folder)
    if not indices and not (folder / HEAD_FILE).is_file():
        raise LedgerError(
            f"{folder} holds no ledger; begin one with assay score, or name the folder that has {ENTRIES}/ and "
            f"{HEAD_FILE} in it"
        )
    tree = Tree()
    signers: dict[str, None] = {}
    head: SignedHead | None = None
    since_size: int | None = None
    finding: Finding | None = None
    try:
        trusted = _trusted(folder, keys)
        head = _read_head(folder)
        total = max([*(index + 1 for index in indices), head.size if head else 0])
        previous = BEGINNING
        with progress("verify ledger", total, "entries") as bar:
            for index in range(total):
                entry = _check_entry(folder, index, previous, trusted)
                previous = entry.digest
                signers[entry.key] = None
                tree.append(entry.digest.encode())
                bar.update()
        _check_head(folder, head, tree, trusted)
        if since is not None:
            since_size = _find_root(tree, since)
    except _FaultError as error:
        finding = error.finding
    size = len(tree)
    head_size = head.size if head else None
    return LedgerReport(
        str(folder), size, tree.root(size), tuple(signers), head_size, since_size, finding
    )


def _indices(folder: Path) -> list[int]:
    """Return the indices of the entries that are there."""
    names = (path.stem for path in (folder / ENTRIES).glob("[0-9]*/[0-9]*.json"))
    return [int(name) for name in names if name.isdecimal()]


def _trusted(folder: Path, keys: Collection[str]) -> set[str]:
    if keys:
        return set(keys)
    try:
        return set(read_keys(folder))
    except LedgerError as error:
        raise _FaultError("key", None, str(error)) from None


def _read_head(folder: Path) -> SignedHead | None:
    try:
        return find_head(folder)
    except LedgerError as error:
        raise _FaultError("head", None, str(error)) from None


def _check_entry(folder: Path, index: int, previous: str, trusted: set[str]) -> Entry:
    path = entry_path(folder, index)
    try:
        entry = read_entry(path)
    except FileNotFoundError:
        raise _FaultError("missing", index, f"entry {index} is missing: no {path}") from None
    except LedgerError as error:
        raise _FaultError("edited", index, f"entry {index}: {error}") from None
    if not _is_canonical(path, entry):
        raise _FaultError("edited", index, f"entry {index}: {path} is not in canonical form")
    if entry.index != index:
        found = (
            f"entry {index}: {path} holds entry {entry.index}; entries were put in another order"
        )
        raise _FaultError("order", index, found)
    if entry.key not in trusted:
        found = f"entry {index} is signed by {entry.key}, which is no key of this ledger"
        raise _FaultError("key", index, found)
    if not entry.is_signed:
        raise _FaultError("signature", index, f"entry {index}: its signature is not its key's")
    if entry.previous != previous:
        found = f"entry {index} follows {entry.previous[7:19]}, and the entry before it is {previous[7:19]}"
        raise _FaultError("order", index, f"{found}: one of the two is of another history")
    try:
        entry.check()
    except LedgerError as error:
        raise _FaultError("content", index, f"entry {index}: {error}") from None
    return entry


def _is_canonical(path: Path, entry: Entry) -> bool:
    try:
        return path.read_bytes() == entry.to_bytes()
    except (ValueError, RecursionError):
        return False


def _check_head(folder: Path, head: SignedHead | None, tree: Tree, trusted: set[str]) -> None:
    path, size = folder / HEAD_FILE, len(tree)
    covered = head.size if head else 0
    if size - covered > 1:
        raise _FaultError(
            "head",
            None,
            f"{path} covers {covered} of {size} entries; at most the last may await its head",
        )
    if head is None:
        return
    if head.key not in trusted:
        raise _FaultError("key", None, f"{path} is signed by {head.key}, no key of this ledger")
    if not head.is_signed:
        raise _FaultError("head", None, f"{path}: its signature is not its key's")
    if tree.root(covered) != head.root:
        found = f"{path} signs root {head.root[7:19]} of {covered} entries, and theirs is "
        raise _FaultError("head", None, found + tree.root(covered)[7:19])


def _find_root(tree: Tree, since: str) -> int:
    """Return the size at which the tree had a root."""
    root = since if since.startswith("sha256:") else f"sha256:{since}"
    for size in range(len(tree), -1, -1):
        if tree.root(size) == root:
            return size
    raise _FaultError(
        "fork", None,
        f"at no size did this ledger have root {root[7:19]}: it is a fork, cut off before that root, or "
        "another ledger",
    )  # fmt: skip
