"""Item-level differences of two submissions, from the per-item outputs that their runs left behind."""

from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from numpy.typing import NDArray

from assay.canonical import digest_file
from assay.errors import TrackError
from assay.home import run_folder
from assay.score.clip_items import clip_item_values
from assay.score.text import item_values
from assay.stats.items import ItemError, item_error
from assay.suite import Suite, Task
from assay.suite.clip import ClipSuite
from assay.suite.files import read_items
from assay.suite.passages import passages
from assay.track.load import LoadedScale, load

OUTPUTS_FILE = "outputs.parquet"

Records = list[dict[str, Any]]
"""Of one submission, one a seed."""


def shared_item_error(first: Records, second: Records, metric: str) -> ItemError | None:
    """Return what the choice of items adds to the error of a difference of two submissions.

    Args:
        first: Of the one submission.
        second: Of the other.
        metric: A primary metric of the track.

    Returns:
        None where a run's outputs are not on this machine or are not those of its record, where the suite
        is not the one that they were scored on, or where a task has a single item or passage.
    """
    loaded = _scored_on(first[0])
    if loaded is None:
        return None
    clip = isinstance(loaded.suite, ClipSuite)
    one, other = (
        (_clip if clip else _text)(loaded, records, metric) for records in (first, second)
    )
    if one is None or other is None:
        return None
    differences = {task: one.values[task] - other.values[task] for task in one.values}
    if any(len(set(labels.tolist())) < 2 for labels in one.clusters.values()):
        return None
    if any(len(items) < 2 for items in differences.values()):
        return None
    return item_error(differences, one.clusters)


@dataclass(frozen=True, eq=False)
class _Means:
    """A submission's item values by task, averaged over seeds, and which items are one draw.

    Attributes:
        values: Task to (n,) values.
        clusters: Task to (n,) labels; tasks that are left out have independent items.
    """

    values: dict[str, NDArray[np.float64]]
    clusters: dict[str, NDArray[np.int64]]


def _text(loaded: LoadedScale, records: Records, metric: str) -> _Means | None:
    assert isinstance(loaded.suite, Suite)
    tasks = [task for task in loaded.suite.tasks if task.form != "text"]
    outputs = _outputs(records)
    if outputs is None:
        return None
    runs = [item_values(table, tasks, metric) for table in outputs]
    means = {task.name: np.mean([run[task.name] for run in runs], axis=0) for task in tasks}
    return _Means(means, _shared_passages(loaded, tasks))


def _clip(loaded: LoadedScale, records: Records, metric: str) -> _Means | None:
    assert isinstance(loaded.suite, ClipSuite)
    tasks = [task for task in loaded.suite.tasks if task.main_metric is not None]
    outputs = _outputs(records)
    if outputs is None:
        return None
    most = loaded.spec.suite.items_per_task
    runs = [clip_item_values(table, tasks, metric, most) for table in outputs]
    means = {task.name: np.mean([run[task.name].values for run in runs], axis=0) for task in tasks}
    return _Means(means, {task.name: runs[0][task.name].clusters for task in tasks})


def _scored_on(record: dict[str, Any]) -> LoadedScale | None:
    """Return the scale that a record was scored under, or None where this machine has another."""
    track = record["track"]
    try:
        loaded = load(track["name"], track["scale"])
    except TrackError:
        return None
    return loaded if loaded.seal == track["seal"] else None


def _shared_passages(loaded: LoadedScale, tasks: list[Task]) -> dict[str, NDArray[np.int64]]:
    """Label the items of tasks by the passages that they ask about, where their files are on this machine."""
    suite, folder = loaded.suite, loaded.suite_folder
    assert isinstance(suite, Suite)
    if not folder.is_dir():
        return {}
    most = loaded.spec.suite.items_per_task
    return {task.name: passages(read_items(suite, task, folder)[:most]) for task in tasks}


def _outputs(records: Records) -> list[pa.Table] | None:
    """Read the per-item outputs of runs; None where some are not those of their records."""
    paths = [run_folder(record["digests"]["run"]) / OUTPUTS_FILE for record in records]
    for path, record in zip(paths, records, strict=True):
        if not path.is_file() or digest_file(path) != record["digests"].get("outputs"):
            return None
    return [pq.read_table(path) for path in paths]
