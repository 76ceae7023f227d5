"""Download the files of image-text suites: against digests, or once and then pinned by a lock file."""

import re
from pathlib import Path

from assay.artifact import write_atomic
from assay.console import say
from assay.errors import SuiteError
from assay.suite.clip.files import dump_clip_suite_yaml
from assay.suite.clip.lock import LOCK_FILE, locked_files, write_lock
from assay.suite.clip.prompts import (
    CLASSES_FILE,
    NUM_SHARDS_FILE,
    TEMPLATES_FILE,
    class_names,
    num_shards,
    prompt_templates,
)
from assay.suite.clip.shards import read_samples
from assay.suite.clip.spec import ClipSuite, ClipTask
from assay.suite.clip.transfer import copy_file
from assay.suite.clip.winogavil import convert_associations
from assay.suite.files import SUITE_FILE

HUB = "https://huggingface.co/datasets/{source}/resolve/main"


def fetch_clip_suite(suite: ClipSuite, folder: Path, mirror: str | None = None) -> list[Path]:
    """Download what is not there yet; a file is there whole or not at all.

    Files without a digest in the suite get one in the lock file, once everything is there: from then
    on they are these files and no others.

    Args:
        suite: What to fetch.
        folder: To fill; it gets the suite's definition too.
        mirror: Folder or fsspec URL that holds a folder a task, called like the task or, as DataComp's
            downloader leaves them, like its dataset.

    Returns:
        All files.

    Raises:
        SuiteError: If a task has no source, or a file cannot be read or is another than the pinned.
    """
    for task in suite.tasks:
        _base(
            task, mirror
        )  # a task that nobody says where to find is found out before any download
    paths = fetch_pinned(suite, folder, mirror)
    locked = locked_files(suite, folder) if (folder / LOCK_FILE).is_file() else {}
    open_paths: list[Path] = []
    for task in suite.tasks:
        if task.shards is None:
            paths_of_task = _fetch_open(task, folder, _base(task, mirror), locked)
            if not locked:
                _check_promises(task, folder, paths_of_task)
            open_paths += paths_of_task
    if open_paths:
        write_lock(suite, folder, open_paths)
    write_atomic(folder / SUITE_FILE, dump_clip_suite_yaml(suite).encode("utf-8"))
    return paths + open_paths


def fetch_pinned(suite: ClipSuite, folder: Path, mirror: str | None = None) -> list[Path]:
    """Download absent shards whose digests the suite has; a task with neither source nor mirror is left alone.

    Raises:
        SuiteError: If a shard cannot be read or is another than the pinned.
    """
    paths: list[Path] = []
    for task in suite.tasks:
        if task.shards is None or (task.source is None and mirror is None):
            continue
        for split, digests in (("test", task.shards), ("train", task.train_shards)):
            for number, digest in enumerate(digests):
                file = f"{split}/{number}.tar"
                paths.append(folder / task.name / file)
                _fetch(f"{_base(task, mirror)}/{file}", paths[-1], digest)
    return paths


def _fetch_open(task: ClipTask, folder: Path, base: str, locked: dict[str, str]) -> list[Path]:
    """Download a task's files that the suite does not pin."""

    def get(file: str) -> Path:
        path = folder / task.name / file
        _fetch(f"{base}/{file}", path, locked.get(path.relative_to(folder).as_posix()))
        return path

    if task.kind == "association":
        shard = folder / task.name / "test/0.tar"
        if not shard.is_file():
            convert_associations(base, shard, task.num_items)
        return [shard]
    paths = [get(CLASSES_FILE), get(TEMPLATES_FILE)] if task.kind == "classification" else []
    count = get(f"test/{NUM_SHARDS_FILE}")
    shards = range(num_shards(count.read_bytes(), str(count)))
    return [*paths, count, *(get(f"test/{number}.tar") for number in shards)]


def _check_promises(task: ClipTask, folder: Path, paths: list[Path]) -> None:
    """Refuse files that evaluation would refuse, while it is cheap and before they are pinned."""
    if task.kind == "classification":
        class_names(task, folder)
        prompt_templates(task, folder)
    shards = [path for path in paths if path.suffix == ".tar"]
    if (count := sum(1 for shard in shards for _ in read_samples(shard))) != task.num_items:
        raise SuiteError(
            f"{folder / task.name}: the suite promises {task.num_items} items, got {count}; remove the "
            "folder and fetch from another mirror"
        )


def _fetch(location: str, path: Path, digest: str | None) -> None:
    if not path.is_file():
        copy_file(location, path, digest)
        say(f"fetched {path} ({path.stat().st_size:,} bytes)")


def _base(task: ClipTask, mirror: str | None) -> str:
    """Return where a task's files are."""
    if task.source is None:
        if mirror is not None:
            return f"{mirror.rstrip('/')}/{task.name}"
        raise SuiteError(
            f"task {task.name!r} has no source; name a folder or URL that holds {task.name}/: --mirror FOLDER"
        )
    is_dataset = re.fullmatch(r"[\w.-]+/[\w.-]+", task.source) is not None
    if mirror is not None:
        return f"{mirror.rstrip('/')}/{task.source.split('/')[1] if is_dataset else task.name}"
    return HUB.format(source=task.source) if is_dataset else task.source.rstrip("/")
