"""The ledger of this machine, under `ASSAY_HOME`: what `assay score` appends to and everything else reads."""

from functools import lru_cache
from pathlib import Path
from typing import Any

from assay.console import say
from assay.errors import LedgerError
from assay.home import assay_home
from assay.ledger.body import RANKED_LEVELS
from assay.ledger.entry import read_entry
from assay.ledger.layout import entry_path
from assay.ledger.log import Ledger
from assay.ledger.older import older_records
from assay.ledger.standing import Standing, standing

Record = dict[str, Any]
FEWEST_DIGITS = 6


def ledger_folder() -> Path:
    """Return the folder of the ledger; it holds nothing secret."""
    return assay_home() / "ledger"


def key_file() -> Path:
    """Return the private key that signs the ledger; made with the first entry."""
    return assay_home() / "keys" / "ledger.ed25519"


def machine_ledger() -> Ledger:
    """Return the ledger of this machine; nothing is written before something is appended."""
    return _opened(ledger_folder(), key_file())


@lru_cache(maxsize=8)
def _opened(folder: Path, key: Path) -> Ledger:
    ledger = Ledger(folder, key)
    if older := older_records(folder):
        known = {mark.record.removeprefix("sha256:") for mark in ledger.marks()}
        if count := sum(path.stem not in known for path in older):
            say(
                f"note: {folder} holds {count} records as assay kept them before it signed its ledger; take "
                f"them in with: assay ledger import {folder}"
            )
    return ledger


def append(record: Record) -> Path:
    """Append the record of a run that was trained here; a record that is there already stays where it is.

    Returns:
        The file of its entry.

    Raises:
        LedgerError: If it is no record, was edited, or the ledger was.
    """
    ledger = machine_ledger()
    return entry_path(ledger.folder, ledger.append("run", record, "rerun").index)


def read_record(path: Path) -> Record:
    """Read the record in an entry's file.

    Raises:
        LedgerError: If the file is no entry, was edited, or holds no record.
    """
    entry = read_entry(path)
    entry.check()
    if entry.kind != "run":
        raise LedgerError(f"{path} holds a {entry.kind}, not a record; see: assay ledger show")
    return entry.body


def read_ledger(track: str | None = None, scale: str | None = None) -> list[Record]:
    """Read the records that count, oldest first, of one track and scale or of all.

    Retracted runs and runs that nobody but their maker made (levels `reported` and `checked`) are left out;
    manifests are as they were corrected last, digests those of the record as it was appended. The records are
    shared between callers: change a copy.

    Raises:
        LedgerError: If an entry was edited or is missing.
    """
    ledger = machine_ledger()
    wanted = [
        index
        for index, mark in enumerate(ledger.marks())
        if mark.kind == "run" and track in (None, mark.track) and scale in (None, mark.scale)
    ]
    return sorted(_counting(ledger, wanted), key=_age)


def find_run(track: str, scale: str, run: str) -> Record | None:
    """Return the newest record of a run that counts, or None where there is none."""
    ledger = machine_ledger()
    wanted = [
        index
        for index, mark in enumerate(ledger.marks())
        if (mark.track, mark.scale, mark.run) == (track, scale, run)
    ]
    return max(_counting(ledger, wanted), key=_age, default=None)


def find_records(digits: str) -> list[tuple[str, Path]]:
    """Return digest and entry file of every record whose digest begins with these hex digits."""
    ledger = machine_ledger()
    start = "sha256:" + digits
    return [
        (mark.record, entry_path(ledger.folder, index))
        for index, mark in enumerate(ledger.marks())
        if mark.record.startswith(start)
    ]


def record_path(record: Record) -> Path:
    """Return the entry file of a record that was appended.

    Raises:
        LedgerError: If the ledger does not have it.
    """
    ledger = machine_ledger()
    index = ledger.find(record["digest"])
    if index is None:
        raise LedgerError(
            f"the ledger in {ledger.folder} has no record {record['digest'][7:19]}; see: assay ledger show"
        )
    return entry_path(ledger.folder, index)


def find_target(digits: str) -> str:
    """Return the one record or submission whose digest begins with these hex digits.

    Raises:
        LedgerError: If the ledger has none, or several.
    """
    ledger = machine_ledger()
    start = digits if digits.startswith("sha256:") else f"sha256:{digits}"
    marks = ledger.marks()
    known = dict.fromkeys(d for mark in marks for d in (mark.record, mark.submission) if d)
    found = [digest for digest in known if digest.startswith(start)]
    if len(start) < len("sha256:") + FEWEST_DIGITS or not found:
        raise LedgerError(
            f"{digits!r} is not {FEWEST_DIGITS} or more digits of a record or submission in {ledger.folder}; "
            "see: assay ledger show"
        )
    if len(found) > 1:
        raise LedgerError(f"{digits!r} begins {len(found)} digests; give more digits")
    return found[0]


def _counting(ledger: Ledger, wanted: list[int]) -> list[Record]:
    marks, now = ledger.marks(), ledger_standing(ledger)
    ranked = [index for index in wanted if marks[index].level in RANKED_LEVELS]
    records = [_record(ledger, index) for index in ranked]
    return [now.corrected_record(record) for record in records if now.retraction(record) is None]


def _record(ledger: Ledger, index: int) -> Record:
    """Read a record once: a campaign asks for all of a scale again and again, and entries never change."""
    path = entry_path(ledger.folder, index)
    try:
        status = path.stat()
    except FileNotFoundError:
        return ledger.read(index).body  # says what is missing
    return _read_once(ledger, index, status.st_mtime_ns, status.st_size)


@lru_cache(maxsize=1 << 14)
def _read_once(ledger: Ledger, index: int, _mtime_ns: int, _size: int) -> Record:
    return ledger.read(index).body


def ledger_standing(ledger: Ledger) -> Standing:
    """Return what the entries that are no runs say by now."""
    marks = ledger.marks()
    return standing(ledger.read(index) for index, mark in enumerate(marks) if mark.kind != "run")


def _age(record: Record) -> tuple[str, str]:
    return record["clock"]["finished"], record["digest"]
