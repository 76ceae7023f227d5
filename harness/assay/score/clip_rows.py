"""Per-item outputs of an image-text evaluation, checked before anything is computed from them."""

from dataclasses import dataclass

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from assay.errors import SuiteError
from assay.suite.clip import ClipTask

CLIP_OUTPUT_SCHEMA = pa.schema(
    [
        ("task", pa.string()),
        ("item", pa.int32()),
        ("part", pa.string()),
        ("gold", pa.list_(pa.int32())),
        ("top", pa.list_(pa.int32())),
        ("rank", pa.int32()),
        ("tied", pa.int32()),
        ("num_candidates", pa.int32()),
        ("log_prob", pa.float64()),
        ("group", pa.string()),
    ]
)
"""What an image-text evaluation leaves behind, one row a question.

Retrieval asks twice: `part` is `image` where an image looks for its captions and `text` where a caption
looks for its image, `item` counts within the part, and candidates are captions or images by their
position in the files. Elsewhere `part` is empty and candidates are classes or an association's images.
`gold` are the right candidates, ascending; `top` the likeliest, best first, of equal ones the first: five
of them, or as many as an association has golds. `rank` is the number of wrong candidates that beat the
best gold, `tied` the number of wrong ones that equal it, `log_prob` the natural logarithm of the
probability of the golds together, `group` the item's group or null.
"""


@dataclass(frozen=True)
class Rows:
    """The questions of one part of a task, in order.

    Attributes:
        gold: Right candidates, flat; question i has [gold_starts[i], gold_starts[i + 1]).
        gold_starts: One more than there are questions.
        top: Likeliest candidates, flat; question i has [top_starts[i], top_starts[i + 1]).
        top_starts: One more than there are questions.
        rank: Wrong candidates above the best gold.
        tied: Wrong candidates equal to it.
        num_candidates: Candidates of each question.
        log_prob: Of the golds together, in nats.
        group: Names, or None where the items have none.
    """

    gold: NDArray[np.int64]
    gold_starts: NDArray[np.int64]
    top: NDArray[np.int64]
    top_starts: NDArray[np.int64]
    rank: NDArray[np.int64]
    tied: NDArray[np.int64]
    num_candidates: NDArray[np.int64]
    log_prob: NDArray[np.float64]
    group: NDArray[np.str_] | None

    def __len__(self) -> int:
        return len(self.rank)

    @property
    def num_golds(self) -> NDArray[np.int64]:
        """Right candidates of each question."""
        return np.diff(self.gold_starts)

    def hits(self, k: int) -> NDArray[np.float64]:
        """Return whether the best gold is among the k likeliest; in a tie its probability to be."""
        return np.clip((k - self.rank) / (self.tied + 1.0), 0.0, 1.0)


def task_rows(table: pa.Table, task: ClipTask, items_per_task: int | None) -> dict[str, Rows]:
    """Check and unpack a task's rows.

    Returns:
        Part to its questions: `image` and `text` of a retrieval, one empty part of others.

    Raises:
        SuiteError: If a row is missing, unknown, repeated or impossible.
    """
    parts = ("image", "text") if task.kind == "retrieval" else ("",)
    part = np.array(table["part"].to_pylist(), dtype=np.str_)
    if extra := sorted(set(part.tolist()) - set(parts)):
        raise SuiteError(f"task {task.name!r}: outputs hold the unknown part {extra[0]!r}")
    num_items = min(task.num_items, items_per_task or task.num_items)
    if task.kind != "retrieval":
        rows = {"": _unpack(table, task, num_items)}
    else:
        image = _unpack(table.filter(pa.array(part == "image")), task, num_items)
        text = _unpack(table.filter(pa.array(part == "text")), task, len(image.gold))
        _check_directions(image, text, task, whole=num_items == task.num_items)
        rows = {"image": image, "text": text}
    for one in rows.values():
        _check(one, task)
    return rows


