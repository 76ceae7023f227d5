"""Indexes that follow from a suite's files: folders under `$ASSAY_HOME/indexes`, manifest last."""

import json
from itertools import count
from pathlib import Path
from typing import Any

from assay.artifact import write_atomic
from assay.canonical import canonical_json, digest_file, digest_json
from assay.console import say
from assay.home import assay_home

MANIFEST_FILE = "index.json"


def index_folder(name: str, follows_from: Any) -> Path:
    """Return the folder of an index, named by what it follows from."""
    key = digest_json(follows_from).removeprefix("sha256:")[:12]
    return assay_home() / "indexes" / f"{name}-{key}"


def write_manifest(folder: Path, about: dict[str, Any]) -> None:
    """Pin every file of a folder by its digest."""
    files = {path.name: digest_file(path) for path in sorted(folder.iterdir())}
    write_atomic(folder / MANIFEST_FILE, canonical_json({**about, "files": files}))


def is_whole(folder: Path) -> bool:
    """Tell whether an index is there; one that does not match its manifest is put aside."""
    manifest = folder / MANIFEST_FILE
    if not manifest.is_file():
        return False
    files = json.loads(manifest.read_bytes())["files"]
    if all((folder / f).is_file() and digest_file(folder / f) == d for f, d in files.items()):
        return True
    say(f"{folder} does not match its manifest; building it again")
    names = (folder.with_name(f"{folder.name}.damaged{number}") for number in count())
    folder.rename(next(name for name in names if not name.exists()))
    return False
