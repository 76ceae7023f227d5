"""Records as they were kept before the ledger was signed: `TRACK/SCALE/DIGEST.json`, one file each."""

import json
from pathlib import Path
from typing import Any

from assay.console import progress
from assay.errors import LedgerError
from assay.ledger.body import check_body
from assay.ledger.layout import ENTRIES
from assay.ledger.log import Ledger


def older_records(folder: Path) -> list[Path]:
    """Return the files of the records in such a folder, in no order."""
    return [
        path
        for path in sorted(folder.glob("*/*/*.json"))
        if path.relative_to(folder).parts[0] != ENTRIES
    ]


def import_records(ledger: Ledger, folder: Path) -> tuple[int, int]:
    """Append every record of a folder, oldest first, as runs that the harness trained.

    Nothing is appended unless every file is an intact record; the files stay.

    Returns:
        How many were appended, and how many the ledger had already.

    Raises:
        LedgerError: If there are none, or one of them is no record or was edited.
    """
    records = [_read(path) for path in older_records(folder)]
    if not records:
        raise LedgerError(
            f"{folder} has no records TRACK/SCALE/DIGEST.json; name the folder `ledger` of another ASSAY_HOME"
        )
    records.sort(key=lambda record: (record["clock"]["finished"], record["digest"]))
    new = [record for record in records if ledger.find(record["digest"]) is None]
    with progress("import records", len(new), "records") as bar:
        for record in new:
            ledger.append("run", record, "rerun")
            bar.update()
    return len(new), len(records) - len(new)


def _read(path: Path) -> dict[str, Any]:
    try:
        record = json.loads(path.read_bytes())
        check_body("run", "rerun", record)
    except (ValueError, RecursionError):
        raise LedgerError(f"{path} is not JSON; move it out of the folder") from None
    except LedgerError as error:
        raise LedgerError(f"{path}: {error}; move it out of the folder") from None
    return record
