"""A submission's own page: its card, its runs, its tasks, and where every number came from."""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from assay.stats.noise import Noise
from assay.stats.noise import half_width as pooled_half_width
from assay.submission import Manifest
from assay_board.pages.cache import BoardCache
from assay_board.pages.snapshot import Notice, Run, Snapshot
from assay_board.pages.views.board import Board, Row, counted


@dataclass(frozen=True)
class TaskScore:
    """One task.

    Attributes:
        name: Of the task.
        means: In both primary metrics, over the seeds that count; None where it is no part of a metric.
        half_widths: Of their 95 % intervals, from seed noise pooled over the board.
        chance: Score of guessing; None where there is none.
        items: How many questions.
    """

    name: str
    means: tuple[float | None, float | None]
    half_widths: tuple[float | None, float | None]
    chance: float | None
    items: int | None


@dataclass(frozen=True)
class Scored:
    """A submission on one board.

    Attributes:
        board: Which.
        row: Its row there.
        runs: All of its runs, oldest first: each with its record, whether it counts, and why it was
            retracted.
        tasks: Its scores task by task.
        domain: Range of the tasks' intervals.
    """

    board: Board
    row: Row
    runs: tuple[tuple[Run, dict[str, Any], bool, str], ...]
    tasks: tuple[TaskScore, ...]
    domain: tuple[float, float]


@dataclass(frozen=True)
class EntryPage:
    """Everything about a submission.

    Attributes:
        digest: Of its canonical list.
        name: As corrected.
        manifest: As corrected.
        about: Form, unit and sizes.
        scored: A board each, the one with the newest run first.
        notices: What was said about it since.
    """

    digest: str
    name: str
    manifest: Mapping[str, Any]
    about: Mapping[str, Any]
    scored: tuple[Scored, ...]
    notices: tuple[Notice, ...]


def build_entry(snapshot: Snapshot, cache: BoardCache, digest: str) -> EntryPage | None:
    """Return a submission's page, or None where the ledger has no run of it."""
    tables = [table for table in snapshot.boards() if digest in table.entrants]
    if not tables:
        return None
    entrants = [table.entrants[digest] for table in tables]
    notices = snapshot.said_of([digest, *(run.digest for e in entrants for run in e.runs)])
    found = (_scored(cache.board(snapshot, table), cache, digest) for table in tables)
    return EntryPage(
        digest=digest,
        name=snapshot.name(entrants[0]),
        manifest=Manifest().plain() | snapshot.manifest(entrants[0]),
        about=entrants[0].about,
        scored=tuple(one for one in found if one is not None),
        notices=tuple(notices),
    )


def _scored(board: Board, cache: BoardCache, digest: str) -> Scored | None:
    row, entrant = board.row(digest), board.table.entrants.get(digest)
    if row is None or entrant is None:  # newer than the board that is shown
        return None
    _, counting, _ = counted(board.snapshot, entrant)
    retracted = board.snapshot.standing.retracted
    runs = tuple(
        (run, run.record(), run in counting, retracted[run.digest].reason if run.digest in retracted else "")
        for run in entrant.runs
    )  # fmt: skip
    described = runs[-1][1]["metrics"].get("tasks", {})
    noise = cache.task_noise(board)
    tasks = tuple(
        _task(name, described[name], counting, t, noise[t])
        for t, name in enumerate(board.table.tasks)
    )
    ends = [m + s * (t.half_widths[0] or 0.0) for t in tasks for s in (-1, 1)
            if (m := t.means[0]) is not None]  # fmt: skip
    domain = (min(ends), max(ends)) if ends else (0.0, 1.0)
    return Scored(board, row, runs, tasks, domain)


def _task(
    name: str, described: Mapping[str, Any], runs: tuple[Run, ...], t: int, noise: tuple[Noise, Noise]
) -> TaskScore:  # fmt: skip
    means, widths = [], []
    for metric in (0, 1):
        mean = math.fsum(float(run.tasks[t, metric]) for run in runs) / len(runs)
        known = not math.isnan(mean)
        pooled = noise[metric]
        means.append(mean if known else None)
        widths.append(pooled_half_width(pooled.sd, pooled.degrees, len(runs)) if known else None)
    return TaskScore(
        name=name,
        means=(means[0], means[1]),
        half_widths=(widths[0], widths[1]),
        chance=described.get("chance"),
        items=described.get("num_items"),
    )
