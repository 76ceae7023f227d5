"""Which bytes an image-text suite means: digests in the suite itself, or in a lock file beside the data."""

import json
from pathlib import Path
from typing import Any, Literal

from assay.artifact import write_atomic
from assay.canonical import canonical_json, digest_file, digest_json
from assay.errors import SuiteError
from assay.suite.clip.prompts import CLASSES_FILE, TEMPLATES_FILE
from assay.suite.clip.spec import ClipSuite, ClipTask

LOCK_FILE = "lock.json"


def data_digest(suite: ClipSuite, folder: Path) -> str:
    """Return the digest of everything that evaluation reads; scores compare only where it is equal.

    Args:
        suite: As sealed.
        folder: Where its files are; only a lock file is read.

    Raises:
        SuiteError: If the suite leaves files open and no lock file pins them.
    """
    return digest_json(pinned_files(suite, folder))


def pinned_files(suite: ClipSuite, folder: Path) -> dict[str, str]:
    """Return the digest of each file that evaluation reads, by its path below the folder.

    Raises:
        SuiteError: If the suite leaves files open and no lock file pins them.
    """
    files: dict[str, str] = {}
    locked = locked_files(suite, folder) if any(task.shards is None for task in suite.tasks) else {}
    for task in suite.tasks:
        if task.shards is not None:
            files |= {f"{task.name}/test/{i}.tar": d for i, d in enumerate(task.shards)}
            files |= {f"{task.name}/train/{i}.tar": d for i, d in enumerate(task.train_shards)}
            continue
        needed = [f"{task.name}/test/0.tar"]
        if task.kind == "classification":
            needed += [f"{task.name}/{file}" for file in (CLASSES_FILE, TEMPLATES_FILE)]
        if missing := [file for file in needed if file not in locked]:
            raise SuiteError(
                f"{folder / LOCK_FILE} does not pin {missing[0]!r}; {remedy(suite, folder)}"
            )
        files |= {file: d for file, d in locked.items() if file.startswith(f"{task.name}/")}
    return files


def shard_paths(
    suite: ClipSuite, task: ClipTask, folder: Path, split: Literal["test", "train"] = "test"
) -> list[Path]:
    """Return the pinned shards of a split in their order; none where there is no such split.

    Raises:
        SuiteError: As `pinned_files` does.
    """
    files = pinned_files(suite, folder)
    paths: list[Path] = []
    while (file := f"{task.name}/{split}/{len(paths)}.tar") in files:
        paths.append(folder / file)
    return paths


def write_lock(suite: ClipSuite, folder: Path, files: list[Path]) -> Path:
    """Pin files that the suite leaves open, once: their digests from now on.

    Args:
        suite: Whose files they are.
        folder: The suite's.
        files: Below the folder.

    Raises:
        SuiteError: If there is a lock already and it says otherwise.
    """
    path = folder / LOCK_FILE
    document = {
        "suite": suite.name,
        "version": suite.version,
        "files": {file.relative_to(folder).as_posix(): digest_file(file) for file in files},
    }
    if path.is_file():
        before = locked_files(suite, folder)
        changed = [f for f in sorted(document["files"]) if before.get(f) != document["files"][f]]
        if changed or len(before) != len(document["files"]):
            name = changed[0] if changed else sorted(set(before) - set(document["files"]))[0]
            raise SuiteError(
                f"{folder / name} is not the file that {path} pinned; restore it, or fetch into another folder"
            )
        return path
    write_atomic(path, canonical_json(document))
    return path


def remedy(suite: ClipSuite, folder: Path) -> str:
    """Name the command that brings a suite's files back."""
    if suite.name.startswith("foundry-"):
        return (
            f"remove {folder} and run the same command again; if that writes other files, the "
            "installed package is not the one that sealed the suite"
        )
    if any(task.source for task in suite.tasks):
        return f"get it with: assay suite fetch {suite.name} --out {folder}"
    return "restore the files, or build the suite again: assay suite build clip SRC --out DIR"


def locked_files(suite: ClipSuite, folder: Path) -> dict[str, str]:
    """Return the digests of the lock file, by path below the folder.

    Raises:
        SuiteError: If there is none, or it is another suite's.
    """
    path = folder / LOCK_FILE
    if not path.is_file():
        raise SuiteError(
            f"{path} does not exist, so nothing says which files of suite {suite.name!r} are meant; "
            f"{remedy(suite, folder)}"
        )
    try:
        document: dict[str, Any] = json.loads(path.read_bytes())
        files = document["files"]
        valid = document["suite"] == suite.name and document["version"] == suite.version
        valid = valid and all(isinstance(digest, str) for digest in files.values())
    except (ValueError, KeyError, TypeError, AttributeError):
        valid, files = False, {}
    if not valid:
        raise SuiteError(
            f"{path} is no lock of {suite.name}@{suite.version}; remove it and {remedy(suite, folder)}"
        )
    return files
