"""Find a record by path or digest, and refuse what is none before anything is read by its words."""

import json
import re
from pathlib import Path
from typing import Any

from assay.canonical import canonical_json
from assay.errors import RunError
from assay.ledger import find_records, ledger_folder
from assay.record import FORMAT

_DIGEST = re.compile(r"sha256:[0-9a-f]{64}")
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,99}")
_FIELDS: dict[str, type | re.Pattern[str]] = {
    "digest": _DIGEST,
    "result_digest": _DIGEST,
    "seed": int,
    "submission.digest": _DIGEST,
    "submission.manifest": dict,
    "submission.unit": str,
    "submission.n": int,
    "submission.unique": int,
    "submission.pool_n": int,
    "track.name": _NAME,
    "track.scale": _NAME,
    "track.version": int,
    "track.modality": str,
    "track.seal": _DIGEST,
    "track.sealed": bool,
    "digests.run": _DIGEST,
    "digests.pool": _DIGEST,
    "digests.selection": _DIGEST,
    "digests.recipe": _DIGEST,
    "digests.suite": _DIGEST,
    "digests.trace": _DIGEST,
    "digests.checkpoint": _DIGEST,
    "digests.outputs": _DIGEST,
    "training.steps": int,
    "training.final_loss": float,
    "metrics.tasks": dict,
    "software": dict,
    "device.type": str,
    "device.threads": int,
    "device.processes": int,
    "device.micro_batch": int,
    "device.sharding": str,
    "clock.finished": str,
}
"""What checks read. A record may come from anybody: its digests and names become paths."""


def find_record(word: str) -> tuple[dict[str, Any], Path]:
    """Return a record and its file; whether the record is true is for the checks to say.

    Args:
        word: Path of a record's JSON, alone or in its entry of a ledger, or the first digits of the digest
            of one in the ledger.

    Raises:
        RunError: If there is none, there are several, or it is no record of a run.
    """
    path = Path(word).expanduser()
    if not path.is_file():
        path = _in_ledger(word)
    try:
        record = json.loads(path.read_bytes())
        # Python reads NaN and numbers beyond all bounds, which JSON has not and no digest covers.
        canonical_json(record)
        if isinstance(record, dict) and "body" in record:
            record = record["body"]
    except (ValueError, RecursionError):
        raise RunError(
            f"{path} is not JSON; a record is, such as those that assay score names"
        ) from None
    if not isinstance(record, dict) or record.get("kind") != "run":
        raise RunError(f"{path} is no record of a run; assay score says where it puts one")
    if record.get("format") != FORMAT:
        raise RunError(
            f"{path} has format {record.get('format')!r}, and this version of assay reads {FORMAT}; install "
            "the version that wrote it"
        )
    for field, kind in _FIELDS.items():
        _check_field(record, field, kind, path)
    return record, path


def _in_ledger(word: str) -> Path:
    digits = word.removeprefix("sha256:")
    if not re.fullmatch(r"[0-9a-f]{4,64}", digits):
        raise RunError(
            f"{word!r} is neither a file nor four or more digits of a record's digest; list records "
            "with: assay ledger show"
        )
    found = find_records(digits)
    if not found:
        raise RunError(
            f"the ledger in {ledger_folder()} has no record {word!r}; give the path of its JSON, or make one "
            "with: assay score"
        )
    if len(found) > 1:
        names = ", ".join(digest[7:19] for digest, _ in found[:4])
        raise RunError(f"{word!r} names {len(found)} records ({names}, ...); give more digits")
    return found[0][1]


def _check_field(
    record: dict[str, Any], field: str, kind: type | re.Pattern[str], path: Path
) -> None:
    value: Any = record
    for key in field.split("."):
        value = value.get(key) if isinstance(value, dict) else None
    if isinstance(kind, re.Pattern):
        good = isinstance(value, str) and kind.fullmatch(value) is not None
    else:
        good = type(value) is kind
    if not good:
        raise RunError(
            f"{path} is no whole record: {field} is {value!r}; ask for it again where it comes from"
        )
