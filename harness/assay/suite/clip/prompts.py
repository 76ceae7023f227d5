"""The small text files of CLIP-benchmark's layout: names of classes, prompts, number of shards."""

from pathlib import Path

from assay.errors import SuiteError
from assay.suite.clip.spec import ClipTask

CLASSES_FILE = "classnames.txt"
TEMPLATES_FILE = "zeroshot_classification_templates.txt"
NUM_SHARDS_FILE = "nshards.txt"
TYPE_FILE = "dataset_type.txt"
MAX_SHARDS = 10_000


def class_names(task: ClipTask, folder: Path) -> tuple[tuple[str, ...], ...]:
    """Return the names of each class, from the suite or else from the pinned files.

    Raises:
        SuiteError: If there are not as many as the task promises.
    """
    if task.classes:
        return task.classes
    path = folder / task.name / CLASSES_FILE
    rows = [(line,) for line in _select(_read_lines(path), task.prompts)]
    if len(rows) != task.num_classes:
        raise SuiteError(
            f"{path}: the suite promises {task.num_classes} classes, got {len(rows)}; get the file again"
        )
    return tuple(rows)


def prompt_templates(task: ClipTask, folder: Path) -> tuple[str, ...]:
    """Return the prompts, `{c}` standing for a class's name.

    Raises:
        SuiteError: If there are none.
    """
    if task.templates:
        return task.templates
    path = folder / task.name / TEMPLATES_FILE
    templates = tuple(_select(_read_lines(path), task.prompts))
    if not templates or not all("{c}" in template for template in templates):
        raise SuiteError(f"{path}: expected templates with {{c}}, got {templates}; get it again")
    return templates


def non_empty_lines(data: bytes, where: str) -> list[str]:
    """Return a file's lines.

    Raises:
        SuiteError: If it is not UTF-8, or a line is empty, which would shift every class after it.
    """
    try:
        text = data.decode("utf-8")
    except UnicodeDecodeError:
        raise SuiteError(f"{where} is not UTF-8; get it again") from None
    lines = [line.removesuffix("\r") for line in text.rstrip("\r\n").split("\n")]
    if not all(line.strip() for line in lines):
        raise SuiteError(f"{where} has an empty line; remove it")
    return lines


def num_shards(data: bytes, where: str) -> int:
    """Return the number that `nshards.txt` holds.

    Raises:
        SuiteError: If it holds something else.
    """
    text = data.strip()
    if not text.isdigit() or not 1 <= int(text[:9]) <= MAX_SHARDS:
        raise SuiteError(f"{where}: expected a number of shards, got {text[:40]!r}; get it again")
    return int(text)


def _select(lines: list[str], prefix: str | None) -> list[str]:
    """Keep lines such as `gender:male` of one prefix, without it."""
    if prefix is None:
        return lines
    return [line.partition(":")[2] for line in lines if line.startswith(f"{prefix}:")]


def _read_lines(path: Path) -> list[str]:
    try:
        return non_empty_lines(path.read_bytes(), str(path))
    except OSError as error:
        raise SuiteError(f"{path} cannot be read ({error.strerror}); get it again") from None
