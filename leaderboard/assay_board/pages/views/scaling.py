"""Across scales: score against compute, and whether a small scale orders methods as a large one does.

Curves and orders go over rungs, each of more compute than the one before. A scale of no compute of its own, as
one with other learning rates, is a twin: it is held against its own scale alone.
"""

from collections.abc import Iterable, Sequence
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
from assay_board.pages.ranking import Scores, rank_entries
from assay_board.pages.snapshot import Snapshot, Table
from assay_board.pages.views.board import Board, Row

CAPTION = "Score against the FLOPs of one run; ribbons are 95 % intervals of the mean over seeds."
FLOW_CAPTION = (
    "Order by mean score of the {count} methods shown that are at every scale, best on top. Places and 95 % rank "
    "intervals count these methods alone. A filled mark has its place for certain: its interval holds no other. A "
    "hollow one may change places with a neighbour."
)
LOW_LR = "-low-lr"
"""How the name of a scale ends that is another one at a tenth of its learning rates."""
SHOWN = 10
"""Methods in a figure."""
MOST_METHODS = 100
"""Methods that orders are compared of: the bootstrap looks at every pair of them."""


@dataclass(frozen=True)
class Twin:
    """A scale that has the compute of another one.

    Attributes:
        board: Of the twin.
        of: Name of its own scale.
        differs: How the two differ, in words.
        step: From its own scale to it; None where orders cannot be compared.
        note: Why not; empty where they are.
    """

    board: Board
    of: str
    differs: str
    step: Step | None
    note: str


@dataclass(frozen=True)
class ScalingPage:
    """What a track's scales say about each other.

    Attributes:
        track: Name.
        boards: Of the rungs, smallest compute first.
        twins: Scales that have no compute of their own.
        methods: Submissions that are at two rungs or more, by name.
        shown: How many of them the figures have.
        figures: With a table each.
        notes: What is missing, and why.
    """

    track: str
    boards: tuple[Board, ...]
    twins: tuple[Twin, ...]
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
    tables, others = _rungs(newest.values())
    twins = tuple(_twin(snapshot, cache, newest, tables, other) for other in others)
    boards = [cache.board(snapshot, table) for table in tables]
    methods = [_methods(board) for board in boards]
    several = sorted(
        {name for rows in methods for name in rows if sum(name in other for other in methods) > 1},
        key=lambda name: _order(name, boards, methods),
    )
    if len(boards) < 2 or len(several) < 2:
        note = "It takes two methods with runs at two scales of different compute; a method is told by its name."
        return ScalingPage(track, tuple(boards), twins, len(several), 0, (), (note,))
    figures, notes = _figures(track, boards, methods, several)
    shown = min(SHOWN, len(several))
    return ScalingPage(
        track, tuple(boards), twins, len(several), shown, tuple(figures), tuple(notes)
    )


def _rungs(tables: Iterable[Table]) -> tuple[list[Table], list[Table]]:
    """Part scales of strictly growing compute from those that have no compute of their own."""
    rungs: list[Table] = []
    others: list[Table] = []
    for table in sorted(tables, key=lambda t: t.by_compute):
        again = bool(rungs) and rungs[-1].training["flops"] == table.training["flops"]
        (others if again or table.scale.endswith(LOW_LR) else rungs).append(table)
    return rungs, others


def _twin(
    snapshot: Snapshot, cache: BoardCache, by_scale: dict[str, Table], rungs: Sequence[Table], twin: Table
) -> Twin:  # fmt: skip
    """Hold a twin's order against that of its own scale, or of the rung that has its compute."""
    board = cache.board(snapshot, twin)
    if twin.scale.endswith(LOW_LR):
        of, differs = (
            twin.scale.removesuffix(LOW_LR),
            "the same scale at a tenth of the learning rates",
        )
    else:
        of = next(t.scale for t in rungs if t.training["flops"] == twin.training["flops"])
        differs = "another scale of the same compute"
    if of not in by_scale:
        return Twin(board, of, differs, None, f"{twin.scale}: {of} has no runs to compare with.")
    own = cache.board(snapshot, by_scale[of])
    found = _step(own, _methods(own), board, _methods(board))
    if isinstance(found, str):
        return Twin(board, of, differs, None, found)
    return Twin(board, of, differs, found, "")


def _figures(
    track: str, boards: list[Board], methods: list[dict[str, Row]], several: list[str]
) -> tuple[list[Figure], list[str]]:
    # Evenly over the order: the best ten alone would hide that a scale orders good and bad rightly.
    shown = [
        several[i] for i in np.linspace(0, len(several) - 1, min(SHOWN, len(several))).astype(int)
    ]
    subject = _subject(track, boards, methods, shown)
    figures = [replace(scaling_figure(subject), caption=CAPTION)]
    everywhere = [name for name in shown if all(name in rows for rows in methods)]
    # The names of both figures, so that a method has one colour on the page.
    flowing = replace(_subject(track, boards, methods, everywhere), names=subject.names)
    if flow := flow_figure(flowing):
        figures.append(replace(flow, caption=FLOW_CAPTION.format(count=len(everywhere))))
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


def _subject(
    track: str, boards: list[Board], methods: list[dict[str, Row]], names: Sequence[str]
) -> Subject:
    """Return these methods as figures read them."""
    compared = [_compared(b, m, names) for b, m in zip(boards, methods, strict=True)]
    scores = [_scores(track, b, c) for b, c in zip(boards, compared, strict=True)]
    return Subject.of(Comparison(track, tuple(compared), (), None), scores)


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
    entries = _entries(board, [methods[name] for name in shown if name in methods])
    best = [row.name for row in board.ranked[:2]] + ["", ""]
    return ScaleComparison(
        label=board.table.label,
        scale=board.table.scale,
        sealed=board.table.sealed,
        metric=board.metrics[0],
        pooled_sd=noise.sd,
        degrees=noise.degrees,
        stability=None,
        lead=Lead(best[0], best[1], None, None),
        entries=entries,
        missing=tuple(name for name in shown if name not in methods),
    )


def _entries(board: Board, rows: Sequence[Row]) -> tuple[Compared, ...]:
    """Rank some of a board's rows among themselves, by the noise of the whole board."""
    whole = board.scores[0]
    place = {digest: i for i, digest in enumerate(whole.noise.values)}
    at = np.array([place[row.digest] for row in rows], dtype=np.int64)
    part = Scores(whole.noise, whole.mean[at], whole.own[at], whole.error[at], whole.degrees[at])
    ranks = rank_entries(part, lower_is_better=board.metrics[0].lower_is_better)
    columns = (ranks.rank, ranks.low, ranks.high, ranks.p_best)
    numbers = zip(*(column.tolist() for column in columns), strict=True)
    return tuple(_entry(row, *found) for row, found in zip(rows, numbers, strict=True))


def _entry(row: Row, rank: int, low: int, high: int, p_best: float) -> Compared:
    return Compared(
        name=row.name,
        # Of one name, one method: figures join a method's scales by what they are told here.
        submission=row.name,
        seeds=row.seeds,
        mean=row.means[0],
        sd=None,
        half_width=row.half_widths[0],
        keeps_own_variance=row.noisy,
        rank=rank or None,
        interval=RankInterval(low, low, high, p_best, 0.0) if rank else None,
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
