"""Two to five submissions of a board, task by task against the first of them."""

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from assay.pool import AnyPool
from assay.report.composition import makeup, makeup_figures
from assay.report.figure import Figure
from assay.stats.multiplicity import holm
from assay.stats.noise import Difference
from assay.submission import Submission, read_submission
from assay_board.pages.cache import BoardCache
from assay_board.pages.snapshot import Table
from assay_board.pages.views.board import Board, Row

FEWEST, MOST = 2, 5
LEVEL = 0.05
ALL_TASKS = "all tasks"


@dataclass(frozen=True)
class Contrast:
    """A submission minus the first, in one task or all.

    Attributes:
        task: Name, or `ALL_TASKS`.
        difference: With its interval; None where the noise is unknown.
        delta: The same without.
        p: Two-sided, Holm-adjusted over the tasks; for all tasks over the submissions.
        verdict: `better`, `worse` or `not told apart`.
    """

    task: str
    difference: Difference | None
    delta: float
    p: float | None
    verdict: str


@dataclass(frozen=True)
class Shared:
    """What two lists have in common.

    Attributes:
        first: Name.
        other: Name.
        jaccard: Shared examples of all examples of both.
        contained: Shared examples of the first's.
    """

    first: str
    other: str
    jaccard: float
    contained: float


@dataclass(frozen=True)
class Comparison:
    """A comparison.

    Attributes:
        board: Where they are.
        rows: In the order asked for.
        abouts: Their forms and sizes.
        contrasts: A list a submission, for all but the first.
        domain: Range of every list's intervals; 0 is in it.
        overlaps: Every pair; None where the lists are not at hand.
        composition: Figures with a table each; none where lists or pool are not at hand.
    """

    board: Board
    rows: tuple[Row, ...]
    abouts: tuple[Mapping[str, Any], ...]
    contrasts: tuple[tuple[Contrast, ...], ...]
    domain: tuple[float, float]
    overlaps: tuple[Shared, ...] | None
    composition: tuple[Figure, ...]


def build_comparison(
    cache: BoardCache, board: Board, wanted: Sequence[str],
    list_path: Callable[[str], Path | None] | None = None,
    pool_of: Callable[[Table], AnyPool | None] | None = None,
) -> Comparison | None:  # fmt: skip
    """Compare submissions with a rank, or return None where fewer than two or more than five are left.

    Args:
        cache: Of boards.
        board: Where they are.
        wanted: Digests or their first digits; those that name no single ranked row are left out.
        list_path: Where the list of a submission is, if this machine has it.
        pool_of: The pool of a board, if this machine has it and it can be read while somebody waits.
    """
    rows = tuple(row for row in (_find(board, word) for word in dict.fromkeys(wanted)) if row)
    if not FEWEST <= len(rows) <= MOST:
        return None
    noise = board.scores[0].noise
    totals = [noise.difference(row.digest, rows[0].digest) for row in rows[1:]]
    adjusted = _adjusted(totals)
    contrasts = []
    for row, total, p in zip(rows[1:], totals, adjusted, strict=True):
        whole = _contrast(board, ALL_TASKS, total, row.means[0] - rows[0].means[0], p)
        contrasts.append((whole, *_by_task(cache, board, row, rows[0])))
    ends = [end for each in contrasts for c in each if c.difference is not None
            for end in (c.difference.low, c.difference.high)]  # fmt: skip
    domain = (min([0.0, *ends]), max([0.0, *ends])) if ends else (-1.0, 1.0)
    lists = _lists(rows, board, list_path) if list_path else None
    pool = pool_of(board.table) if pool_of and lists is not None else None
    return Comparison(
        board=board,
        rows=rows,
        abouts=tuple(board.table.entrants[row.digest].about for row in rows),
        contrasts=tuple(contrasts),
        domain=domain,
        overlaps=None if lists is None else _overlaps(rows, lists),
        composition=() if lists is None or pool is None else _composition(rows, lists, board, pool),
    )


def _find(board: Board, word: str) -> Row | None:
    digits = word.removeprefix("sha256:")
    if len(digits) < 12:
        return None
    found = [row for row in board.ranked if row.digest[7:].startswith(digits)]
    return found[0] if len(found) == 1 else None


def _by_task(cache: BoardCache, board: Board, row: Row, first: Row) -> list[Contrast]:
    found = []
    by_task = cache.task_noise(board)
    for task, both in zip(board.table.tasks, by_task, strict=True):
        # A held-out text has no accuracy: it is in neither headline.
        if not any(math.isnan(noise.values[first.digest][0]) for noise in both):
            values = [both[0].values[digest] for digest in (row.digest, first.digest)]
            delta = math.fsum(values[0]) / len(values[0]) - math.fsum(values[1]) / len(values[1])
            found.append((task, both[0].difference(row.digest, first.digest), delta))
    adjusted = _adjusted([difference for _, difference, _ in found])
    return [
        _contrast(board, task, difference, delta, p)
        for (task, difference, delta), p in zip(found, adjusted, strict=True)
    ]


def _contrast(
    board: Board, task: str, difference: Difference | None, delta: float, p: float | None
) -> Contrast:
    verdict = "not told apart"
    if p is not None and p < LEVEL:
        verdict = "better" if (delta < 0) == board.metrics[0].lower_is_better else "worse"
    return Contrast(task, difference, delta, p, verdict)


def _adjusted(found: Sequence[Difference | None]) -> list[float | None]:
    known = iter(holm([d.p_two_sided for d in found if d is not None]))
    return [None if d is None else next(known) for d in found]


def _lists(
    rows: Sequence[Row], board: Board, list_path: Callable[[str], Path | None]
) -> list[Submission] | None:
    """Return the lists, or None where one of them is not at hand."""
    paths = [list_path(row.digest) for row in rows]
    units = [board.table.entrants[row.digest].about["unit"] for row in rows]
    if any(path is None or not path.is_file() for path in paths):
        return None
    pairs = zip(paths, units, strict=True)
    return [read_submission(path, unit=unit) for path, unit in pairs if path is not None]


def _overlaps(rows: Sequence[Row], lists: Sequence[Submission]) -> tuple[Shared, ...]:
    uids = [np.unique(np.concatenate([stage.uids for stage in one.stages])) for one in lists]
    found = []
    for i, row in enumerate(rows):
        for j in range(i + 1, len(rows)):
            both = len(np.intersect1d(uids[i], uids[j], assume_unique=True))
            either = len(uids[i]) + len(uids[j]) - both
            found.append(Shared(row.name, rows[j].name, both / either, both / len(uids[i])))
    return tuple(found)


def _composition(
    rows: Sequence[Row], lists: Sequence[Submission], board: Board, pool: AnyPool
) -> tuple[Figure, ...]:
    """Return shares by source, host, language and so on, and lengths, beside the pool's."""
    pairs = zip(rows, lists, strict=True)
    return tuple(
        makeup_figures(board.table.scale, [makeup(row.name, one, pool) for row, one in pairs])
    )