def _unpack(table: pa.Table, task: ClipTask, expected: int) -> Rows:
    table = table.sort_by("item")
    required = [name for name in table.column_names if name != "group"]
    if any(table[name].null_count for name in required):
        raise SuiteError(f"task {task.name!r}: an output is null; evaluate again")
    items = table["item"].to_numpy()
    if not np.array_equal(items, np.arange(expected)):
        raise SuiteError(
            f"task {task.name!r}: expected items 0 to {expected - 1} once each, got {len(items)} rows and "
            f"{len(np.unique(items))} different items; evaluate again"
        )
    gold, gold_starts = _ragged(table["gold"], task)
    top, top_starts = _ragged(table["top"], task)
    group = None
    if table["group"].null_count == 0:
        group = np.array(table["group"].to_pylist(), dtype=np.str_)
    elif table["group"].null_count < len(table):
        raise SuiteError(f"task {task.name!r}: some items have a group and some have none")
    return Rows(
        gold=gold,
        gold_starts=gold_starts,
        top=top,
        top_starts=top_starts,
        rank=table["rank"].to_numpy().astype(np.int64),
        tied=table["tied"].to_numpy().astype(np.int64),
        num_candidates=table["num_candidates"].to_numpy().astype(np.int64),
        log_prob=table["log_prob"].to_numpy(),
        group=group,
    )


def _ragged(column: pa.ChunkedArray, task: ClipTask) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Return a column of lists as flat values and where each list starts."""
    lists = column.combine_chunks()
    values = lists.flatten()
    if values.null_count:
        raise SuiteError(f"task {task.name!r}: an output is null; evaluate again")
    lengths = lists.value_lengths().to_numpy(zero_copy_only=False).astype(np.int64)
    return values.to_numpy().astype(np.int64), np.concatenate([[0], np.cumsum(lengths)])


def _check_directions(image: Rows, text: Rows, task: ClipTask, whole: bool) -> None:
    """Refuse retrieval outputs whose directions are not about the same images and captions."""
    owner = np.repeat(np.arange(len(image)), image.num_golds)
    agree = (
        np.array_equal(image.gold, np.arange(len(text)))
        and np.array_equal(text.gold, owner)
        and (image.num_candidates == len(text)).all()
        and (text.num_candidates == len(image)).all()
    )
    if not agree or (whole and task.num_captions not in (None, len(text))):
        raise SuiteError(
            f"task {task.name!r}: outputs of images and of captions contradict each other; evaluate again"
        )


def _check(rows: Rows, task: ClipTask) -> None:
    candidates, golds, depth = rows.num_candidates, rows.num_golds, np.diff(rows.top_starts)
    wrong = candidates - golds
    wanted_depth = golds if task.kind == "association" else np.minimum(candidates, 5)
    problems = {
        "an item without a right answer": (golds < 1).any() or (wrong < 0).any(),
        f"another number of classes than {task.num_classes}": task.kind == "classification"
        and ((candidates != task.num_classes) | (golds != 1)).any(),
        "a log-probability that is NaN, infinite or above 0": not (
            np.isfinite(rows.log_prob) & (rows.log_prob <= 0)
        ).all(),
        "an impossible rank": (
            (rows.rank < 0) | (rows.tied < 0) | (rows.rank + rows.tied > wrong)
        ).any(),
        "another number of likeliest answers than asked for": not np.array_equal(
            depth, wanted_depth
        ),
    }
    _refuse(problems, task)
    problems = {
        "a right answer that is no candidate": _strays(rows.gold, golds, candidates),
        "a likeliest answer that is no candidate": _strays(rows.top, depth, candidates),
        "an answer twice": _repeats(rows.gold, golds) or _repeats(rows.top, depth),
    }
    _refuse(problems, task)
    _refuse({"ranks that contradict the likeliest answers": _contradicts(rows)}, task)


def _refuse(problems: dict[str, bool], task: ClipTask) -> None:
    for problem, found in problems.items():
        if found:
            raise SuiteError(
                f"task {task.name!r}: outputs hold {problem}; the model or the run is broken"
            )


def _strays(
    values: NDArray[np.int64], lengths: NDArray[np.int64], candidates: NDArray[np.int64]
) -> bool:
    return bool(((values < 0) | (values >= np.repeat(candidates, lengths))).any())


def _repeats(values: NDArray[np.int64], lengths: NDArray[np.int64]) -> bool:
    # Values are known to be small and not negative here.
    pairs = np.repeat(np.arange(len(lengths)), lengths) << 32 | values
    return len(np.unique(pairs)) < len(values)


def _contradicts(rows: Rows) -> bool:
    """Say whether the likeliest answer is right where the rank denies it, or the other way round."""
    first = rows.top[rows.top_starts[:-1]]
    question = np.repeat(np.arange(len(rows)), rows.num_golds)
    is_right = np.zeros(len(rows), dtype=np.bool_)
    is_right[question[rows.gold == first[question]]] = True
    certain = rows.tied == 0
    return bool(((rows.rank == 0) != is_right)[certain].any() or is_right[rows.rank > 0].any())
