"""A suite on disk: `suite.yaml`, written last, and one item file a task."""

import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import yaml

from assay.artifact import atomic_folder, write_atomic
from assay.canonical import digest_bytes, digest_file
from assay.errors import SuiteError, TrackError
from assay.spec import load_yaml, parse, plain
from assay.suite.items import Item, check_items, check_name, items_from_bytes, items_to_bytes
from assay.suite.spec import Suite, Task

SUITE_FILE = "suite.yaml"


def write_suite(
    name: str,
    version: int,
    tasks: Mapping[str, tuple[Sequence[Item], Mapping[str, Any]]],
    folder: Path,
) -> Suite:
    """Seal items as a suite: write every item file and `suite.yaml` into a new folder.

    Args:
        name: Of the suite.
        version: Of the suite.
        tasks: Task name to its items and the fields of `Task` that do not follow from them
            (`group` and `form`, and any other than `digest` and `num_items`).
        folder: Must not exist; it appears whole or not at all.

    Raises:
        SuiteError: If an item, a name or a number of shots is unusable, or the folder exists.
    """
    if folder.exists():
        raise SuiteError(f"{folder} exists already; name another folder or remove it first")
    sealed: list[Task] = []
    with atomic_folder(folder) as partial:
        for task_name, (items, fields) in tasks.items():
            check_name(task_name)
            check_items(fields["form"], items, task_name)
            data = items_to_bytes(items)
            write_atomic(partial / f"{task_name}.jsonl", data)
            task = Task(
                **{
                    **fields,
                    "name": task_name,
                    "digest": digest_bytes(data),
                    "num_items": len(items),
                }
            )
            check_shots(task, items)
            sealed.append(task)
        suite = Suite(name=name, version=version, tasks=tuple(sealed))
        write_atomic(partial / SUITE_FILE, dump_suite_yaml(suite).encode("utf-8"))
    return suite


def dump_suite_yaml(suite: Suite) -> str:
    """Return the suite's definition, as `load_suite` reads it; the same text for the same suite."""
    return yaml.safe_dump(plain(suite), sort_keys=False, allow_unicode=True, width=100)


def load_suite(path: Path) -> Suite:
    """Read a suite's definition.

    Args:
        path: A YAML file, or a folder that holds a `suite.yaml`.

    Raises:
        SuiteError: If it is absent, does not parse, or names a task twice.
    """
    file = path / SUITE_FILE if path.is_dir() else path
    if not file.is_file():
        raise SuiteError(f"{file} does not exist; list what does with: assay suite list")
    try:
        suite = parse(Suite, load_yaml(file), str(file))
    except TrackError as error:
        raise SuiteError(str(error)) from None
    names = [task.name for task in suite.tasks]
    for name in names:
        check_name(name)
    if repeated := sorted({name for name in names if names.count(name) > 1}):
        raise SuiteError(f"{file}: task {repeated[0]!r} is listed twice; keep one")
    return suite


def suite_folder(suite: Suite, folder: Path) -> Path:
    """Return `folder` after comparing every item file in it with its digest.

    Raises:
        SuiteError: Naming the file, what was expected, what was got, and what restores it.
    """
    for task in suite.tasks:
        path = folder / f"{task.name}.jsonl"
        if not path.is_file():
            raise SuiteError(f"{path} is missing; {_remedy(suite.name, folder)}")
        if (got := digest_file(path)) != task.digest:
            raise SuiteError(
                f"{path}: expected {task.digest}, got {got}; {_remedy(suite.name, folder)}"
            )
    return folder


def read_items(suite: Suite, task: Task, folder: Path) -> list[Item]:
    """Read one task's items; the bytes that are parsed are the bytes that were digested.

    Raises:
        SuiteError: If the file is absent, altered, or holds what the task does not promise.
    """
    path = folder / f"{task.name}.jsonl"
    remedy = _remedy(suite.name, folder)
    if not path.is_file():
        raise SuiteError(f"{path} is missing; {remedy}")
    items = items_from_bytes(path.read_bytes(), task.digest, str(path), remedy)
    check_items(task.form, items, str(path))
    if len(items) != task.num_items:
        raise SuiteError(
            f"{path}: the suite promises {task.num_items} items, got {len(items)}; {remedy}"
        )
    check_shots(task, items)
    return items


def check_shots(task: Task, items: Sequence[Item]) -> None:
    """Refuse more solved examples than there are items that differ from the one that is asked.

    Raises:
        SuiteError: With both numbers.
    """
    if task.form == "text" and task.shots:
        raise SuiteError(
            f"task {task.name!r}: held-out text takes no shots, got {task.shots}; set 0"
        )
    different = len(set(items_to_bytes(items).splitlines())) if task.shots else 1
    if task.shots >= different:
        raise SuiteError(
            f"task {task.name!r}: {task.shots} shots need {task.shots + 1} different items, got "
            f"{different}; lower `shots`"
        )


def _remedy(suite_name: str, folder: Path) -> str:
    """Name the command that brings a suite's files back."""
    if re.fullmatch(r"core\d*", suite_name):
        return f"get them again: assay suite fetch core --out SRC && assay suite build core SRC --out {folder}"
    if re.fullmatch(r"blimp\d*", suite_name):
        return f"convert them again: assay suite build blimp SRC --out {folder}"
    if suite_name.startswith("foundry-"):
        return (
            f"remove {folder} and run the same command again; if that writes other files, the "
            "installed package is not the one that sealed the suite"
        )
    return "restore the files, or make the track again under another name: assay track new"
