"""Item-level differences of two submissions, from the per-item outputs that their runs left behind."""

import math
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from numpy.typing import NDArray

from assay.canonical import digest_file
from assay.errors import TrackError
from assay.home import run_folder
from assay.suite import Suite
from assay.suite.files import read_items
from assay.suite.passages import passages
from assay.track.load import load

OUTPUTS_FILE = "outputs.parquet"


def bits_per_byte_differences(
    first: list[dict[str, Any]], second: list[dict[str, Any]], tasks: list[str]
) -> dict[str, NDArray[np.float64]] | None:
    """Return each task's item-level differences of bits per byte, averaged over seeds.

    Args:
        first: Records of the one submission, one a seed.
        second: Records of the other.
        tasks: Those that the metric averages.

    Returns:
        None where a run's outputs are not on this machine or are not those of its record.
    """
    one, other = _means(first, tasks), _means(second, tasks)
    if one is None or other is None:
        return None
    return {task: one[task] - other[task] for task in tasks}


def shared_passages(record: dict[str, Any], tasks: list[str]) -> dict[str, NDArray[np.int64]]:
    """Label the items of a text record's tasks by the passages that they ask about.

    Args:
        record: Any of those that are compared.
        tasks: Names.

    Returns:
        Task to (n,) labels; empty where this machine no longer has the suite that the record was scored on.
    """
    track = record["track"]
    try:
        loaded = load(track["name"], track["scale"])
    except TrackError:
        return {}
    suite, folder = loaded.suite, loaded.suite_folder
    if loaded.seal != track["seal"] or not isinstance(suite, Suite) or not folder.is_dir():
        return {}
    most = loaded.spec.suite.items_per_task
    asked = [task for task in suite.tasks if task.name in tasks]
    return {task.name: passages(read_items(suite, task, folder)[:most]) for task in asked}


def _means(
    records: list[dict[str, Any]], tasks: list[str]
) -> dict[str, NDArray[np.float64]] | None:
    runs = []
    for record in records:
        path = run_folder(record["digests"]["run"]) / OUTPUTS_FILE
        if not path.is_file() or digest_file(path) != record["digests"].get("outputs"):
            return None
        runs.append(_bits_per_byte(pq.read_table(path)))
    return {task: np.mean([run[task] for run in runs], axis=0) for task in tasks}


def _bits_per_byte(outputs: pa.Table) -> dict[str, NDArray[np.float64]]:
    """Return each task's bits per byte of the gold answers, in the order of items."""
    rows = outputs.sort_by([("task", "ascending"), ("item", "ascending")])
    gold = rows["gold"].to_numpy()
    bits = -_of_gold(rows["log_likelihood"], gold) / math.log(2)
    values = bits / _of_gold(rows["num_bytes"], gold)
    tasks = np.array(rows["task"].to_pylist(), dtype=np.str_)
    return {str(task): values[tasks == task] for task in np.unique(tasks)}


def _of_gold(column: pa.ChunkedArray, gold: NDArray[np.int32]) -> NDArray[np.float64]:
    """Take each list's entry for the gold answer."""
    lists = column.combine_chunks()
    starts = lists.offsets.to_numpy()[:-1]
    return lists.values.to_numpy()[starts + gold].astype(np.float64)
