"""From per-item outputs to metrics: pure arithmetic, no model, no file, no randomness.

Every number that reaches a record or a board is made here, so that a change of metric is a
re-aggregation of stored outputs and never a new run. Sums are correctly rounded (`math.fsum`): the
order of rows moves no bit.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from assay.errors import SuiteError
from assay.score.arithmetic import centered_accuracy, exact_mean, exact_sum, standard_error
from assay.suite import Suite, Task

OUTPUT_SCHEMA = pa.schema(
    [
        ("task", pa.string()),
        ("item", pa.int32()),
        ("gold", pa.int32()),
        ("log_likelihood", pa.list_(pa.float64())),
        ("num_tokens", pa.list_(pa.int32())),
        ("num_bytes", pa.list_(pa.int32())),
        ("greedy", pa.list_(pa.bool_())),
    ]
)
"""What an evaluation leaves behind, one row an item.

The lists have an entry for each choice; for `exact` items and held-out documents they have one entry
and `gold` is 0. Log-likelihoods are in nats; bytes are UTF-8 bytes of the choice without delimiter.
"""


@dataclass(frozen=True)
class TaskScore:
    """The metrics of one task.

    Attributes:
        accuracy: Fraction of items answered rightly, a gold that ties with k - 1 other choices
            counting 1/k; None for held-out text.
        chance: Accuracy of guessing: mean of 1/choices over the items, 0 for `exact`.
        centered_accuracy: Accuracy rescaled so that guessing is 0 and perfection 1.
        bits_per_byte: Of the gold answers, mean over items; of held-out text, all bits over all
            bytes.
        stderr: Standard error of `accuracy` over items; None for held-out text and single items.
        bits_per_byte_stderr: Standard error of `bits_per_byte` over items; None for single items.
        num_items: Items that the numbers rest on.
    """

    accuracy: float | None
    chance: float | None
    centered_accuracy: float | None
    bits_per_byte: float
    stderr: float | None
    bits_per_byte_stderr: float | None
    num_items: int


@dataclass(frozen=True)
class Metrics:
    """The metrics of one run.

    Attributes:
        bits_per_byte: Mean over tasks with answers, of their gold answers' bits per byte.
        centered_accuracy: Mean over the same tasks.
        heldout_bits_per_byte: Mean over held-out domains; None where the suite has none.
        tasks: Task name to its metrics, in the suite's order.
    """

    bits_per_byte: float
    centered_accuracy: float
    heldout_bits_per_byte: float | None
    tasks: dict[str, TaskScore]

    def as_json(self) -> dict[str, Any]:
        """Return plain data, as records hold it."""
        return {
            "bits_per_byte": self.bits_per_byte,
            "centered_accuracy": self.centered_accuracy,
            "heldout_bits_per_byte": self.heldout_bits_per_byte,
            "tasks": {name: dict(vars(task)) for name, task in self.tasks.items()},
        }


def score(outputs: pa.Table, suite: Suite, items_per_task: int | None = None) -> Metrics:
    """Aggregate per-item outputs.

    Args:
        outputs: A table of `OUTPUT_SCHEMA`, rows in any order.
        suite: What had to be evaluated.
        items_per_task: Only the first so many items of each task had to be, or None for all.

    Raises:
        SuiteError: If a task or an item is missing, unknown or repeated, or a value is impossible
            (NaN, infinity, a probability above 1, no bytes): never a smaller average.
    """
    if not outputs.schema.equals(OUTPUT_SCHEMA):
        raise SuiteError(
            f"per-item outputs have the columns {outputs.schema.names}, evaluate again"
        )
    names = np.array(outputs["task"].to_pylist(), dtype=np.str_)
    if unknown := sorted(set(names.tolist()) - {task.name for task in suite.tasks}):
        raise SuiteError(f"outputs hold task {unknown[0]!r}, which suite {suite.name!r} has not")
    tasks: dict[str, TaskScore] = {}
    for task in suite.tasks:
        rows = _rows(outputs, names, task)
        expected = min(task.num_items, items_per_task or task.num_items)
        tasks[task.name] = _score_task(_Columns.of(rows, task.name, expected), task)
    answered = [tasks[task.name] for task in suite.tasks if task.form != "text"]
    heldout = [tasks[task.name].bits_per_byte for task in suite.tasks if task.form == "text"]
    if not answered:
        raise SuiteError(f"suite {suite.name!r} has held-out text only; add a task with answers")
    return Metrics(
        bits_per_byte=exact_mean([task.bits_per_byte for task in answered]),
        centered_accuracy=exact_mean([_known(task.centered_accuracy) for task in answered]),
        heldout_bits_per_byte=exact_mean(heldout) if heldout else None,
        tasks=tasks,
    )


def item_values(
    outputs: pa.Table, tasks: Sequence[Task], metric: str
) -> dict[str, NDArray[np.float64]]:
    """Return each item's part of a primary metric, (items,) by task; their mean is the task's.

    Args:
        outputs: A table of `OUTPUT_SCHEMA` that `score` accepted.
        tasks: Some with answers.
        metric: `bits_per_byte` or `centered_accuracy`.
    """
    names = np.array(outputs["task"].to_pylist(), dtype=np.str_)
    return {task.name: _task_values(_rows(outputs, names, task), task, metric) for task in tasks}


def _rows(outputs: pa.Table, names: NDArray[np.str_], task: Task) -> pa.Table:
    """Return one task's rows, sorted by item."""
    return outputs.filter(pa.array(names == task.name)).sort_by("item")


