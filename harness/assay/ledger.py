"""The ledger of this machine: a folder of records, one canonical JSON file each, never edited."""

import json
from pathlib import Path
from typing import Any

from assay.artifact import write_atomic
from assay.canonical import canonical_json
from assay.errors import RunError
from assay.home import assay_home
from assay.record import record_digest, result_digest


def ledger_folder() -> Path:
    """Return the folder that holds the records."""
    return assay_home() / "ledger"


def append(record: dict[str, Any]) -> Path:
    """Write a record under its own digest; writing the same record again changes nothing."""
    path = record_path(record)
    if not path.is_file():
        write_atomic(path, canonical_json(record) + b"\n")
    return path


def read_record(path: Path) -> dict[str, Any]:
    """Read one record and check both of its digests.

    Raises:
        RunError: If the file is no record or was edited.
    """
    try:
        record = json.loads(path.read_bytes())
        whole, result = record["digest"], record["result_digest"]
        intact = whole == record_digest(record) and result == result_digest(record)
    except (ValueError, KeyError, TypeError):
        raise RunError(f"{path} is not a record; move it out of the ledger folder") from None
    if not intact:
        raise RunError(
            f"{path} was edited: its digests do not match its content; move it out of the ledger and score again"
        )
    return record


def read_ledger(track: str | None = None, scale: str | None = None) -> list[dict[str, Any]]:
    """Read every record, oldest first, of one track and scale or of all.

    Raises:
        RunError: If any of them was edited.
    """
    pattern = f"{track or '*'}/{scale or '*'}/*.json"
    records = [read_record(path) for path in sorted(ledger_folder().glob(pattern))]
    return sorted(records, key=lambda record: (record["clock"]["finished"], record["digest"]))


def find_run(track: str, scale: str, run: str) -> dict[str, Any] | None:
    """Return the newest record of a run, or None where it never finished."""
    found = [r for r in read_ledger(track, scale) if r["digests"]["run"] == run]
    return found[-1] if found else None


def record_path(record: dict[str, Any]) -> Path:
    """Return where `append` put a record."""
    track = record["track"]
    name = record["digest"].removeprefix("sha256:") + ".json"
    return ledger_folder() / track["name"] / track["scale"] / name
