"""An image-text suite on disk: `suite.yaml`, and a folder of webdataset shards a task."""

from collections.abc import Iterator
from pathlib import Path
from typing import Literal

import yaml

from assay.canonical import digest_file
from assay.errors import SuiteError, TrackError
from assay.spec import load_yaml, parse, plain
from assay.suite.clip.lock import pinned_files, remedy, shard_paths
from assay.suite.clip.shards import ClipItem, parse_item, read_samples
from assay.suite.clip.spec import ClipSuite, ClipTask
from assay.suite.files import SUITE_FILE, load_suite
from assay.suite.items import check_name
from assay.suite.spec import Suite


def load_clip_suite(path: Path) -> ClipSuite:
    """Read an image-text suite's definition.

    Args:
        path: A YAML file, or a folder that holds a `suite.yaml`.

    Raises:
        SuiteError: If it is absent, does not parse, or contradicts itself.
    """
    file = path / SUITE_FILE if path.is_dir() else path
    if not file.is_file():
        raise SuiteError(f"{file} does not exist; list what does with: assay suite list")
    try:
        suite = parse(ClipSuite, load_yaml(file), str(file))
    except TrackError as error:
        raise SuiteError(str(error)) from None
    check_name(suite.name, "suite")
    names = [task.name for task in suite.tasks]
    if repeated := sorted({name for name in names if names.count(name) > 1}):
        raise SuiteError(f"{file}: task {repeated[0]!r} is listed twice; keep one")
    for task in suite.tasks:
        check_task(task, str(file))
    return suite


def load_any_suite(path: Path) -> Suite | ClipSuite:
    """Read a suite's definition, of text or of images and text.

    Raises:
        SuiteError: As `load_suite` and `load_clip_suite` do.
    """
    file = path / SUITE_FILE if path.is_dir() else path
    try:
        value = load_yaml(file) if file.is_file() else None
    except TrackError as error:
        raise SuiteError(str(error)) from None
    is_clip = isinstance(value, dict) and value.get("modality") == "clip"
    return load_clip_suite(file) if is_clip else load_suite(file)


def dump_clip_suite_yaml(suite: ClipSuite) -> str:
    """Return the suite's definition as `load_clip_suite` reads it, without what says nothing."""
    document = plain(suite)
    empty = plain(ClipTask("", "", "retrieval", None, 0))
    kept = ("name", "group", "kind", "main_metric", "num_items")
    document["tasks"] = [
        {key: value for key, value in task.items() if key in kept or value != empty[key]}
        for task in document["tasks"]
    ]
    return yaml.safe_dump(document, sort_keys=False, allow_unicode=True, width=100)


def check_task(task: ClipTask, where: str) -> None:
    """Refuse a task whose fields contradict each other.

    Raises:
        SuiteError: Naming the task.
    """
    check_name(task.name)
    has_classes = task.kind == "classification"
    by_kind = {
        "classification": ("acc1", "mean_per_class_recall", "f1_macro", "acc_wg", "acc_top5_wg"),
        "retrieval": ("mean_recall@1",),
        "association": ("jaccard_score", "jaccard_score_10-12"),
    }
    problems = {
        f"kind {task.kind!r} has no metric {task.main_metric!r}": task.main_metric is not None
        and task.main_metric not in by_kind[task.kind],
        f"{task.num_items} items": task.num_items < 1,
        f"{task.num_classes} classes": (task.num_classes > 1) != has_classes,
        f"{len(task.classes)} lists of class names for {task.num_classes} classes": bool(
            task.classes
        )
        and len(task.classes) != task.num_classes,
        "class names without templates, or templates without names": bool(task.classes)
        != bool(task.templates),
        "pinned shards, but no class names": has_classes
        and task.shards is not None
        and not task.classes,
        "a class without a name": not all(task.classes)
        or not all(name.strip() for names in task.classes for name in names),
        "a template without {c}": not all("{c}" in template for template in task.templates),
        "no shard": task.shards == (),
    }
    for problem, found in problems.items():
        if found:
            raise SuiteError(f"{where}: task {task.name!r} has {problem}; correct the suite")


def clip_suite_folder(suite: ClipSuite, folder: Path) -> Path:
    """Return `folder` after comparing every file in it that matters with its digest.

    Raises:
        SuiteError: Naming the file, what was expected, what was got, and what restores it.
    """
    for file, digest in pinned_files(suite, folder).items():
        path = folder / file
        if not path.is_file():
            raise SuiteError(f"{path} is missing; {remedy(suite, folder)}")
        if (got := digest_file(path)) != digest:
            raise SuiteError(f"{path}: expected {digest}, got {got}; {remedy(suite, folder)}")
    return folder


def read_clip_items(
    suite: ClipSuite,
    task: ClipTask,
    folder: Path,
    *,
    limit: int | None = None,
    split: Literal["test", "train"] = "test",
    counted: bool = True,
) -> Iterator[ClipItem]:
    """Yield a task's items in the order of its shards.

    Args:
        suite: The task's.
        task: What to read.
        folder: The suite's, checked by `clip_suite_folder`.
        limit: Only the first so many, or None for all.
        split: `train` is read by linear probes alone.
        counted: Whether the task knows how many there are.

    Raises:
        SuiteError: If a file is absent or holds what the task does not promise.
    """
    count = captions = 0
    for path in shard_paths(suite, task, folder, split):
        for key, sample in read_samples(path):
            if count == limit:
                return
            item = parse_item(
                sample,
                f"{path}: {key.lstrip('/')}",
                kind=task.kind,
                gold_column=task.gold_column,
                group_column=task.group_column,
            )
            if task.kind == "classification" and item.gold[0] >= task.num_classes:
                raise SuiteError(
                    f"{item.where}: class {item.gold[0]}, where classes are 0 to {task.num_classes - 1}; "
                    f"{remedy(suite, folder)}"
                )
            yield item
            count += 1
            captions += len(item.captions)
    if counted and split == "test":
        promised = (task.num_items, captions if task.num_captions is None else task.num_captions)
        if (count, captions) != promised:
            raise SuiteError(
                f"{folder / task.name}: the suite promises {promised[0]} items and {promised[1]} captions, "
                f"got {count} and {captions}; {remedy(suite, folder)}"
            )