def _task_values(rows: pa.Table, task: Task, metric: str) -> NDArray[np.float64]:
    columns = _Columns.of(rows, task.name, len(rows))
    gold = columns.starts + columns.gold
    if metric == "bits_per_byte":
        return -columns.nats[gold] / math.log(2) / columns.bytes[gold]
    credit, chances = _credit(columns, task)
    return (credit - exact_mean(chances)) / (1 - exact_mean(chances))


@dataclass(frozen=True)
class _Columns:
    """One task's rows as flat arrays: item i owns [starts[i], starts[i] + counts[i])."""

    starts: NDArray[np.int64]
    counts: NDArray[np.int64]
    gold: NDArray[np.int64]
    nats: NDArray[np.float64]
    tokens: NDArray[np.int64]
    bytes: NDArray[np.int64]
    greedy: NDArray[np.bool_]

    @classmethod
    def of(cls, rows: pa.Table, name: str, expected: int) -> "_Columns":
        """Check the rows of one task, sorted by item, and flatten their lists."""
        if any(column.null_count for column in rows.columns):
            raise SuiteError(f"task {name!r}: an output is null; evaluate again")
        items = rows["item"].to_numpy()
        if not np.array_equal(items, np.arange(expected)):
            raise SuiteError(
                f"task {name!r}: expected items 0 to {expected - 1} once each, got {len(items)} rows and "
                f"{len(np.unique(items))} different items; evaluate again"
            )
        counts = _lengths(rows["log_likelihood"])
        for column in ("num_tokens", "num_bytes", "greedy"):
            if not np.array_equal(_lengths(rows[column]), counts):
                raise SuiteError(f"task {name!r}: {column} and log_likelihood differ in length")
        columns = cls(
            starts=np.cumsum(counts) - counts,
            counts=counts,
            gold=rows["gold"].to_numpy().astype(np.int64),
            nats=_flat(rows["log_likelihood"]).astype(np.float64),
            tokens=_flat(rows["num_tokens"]).astype(np.int64),
            bytes=_flat(rows["num_bytes"]).astype(np.int64),
            greedy=_flat(rows["greedy"]).astype(np.bool_),
        )
        columns._check(name)
        return columns

    def _check(self, name: str) -> None:
        problems = {
            "an item without choices": (self.counts < 1).any(),
            "a gold that is no choice": ((self.gold < 0) | (self.gold >= self.counts)).any(),
            "a log-likelihood that is NaN, infinite or above 0": not (
                np.isfinite(self.nats) & (self.nats <= 0)
            ).all(),
            "an answer of no tokens": (self.tokens < 1).any(),
            "an answer of no bytes": (self.bytes < 1).any(),
        }
        for problem, found in problems.items():
            if found:
                raise SuiteError(
                    f"task {name!r}: outputs hold {problem}; the model or the run is broken"
                )


def _score_task(columns: _Columns, task: Task) -> TaskScore:
    gold = columns.starts + columns.gold
    bits = -columns.nats[gold] / math.log(2)
    size = columns.bytes[gold].astype(np.float64)
    if task.form == "text":
        ratio = exact_sum(bits) / exact_sum(size)
        spread = standard_error(bits - ratio * size)
        error = None if spread is None else spread / exact_mean(size)
        return TaskScore(None, None, None, ratio, None, error, len(gold))
    credit, chances = _credit(columns, task)
    accuracy, chance = exact_mean(credit), exact_mean(chances)
    return TaskScore(
        accuracy=accuracy,
        chance=chance,
        centered_accuracy=centered_accuracy(accuracy, chance),
        bits_per_byte=exact_mean(bits / size),
        stderr=standard_error(credit),
        bits_per_byte_stderr=standard_error(bits / size),
        num_items=len(gold),
    )


def _credit(columns: _Columns, task: Task) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return each item's credit and chance: 1/k where the gold is among k choices that tie for the best."""
    gold = columns.starts + columns.gold
    if task.form == "exact":
        return columns.greedy[gold].astype(np.float64), np.zeros(len(gold))
    value = columns.nats
    if task.normalization == "bytes":
        value = value / columns.bytes
    elif task.normalization == "tokens":
        value = value / columns.tokens
    best = np.maximum.reduceat(value, columns.starts)
    is_best = value == np.repeat(best, columns.counts)
    ties = np.add.reduceat(is_best.astype(np.int64), columns.starts)
    return is_best[gold] / ties, 1.0 / columns.counts


def _lengths(column: pa.ChunkedArray) -> NDArray[np.int64]:
    return column.combine_chunks().value_lengths().to_numpy().astype(np.int64)


def _flat(column: pa.ChunkedArray) -> NDArray[Any]:
    flat = column.combine_chunks().flatten()
    if flat.null_count:
        raise SuiteError("an output is null; evaluate again")
    return flat.to_numpy(zero_copy_only=False)


def _known(value: float | None) -> float:
    assert value is not None
    return value
