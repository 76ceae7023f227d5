"""Copies of a ledger for others: a folder, or a git repository whose commits are a second witness.

A mirror has the layout of the ledger itself, so whatever reads a ledger reads a mirror, or a clone of one.
"""

import os
import shutil
import subprocess
from pathlib import Path

from assay.artifact import write_atomic
from assay.canonical import canonical_json
from assay.console import progress
from assay.errors import LedgerError
from assay.ledger.entry import SignedHead
from assay.ledger.layout import ENTRIES, HEAD_FILE, KEYS_FILE, entry_path, find_head
from assay.ledger.log import Ledger

_IDENTITY = ("-c", "user.name=assay ledger", "-c", "user.email=ledger@localhost")


def export_ledger(ledger: Ledger, out: Path, git: bool = False) -> tuple[int, SignedHead]:
    """Bring a mirror up to the newest signed head; entries that it has are not touched.

    Args:
        ledger: What is copied.
        out: Folder of the mirror, made where it is missing.
        git: Also commit; the message carries the signed head. Pushing is the caller's.

    Returns:
        How many entries were copied, and the head.

    Raises:
        LedgerError: If the mirror is not of this ledger, or git cannot commit.
    """
    head = ledger.head()
    start = _mirrored(ledger, head, out)
    with progress("export ledger", head.size - start, "entries") as bar:
        for index in range(start, head.size):
            _copy(entry_path(ledger.folder, index), entry_path(out, index))
            bar.update()
    (out / ENTRIES).mkdir(parents=True, exist_ok=True)
    _copy(ledger.folder / KEYS_FILE, out / KEYS_FILE)
    # Last: entries that no head covers are copied again by the next export.
    write_atomic(out / HEAD_FILE, canonical_json(head.plain()) + b"\n")
    if git:
        _commit(out, head)
    return head.size - start, head


def _mirrored(ledger: Ledger, head: SignedHead, out: Path) -> int:
    """Return how many entries the mirror has; refuse one that this ledger does not continue."""
    if out.resolve() == ledger.folder.resolve():
        raise LedgerError(f"{out} is the ledger itself; name another folder")
    before = find_head(out)
    if before is None:
        if out.is_dir() and any(path.name != ".git" for path in out.iterdir()):
            raise LedgerError(f"{out} is neither empty nor a mirror; name another folder")
        return 0
    if before.size > head.size or ledger.root(before.size) != before.root:
        raise LedgerError(
            f"{out} mirrors another ledger, or one of the two was changed; compare: assay ledger verify "
            f"{ledger.folder} --since {before.root}"
        )
    return before.size


def _copy(source: Path, target: Path) -> None:
    target.parent.mkdir(parents=True, exist_ok=True)
    draft = target.with_name(f".{target.name}.draft")
    shutil.copyfile(source, draft)
    draft.replace(target)


def _commit(out: Path, head: SignedHead) -> None:
    if not (out / ".git").exists():
        _git(out, "init", "--quiet")
    # Bytes are digested: no clone may translate line ends.
    write_atomic(out / ".gitattributes", b"* -text\n")
    _git(out, "add", "--", ENTRIES, HEAD_FILE, KEYS_FILE, ".gitattributes")
    if _git(out, "status", "--porcelain", "--untracked-files=no"):
        signed = canonical_json(head.plain()).decode()
        message = f"ledger: {head.size} entries\n\n{signed}\n"
        options = (*_IDENTITY, "-c", "commit.gpgsign=false")
        _git(out, *options, "commit", "--quiet", "--no-verify", "-m", message)


def _git(folder: Path, *words: str) -> str:
    """Run git on the mirror, whatever repository the caller's environment points at."""
    clean = {name: value for name, value in os.environ.items() if not name.startswith("GIT_")}
    try:
        done = subprocess.run(
            ["git", "-C", str(folder), *words],
            capture_output=True,
            text=True,
            check=True,
            env=clean,
        )
    except FileNotFoundError:
        raise LedgerError("git is not installed; export without --git") from None
    except subprocess.CalledProcessError as error:
        told = (error.stderr or error.stdout).strip().splitlines()
        said = told[-1] if told else f"exit code {error.returncode}"
        raise LedgerError(f"git {words[0]} failed in {folder}: {said}") from None
    return done.stdout
