"""Across scales: score against compute, and whether a small scale orders methods as a large one does."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import pairwise

import numpy as np

from assay.compare.entries import ScaleScores
from assay.compare.scale import SEED, Compared, Lead, ScaleComparison
from assay.compare.submissions import Comparison
from assay.report.figure import Figure
from assay.report.flow import flow_figure
from assay.report.scatter import Point, Step, scatter_figure
from assay.report.scores import scaling_figure
from assay.report.subject import Subject
from assay.report.transfer import statistics_figure
from assay.stats.ranks import RankInterval
from assay.stats.transfer import FEWEST, noise_ceiling, rank_transfer, selective_curve
from assay_board.pages.cache import BoardCache
from assay_board.pages.snapshot import Snapshot
from assay_board.pages.views.board import Board, Row

CAPTION = "Score against the compute of one run; ribbons are 95 % intervals of the mean over seeds."
SHOWN = 10
"""Methods in a figure."""
MOST_METHODS = 100
"""Methods that orders are compared of: the bootstrap looks at every pair of them."""


@dataclass(frozen=True)
class ScalingPage:
    """What a track's scales say about each other.

    Attributes:
        track: Name.
        boards: Smallest compute first.
        methods: Submissions that are at two scales or more, by name.
        shown: How many of them the figures have.
        figures: With a table each.
        notes: What is missing, and why.
    """

    track: str
    boards: tuple[Board, ...]
    methods: int
    shown: int
    figures: tuple[Figure, ...]
    notes: tuple[str, ...]


def build_scaling(snapshot: Snapshot, cache: BoardCache, track: str) -> ScalingPage | None:
    """Return a track's page, or None where it has no runs.

    A method has another list, and another digest, on each pool: submissions of one name are one method where
    a board has only one of that name.
    """
    newest = {t.scale: t for t in reversed(snapshot.boards(track)) if t.training.get("flops")}
    if not newest:
        return None
    tables = sorted(newest.values(), key=lambda t: t.training["flops"])
    boards = [cache.board(snapshot, table) for table in tables]
    methods = [_methods(board) for board in boards]
    several = sorted(
        {name for rows in methods for name in rows if sum(name in other for other in methods) > 1},
        key=lambda name: _order(name, boards, methods),
    )
    if len(boards) < 2 or len(several) < 2:
        note = "It takes two methods with runs at two scales; a method is told by its name."
        return ScalingPage(track, tuple(boards), len(several), 0, (), (note,))
    figures, notes = _figures(track, boards, methods, several)
    return ScalingPage(
        track, tuple(boards), len(several), min(SHOWN, len(several)), tuple(figures), tuple(notes)
    )


def _figures(
    track: str, boards: list[Board], methods: list[dict[str, Row]], several: list[str]
) -> tuple[list[Figure], list[str]]:
    # Evenly over the order: the best ten alone would hide that a scale orders good and bad rightly.
    shown = [
        several[i] for i in np.linspace(0, len(several) - 1, min(SHOWN, len(several))).astype(int)
    ]
    compared = [_compared(b, m, shown) for b, m in zip(boards, methods, strict=True)]
    scores = [_scores(track, b, c) for b, c in zip(boards, compared, strict=True)]
    subject = Subject.of(Comparison(track, tuple(compared), (), None), scores)
    flow = flow_figure(subject)
    curves = replace(scaling_figure(subject), caption=CAPTION)
    figures = [curves, *([flow] if flow else [])]
    steps, notes = [], []
    for (small, at_small), (large, at_large) in pairwise(zip(boards, methods, strict=True)):
        step = _step(small, at_small, large, at_large)
        if isinstance(step, str):
            notes.append(step)
        else:
            steps.append(step)
    if steps:
        figures += [statistics_figure(steps), *map(scatter_figure, steps)]
    return figures, notes


def _methods(board: Board) -> dict[str, Row]:
    """Return ranked rows by name, of names that only one of them has."""
    found: dict[str, list[Row]] = {}
    for row in board.ranked:
        found.setdefault(row.name, []).append(row)
    return {name: rows[0] for name, rows in found.items() if len(rows) == 1}


def _order(
    name: str, boards: Sequence[Board], methods: Sequence[dict[str, Row]]
) -> tuple[int, float]:
    """Sort by the number of scales, then by the score at the largest."""
    at = [i for i, rows in enumerate(methods) if name in rows]
    sign = 1 if boards[at[-1]].metrics[0].lower_is_better else -1
    return -len(at), sign * methods[at[-1]][name].means[0]


def _compared(board: Board, methods: dict[str, Row], shown: Sequence[str]) -> ScaleComparison:
    noise = board.scores[0].noise
    entries = tuple(_entry(methods[name]) for name in shown if name in methods)
    best = [row.name for row in board.ranked[:2]] + ["", ""]
    return ScaleComparison(
        label=board.table.label,
        scale=board.table.scale,
        sealed=board.table.sealed,
        metric=board.metrics[0],
        pooled_sd=noise.sd,
        degrees=noise.degrees,
        seed_correlation=None,
        stability=None,
        lead=Lead(best[0], best[1], None, None),
        entries=entries,
        missing=tuple(name for name in shown if name not in methods),
    )


def _entry(row: Row) -> Compared:
    interval = None
    if row.low is not None and row.high is not None:
        interval = RankInterval(row.low, row.low, row.high, row.p_best or 0.0, 0.0)
    return Compared(
        name=row.name,
        # Of one name, one method: figures join a method's scales by what they are told here.
        submission=row.name,
        seeds=row.seeds,
        mean=row.means[0],
        sd=None,
        half_width=row.half_widths[0],
        keeps_own_variance=row.noisy,
        rank=row.rank,
        interval=interval,
        task_range=None,
        strength=None,
        versus_first=None,
    )


def _scores(track: str, board: Board, compared: ScaleComparison) -> ScaleScores:
    """Return what figures read of records: the compute of a run."""
    groups = {
        entry.submission: {0: {"training": board.table.training}} for entry in compared.entries
    }
    return ScaleScores(
        track=track,
        scale=compared.scale,
        label=compared.label,
        sealed=compared.sealed,
        groups=groups or {"": {0: {"training": board.table.training}}},
        chosen={entry.submission: entry.name for entry in compared.entries},
        missing=compared.missing,
        methods={},
    )


def _step(
    small: Board, at_small: dict[str, Row], large: Board, at_large: dict[str, Row]
) -> Step | str:
    label = f"{small.table.scale} → {large.table.scale}"
    lower = large.metrics[0].lower_is_better
    order = sorted(at_large, key=lambda name: at_large[name].means[0], reverse=not lower)
    shared = [name for name in order if name in at_small]
    if len(shared) < FEWEST:
        return (
            f"{label}: {len(shared)} methods at both scales; {FEWEST} are needed to compare orders."
        )
    if len(shared) > MOST_METHODS:
        kept = np.linspace(0, len(shared) - 1, MOST_METHODS).astype(int)
        shared = [shared[i] for i in kept]
    sign = -1.0 if lower else 1.0
    x = sign * np.array([at_small[name].means[0] for name in shared])
    y = sign * np.array([at_large[name].means[0] for name in shared])
    if min(len(np.unique(x)), len(np.unique(y))) < 3:
        return f"{label}: fewer than three different scores at one of the scales."
    return Step(
        small=small.table.scale,
        large=large.table.scale,
        small_axis=f"{small.metrics[0].heading} at {small.table.scale}",
        large_axis=f"{large.metrics[0].heading} at {large.table.scale}",
        points=tuple(Point(n, at_small[n].means[0], at_large[n].means[0]) for n in shared),
        transfer=rank_transfer(x, y, seed=SEED),
        curve=tuple(selective_curve(x, y)),
        ceiling=_ceiling(large, [at_large[name] for name in shared], y),
    )


def _ceiling(board: Board, rows: Sequence[Row], scores: np.ndarray) -> float | None:
    known = [board.scores[0].noise.variance(row.digest) for row in rows]
    if any(variance is None for variance in known):
        return None
    pairs = zip(known, rows, strict=True)
    return noise_ceiling(scores, np.array([v[0] / row.seeds for v, row in pairs if v is not None]))
