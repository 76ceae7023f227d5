"""Indexes that follow from a suite's files: folders under `$ASSAY_HOME/indexes`, manifest last.

Of the package's own suites the manifest, a digest a file, lies beside the suite's definition in `tracks/`. Like
the items, the index is generated where it is needed, and refused where it is not the one that was sealed.
"""

import json
from collections.abc import Callable
from itertools import count
from pathlib import Path
from typing import Any

from assay.artifact import write_atomic
from assay.canonical import canonical_json, digest_file, digest_json
from assay.console import say
from assay.errors import SuiteError
from assay.home import assay_home

MANIFEST_FILE = "index.json"


def sealed_manifest(track_folder: Path, suite: str) -> Path:
    """Return where the manifest of a suite's index lies beside the suite; not every suite has one."""
    return track_folder / "suites" / f"{suite}.index.json"


def open_index(path: Path, what: str, write: Callable[[Path], None], sealed: Path) -> None:
    """Make sure that an index is there: whole, and the one that its suite came with.

    Args:
        path: Its folder.
        what: It is, for people.
        write: Writes the folder; it appears whole or not at all.
        sealed: The suite's manifest of it; where there is no such file, nothing is compared.

    Raises:
        SuiteError: If the index is another than the sealed one.
    """
    if not is_whole(path):
        say(f"building the {what}, once")
        try:
            write(path)
        except OSError:
            # Another process finished first: a folder appears whole or not at all.
            if not is_whole(path):
                raise
    if sealed.is_file() and (path / MANIFEST_FILE).read_bytes() != sealed.read_bytes():
        raise SuiteError(
            f"{path} is not the index that {sealed} seals; remove the folder and run the same command again"
        )


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
