"""Records and run folders, edited as somebody would who knows how digests are made."""

import copy
import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from assay.canonical import canonical_json, digest_file
from assay.home import run_folder
from assay.ledger import read_ledger
from assay.record import record_digest, result_digest
from assay.runner.modalities import aggregate
from assay.runner.plan import PLAN_FILE, derive_seed
from assay.runner.scoring import OUTPUTS_FILE
from assay.track.load import load
from assay.verify import Verification, find_record, verify_record

Record = dict[str, Any]


def seeds_in_order(track: str, scale: str) -> list[Record]:
    """Return the ledger's records of one submission with two seeds, the first seed first."""
    found = read_ledger(track, scale)
    digest = found[0]["submission"]["digest"]
    label = load(track, scale).label
    return sorted(found, key=lambda r: r["seed"] != derive_seed(digest, label, 0))


def folder_of(record: Record) -> Path:
    return run_folder(record["digests"]["run"])


def forged(record: Record, **changes: Any) -> Record:
    """Return the record with `section__key=value` replaced and both digests made to match."""
    record = copy.deepcopy(record)
    for name, value in changes.items():
        *path, last = name.split("__")
        place = record
        for key in path:
            place = place[key]
        place[last] = value
    return resealed(record)


def resealed(record: Record) -> Record:
    record["result_digest"] = result_digest(record)
    record["digest"] = record_digest(record)
    return record


def verified(record: Record, home: Path, **options: Any) -> Verification:
    """Verify a record that lies in a file of its own, as one that was sent by mail."""
    path = home / "record.json"
    path.write_bytes(canonical_json(record))
    return verify_record(*find_record(str(path)), **options)


def statuses(found: Verification, status: str) -> list[str]:
    return [check.name for check in found.checks if check.status == status]


def detail(found: Verification, name: str) -> str:
    return next(check.detail for check in found.checks if check.name == name)


def edit_outputs(record: Record, edit: Callable[[pa.Table], pa.Table]) -> Record:
    """Edit a run's per-item outputs; return the record with their digest, and metrics if they have any."""
    path = folder_of(record) / OUTPUTS_FILE
    pq.write_table(edit(pq.read_table(path)), path, compression="zstd")
    return with_outputs(record, path)


def with_outputs(record: Record, path: Path) -> Record:
    track = record["track"]
    try:
        metrics = aggregate(pq.read_table(path), load(track["name"], track["scale"])).as_json()
    except Exception:
        metrics = record["metrics"]
    return forged(record, digests__outputs=digest_file(path), metrics=metrics)


def edit_plan(record: Record, **changes: Any) -> None:
    path = folder_of(record) / PLAN_FILE
    document = json.loads(path.read_bytes())
    document["plan"] |= changes
    path.write_text(json.dumps(document))


def copy_artifact(name: str, source: Record, target: Record) -> Path:
    """Put one run's artifact in the place of another's."""
    one, two = folder_of(source) / name, folder_of(target) / name
    if one.is_dir():
        shutil.rmtree(two)
        shutil.copytree(one, two)
    else:
        shutil.copyfile(one, two)
    return two
