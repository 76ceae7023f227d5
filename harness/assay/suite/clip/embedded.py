"""The image-text suite that the package generates: same items on every machine, written where needed."""

import tempfile
from collections import Counter
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from assay.artifact import write_atomic
from assay.errors import SuiteError
from assay.suite.clip.fetch import fetch_pinned
from assay.suite.clip.files import clip_suite_folder
from assay.suite.clip.prompts import CLASSES_FILE, NUM_SHARDS_FILE, TEMPLATES_FILE, TYPE_FILE
from assay.suite.clip.seal import SYNONYMS_FILE, write_clip_suite
from assay.suite.clip.shards import write_shard
from assay.suite.clip.spec import ClipSuite, MainMetric

if TYPE_CHECKING:
    from assay.foundry.scenes import SceneItem, SceneTask

EMBEDDED_CLIP_SUITE = "foundry-clip"


def write_embedded_suite(folder: Path, version: int = 1) -> ClipSuite:
    """Generate the foundry's tasks and seal them.

    Args:
        folder: Must not exist; it appears whole or not at all.
        version: Of the suite.

    Raises:
        SuiteError: If the folder exists.
    """
    from assay.foundry.scenes import scene_tasks

    with tempfile.TemporaryDirectory(prefix="assay-scenes-") as staging:
        tasks: dict[str, tuple[str | Path, Mapping[str, Any]]] = {}
        for task in scene_tasks():
            write_scene_task(task, Path(staging) / task.name)
            fields = {
                "group": task.group,
                "main_metric": _main_metric(task),
                "description": task.description,
            }
            tasks[task.name] = (Path(staging) / task.name, fields)
        return write_clip_suite(EMBEDDED_CLIP_SUITE, version, tasks, folder)


def prepare_clip_suite(suite: ClipSuite, folder: Path) -> Path:
    """Return the folder of a suite's files, verified.

    The embedded suite is generated first; shards whose digest the suite has are fetched from its source
    first. Nothing that has no digest is fetched here.

    Args:
        suite: As sealed.
        folder: Where its files are, or will be.

    Raises:
        SuiteError: If a file is absent or does not match its digest.
    """
    if suite.name == EMBEDDED_CLIP_SUITE and not folder.exists():
        try:
            write_embedded_suite(folder, suite.version)
        except (OSError, SuiteError):
            # Another process finished first: a folder appears whole or not at all.
            if not folder.exists():
                raise
    fetch_pinned(suite, folder)
    return clip_suite_folder(suite, folder)


def _main_metric(task: "SceneTask") -> MainMetric:
    """Return the metric that a task is made for: groups, rare classes, or neither."""
    if task.kind == "retrieval":
        return "mean_recall@1"
    if all(item.group is not None for item in task.items):
        return "acc_wg"
    counts = Counter(item.gold for item in task.items).values()
    return "mean_per_class_recall" if max(counts) > 2 * min(counts) else "acc1"


def write_scene_task(task: "SceneTask", folder: Path) -> None:
    """Write a generated task in CLIP-benchmark's layout."""
    samples = [(f"s{number:07d}", _members(item)) for number, item in enumerate(task.items)]
    write_shard(folder / "test/0.tar", samples)
    files = {
        f"test/{NUM_SHARDS_FILE}": b"1",
        TYPE_FILE: task.kind.encode("ascii"),
    }
    if task.classes:
        files[CLASSES_FILE] = _lines([names[0] for names in task.classes])
        files[SYNONYMS_FILE] = _lines(["\t".join(names) for names in task.classes])
        files[TEMPLATES_FILE] = _lines(task.templates)
    for name, data in files.items():
        write_atomic(folder / name, data)


def _members(item: "SceneItem") -> dict[str, bytes]:
    members = {"png": item.image}
    if item.gold is not None:
        members["cls"] = str(item.gold).encode("ascii")
    if item.captions:
        members["txt"] = _lines(item.captions)
    if item.group is not None:
        members["group"] = item.group.encode("utf-8")
    return members


def _lines(lines: list[str]) -> bytes:
    return "\n".join(lines).encode("utf-8")
