"""Item-level differences of two submissions, from the per-item outputs that their runs left behind."""

from typing import Any

import numpy as np
import pyarrow.parquet as pq
from numpy.typing import NDArray

from assay.canonical import digest_file
from assay.errors import TrackError
from assay.home import run_folder
from assay.score.text import item_values
from assay.stats.items import ItemError, item_error
from assay.suite import Suite, Task
from assay.suite.files import read_items
from assay.suite.passages import passages
from assay.track.load import LoadedScale, load

OUTPUTS_FILE = "outputs.parquet"

Records = list[dict[str, Any]]
"""Of one submission, one a seed."""


def text_item_error(first: Records, second: Records, metric: str) -> ItemError | None:
    """Return what the choice of items adds to the error of a difference of two text submissions.

    Args:
        first: Of the one submission.
        second: Of the other.
        metric: `bits_per_byte` or `centered_accuracy`.

    Returns:
        None where a run's outputs are not on this machine or are not those of its record, where the suite
        is not the one that they were scored on, or where a task has a single item or passage.
    """
    loaded = _scored_on(first[0])
    if loaded is None:
        return None
    assert isinstance(loaded.suite, Suite)
    tasks = [task for task in loaded.suite.tasks if task.form != "text"]
    one, other = (_means(records, tasks, metric) for records in (first, second))
    if one is None or other is None:
        return None
    differences = {task.name: one[task.name] - other[task.name] for task in tasks}
    if any(len(items) < 2 for items in differences.values()):
        return None
    shared = _shared_passages(loaded, tasks)
    if any(len(set(labels.tolist())) < 2 for labels in shared.values()):
        return None
    return item_error(differences, shared)


def _scored_on(record: dict[str, Any]) -> LoadedScale | None:
    """Return the text scale that a record was scored under, or None where this machine has another."""
    track = record["track"]
    try:
        loaded = load(track["name"], track["scale"])
    except TrackError:
        return None
    return loaded if loaded.seal == track["seal"] and loaded.modality == "text" else None


def _shared_passages(loaded: LoadedScale, tasks: list[Task]) -> dict[str, NDArray[np.int64]]:
    """Label the items of tasks by the passages that they ask about, where their files are on this machine."""
    suite, folder = loaded.suite, loaded.suite_folder
    assert isinstance(suite, Suite)
    if not folder.is_dir():
        return {}
    most = loaded.spec.suite.items_per_task
    return {task.name: passages(read_items(suite, task, folder)[:most]) for task in tasks}


def _means(
    records: Records, tasks: list[Task], metric: str
) -> dict[str, NDArray[np.float64]] | None:
    """Return each task's item values, averaged over seeds."""
    runs = []
    for record in records:
        path = run_folder(record["digests"]["run"]) / OUTPUTS_FILE
        if not path.is_file() or digest_file(path) != record["digests"].get("outputs"):
            return None
        runs.append(item_values(pq.read_table(path), tasks, metric))
    return {task.name: np.mean([run[task.name] for run in runs], axis=0) for task in tasks}
