"""Folders in CLIP-benchmark's layout into a sealed suite."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from assay.artifact import atomic_folder, write_atomic
from assay.errors import SuiteError
from assay.pool.imagetext.images import ImageProblem, decode_image
from assay.suite.clip.files import check_task, dump_clip_suite_yaml, read_clip_items
from assay.suite.clip.prompts import (
    CLASSES_FILE,
    NUM_SHARDS_FILE,
    TEMPLATES_FILE,
    TYPE_FILE,
    non_empty_lines,
    num_shards,
)
from assay.suite.clip.spec import ClipSuite, ClipTask, Kind, MainMetric
from assay.suite.clip.transfer import copy_file, read_small
from assay.suite.files import SUITE_FILE
from assay.suite.items import check_name

SYNONYMS_FILE = "synonyms.txt"
"""Beside `classnames.txt`: a line a class, its names separated by tabs."""
_MAIN: dict[Kind, MainMetric] = {
    "classification": "acc1",
    "retrieval": "mean_recall@1",
    "association": "jaccard_score",
}


def write_clip_suite(
    name: str,
    version: int,
    tasks: Mapping[str, tuple[str | Path, Mapping[str, Any]]],
    folder: Path,
) -> ClipSuite:
    """Seal tasks as a suite: copy their shards, try every image, write `suite.yaml`.

    Args:
        name: Of the suite.
        version: Of the suite.
        tasks: Task name to its files (a folder or fsspec URL in CLIP-benchmark's layout, which may
            have `synonyms.txt`) and the fields of `ClipTask` that differ from what the files say.
        folder: Must not exist; it appears whole or not at all.

    Raises:
        SuiteError: If a file or a name is absent or unusable, or the folder exists.
    """
    if folder.exists():
        raise SuiteError(f"{folder} exists already; name another folder or remove it first")
    check_name(name, "suite")
    if not tasks:
        raise SuiteError(f"suite {name!r} has no task; name at least one folder")
    with atomic_folder(folder) as partial:
        sealed = [
            _seal(task_name, str(source).rstrip("/"), fields, partial)
            for task_name, (source, fields) in tasks.items()
        ]
        suite = ClipSuite(name=name, version=version, tasks=tuple(sealed))
        write_atomic(partial / SUITE_FILE, dump_clip_suite_yaml(suite).encode("utf-8"))
    return suite


def task_folders(sources: Sequence[str]) -> dict[str, tuple[str | Path, Mapping[str, Any]]]:
    """Name tasks after their folders, as `write_clip_suite` takes them.

    Args:
        sources: Folders or fsspec URLs in CLIP-benchmark's layout, or local folders of such folders.

    Raises:
        SuiteError: If two folders have the same name.
    """
    tasks: dict[str, tuple[str | Path, Mapping[str, Any]]] = {}
    for source in sources:
        inner = sorted(
            path.parent.parent for path in Path(source).glob(f"*/test/{NUM_SHARDS_FILE}")
        )
        for place in map(str, inner or [source]):
            name = place.rstrip("/").rpartition("/")[2]
            if name in tasks:
                raise SuiteError(f"{tasks[name][0]} and {place} are both {name!r}; rename one")
            tasks[name] = (place, {})
    return tasks


def _seal(name: str, source: str, fields: Mapping[str, Any], folder: Path) -> ClipTask:
    if read_small(f"{source}/test/{NUM_SHARDS_FILE}") is None:
        raise SuiteError(
            f"{source}/test/{NUM_SHARDS_FILE} does not exist; name a folder in CLIP-benchmark's layout, "
            "or a folder of such folders"
        )
    kind = fields.get("kind") or _kind(source)
    is_classification = kind == "classification"
    classes = _classes(source) if is_classification else ()
    templates = tuple(_lines(f"{source}/{TEMPLATES_FILE}") or ()) if is_classification else ()
    draft: dict[str, Any] = {
        "name": name,
        "group": kind,
        "kind": kind,
        "main_metric": _MAIN[kind],
        "num_items": 1,
        "num_classes": len(classes),
        "shards": _copy_split(source, "test", folder / name),
        "train_shards": _copy_split(source, "train", folder / name) if is_classification else (),
        "classes": classes,
        "templates": templates,
    }
    task = ClipTask(**(draft | dict(fields)))
    check_task(task, source)
    return _count(task, name, folder)


def _count(task: ClipTask, name: str, folder: Path) -> ClipTask:
    """Read every item and image once, so that evaluation will not fail on one; return the task counted."""
    suite = ClipSuite(name, 1, (task,))
    for split in ("train", "test"):
        items = captions = 0
        for item in read_clip_items(suite, task, folder, split=split, counted=False):
            for number, image in enumerate(item.images):
                try:
                    decode_image(image)
                except ImageProblem as problem:
                    raise SuiteError(
                        f"{item.where} image {number}: unreadable ({problem}); replace or drop the item"
                    ) from None
            items += 1
            captions += len(item.captions)
    if not items:
        raise SuiteError(f"task {name!r} has no items; pack its shards again")
    return replace(task, num_items=items, num_captions=captions or None)


def _kind(source: str) -> Kind:
    lines = _lines(f"{source}/{TYPE_FILE}") or ["classification"]
    for kind in _MAIN:
        if lines[0].strip() == kind:
            return kind
    raise SuiteError(
        f"{source}/{TYPE_FILE}: expected one of {', '.join(_MAIN)}, got {lines[0]!r}; leave the task out"
    )


def _classes(source: str) -> tuple[tuple[str, ...], ...]:
    if synonyms := _lines(f"{source}/{SYNONYMS_FILE}"):
        return tuple(tuple(line.split("\t")) for line in synonyms)
    names = _lines(f"{source}/{CLASSES_FILE}")
    if not names:
        raise SuiteError(
            f"{source}/{CLASSES_FILE} does not exist; write a line a class, or `retrieval` into {TYPE_FILE}"
        )
    return tuple((name,) for name in names)


def _copy_split(source: str, split: str, folder: Path) -> tuple[str, ...]:
    """Copy a split's shards and return their digests; none where there is no such split."""
    count = read_small(f"{source}/{split}/{NUM_SHARDS_FILE}")
    if count is None:
        return ()
    return tuple(
        copy_file(f"{source}/{split}/{number}.tar", folder / split / f"{number}.tar")
        for number in range(num_shards(count, f"{source}/{split}/{NUM_SHARDS_FILE}"))
    )


def _lines(location: str) -> list[str] | None:
    data = read_small(location)
    return None if data is None else non_empty_lines(data, location)
