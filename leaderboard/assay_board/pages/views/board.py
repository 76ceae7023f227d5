"""A board: the rows of one table, ranked."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from scipy.special import stdtrit

from assay.board import Metric
from assay.ledger import RANKED_LEVELS
from assay.stats.noise import half_width
from assay.stats.power import minimal_detectable_effect
from assay_board.pages.ranking import Ranks, Scores, measure, rank_entries
from assay_board.pages.snapshot import Entrant, Run, Snapshot, Table

STATES = ("ranked", "unranked", "retracted")
DIGITS = 4
"""Of a score whose noise is unknown."""


@dataclass(frozen=True)
class Row:
    """One submission on a board. What is unknown is None.

    Attributes:
        state: One of `STATES`; only the first have a rank.
        digest: Of the submission.
        name: As corrected.
        rank: 1 + number of significantly better ones.
        low: Best end of the 95 % rank interval.
        high: Its worst end.
        p_best: Chance of being the best.
        means: Of both primary metrics, over the seeds that count.
        half_widths: Of their 95 % intervals.
        seeds: How many count.
        level: The highest that the submission has; only runs of this level count.
        unique: Distinct examples.
        unique_frac: Of the pool.
        repeats: Budget over selected tokens or samples.
        curation_seconds: As declared.
        noisy: Whether it keeps its own variance, being noisier than the others.
        reason: Why it was retracted, or empty.
        entered: When its first run came in, of those that may be ranked if there are any.
    """

    state: str
    digest: str
    name: str
    rank: int | None
    low: int | None
    high: int | None
    p_best: float | None
    means: tuple[float, float]
    half_widths: tuple[float | None, float | None]
    seeds: int
    level: str
    unique: int
    unique_frac: float
    repeats: float
    curation_seconds: float | None
    noisy: bool
    reason: str
    entered: str

    @property
    def tied(self) -> bool:
        """Whether nobody is significantly better; of a noisy one that says too little to call it a tie."""
        return self.rank == 1 and not self.noisy


@dataclass(frozen=True, eq=False)
class Board:
    """A ranked table.

    Attributes:
        table: That it is of.
        snapshot: Of the ledger, that it was made from.
        rows: Ranked ones by mean, then unranked, then retracted.
        scores: Of both primary metrics, over the ranked rows.
        digits: Decimals that the noise leaves of each metric.
        typical_seeds: Median over the ranked rows; 0 without any.
        detectable: Smallest true difference of the ranking metric that two such entries show with power 0.8.
        domain: Range in which intervals are drawn.
    """

    table: Table
    snapshot: Snapshot
    rows: tuple[Row, ...]
    scores: tuple[Scores, Scores]
    digits: tuple[int, int]
    typical_seeds: int
    detectable: float | None
    domain: tuple[float, float]

    @property
    def size(self) -> int:
        """Return how many entries of the ledger it has seen."""
        return self.snapshot.size

    @property
    def metrics(self) -> tuple[Metric, ...]:
        """Return the primary metrics, the ranking one first."""
        return self.table.metrics

    @property
    def ranked(self) -> list[Row]:
        """Return the rows that have a rank."""
        return [row for row in self.rows if row.state == "ranked"]

    def row(self, digest: str) -> Row | None:
        """Return a submission's row."""
        return next((row for row in self.rows if row.digest == digest), None)


def counted(snapshot: Snapshot, entrant: Entrant) -> tuple[str, tuple[Run, ...], str]:
    """Return a submission's state, the runs that its score rests on, and why it was retracted.

    Runs of its highest level count alone: fresh seeds replace those that it was chosen by.
    """
    retracted = snapshot.standing.retracted
    left = [run for run in entrant.runs if run.digest not in retracted]
    notice = retracted.get(entrant.digest)
    if notice is None and not left:
        notice = retracted[entrant.runs[-1].digest]
    runs = left or list(entrant.runs)
    for level in reversed(RANKED_LEVELS):
        found = tuple(run for run in runs if run.level == level)
        if found:
            state = "ranked"
            break
    else:
        found, state = tuple(run for run in runs if run.level == runs[-1].level), "unranked"
    # Rerun and official may share a seed no more than two reruns may: the newest of a seed counts.
    by_seed = tuple({run.seed: run for run in found}.values())
    return ("retracted", by_seed, notice.reason) if notice else (state, by_seed, "")


def build_board(snapshot: Snapshot, table: Table) -> Board:
    """Rank a table's submissions; rows of other levels and retracted ones are listed below."""
    judged = [(e, *counted(snapshot, e)) for e in table.entrants.values()]
    ranked = [(e, runs) for e, state, runs, _ in judged if state == "ranked"]
    names = [e.digest for e, _ in ranked]
    first, second = (
        measure(names, [[run.values[i] for run in runs] for _, runs in ranked]) for i in (0, 1)
    )
    ranks = rank_entries(first, lower_is_better=table.metrics[0].lower_is_better)
    place = {digest: i for i, digest in enumerate(names)}
    rows = [
        _row(snapshot, entrant, state, runs, reason, (first, second), ranks, place)
        for entrant, state, runs, reason in judged
    ]
    sign = 1 if table.metrics[0].lower_is_better else -1
    rows.sort(key=lambda row: (STATES.index(row.state), sign * row.means[0], row.digest))
    seeds = sorted(row.seeds for row in rows if row.state == "ranked")
    typical = seeds[len(seeds) // 2] if seeds else 0
    return Board(
        table=table,
        snapshot=snapshot,
        rows=tuple(rows),
        scores=(first, second),
        digits=(_digits(first, typical), _digits(second, typical)),
        typical_seeds=typical,
        detectable=_detectable(first, typical),
        domain=_domain(rows),
    )


def _row(
    snapshot: Snapshot, entrant: Entrant, state: str, runs: Sequence[Run], reason: str,
    scores: tuple[Scores, Scores], ranks: Ranks, place: Mapping[str, int],
) -> Row:  # fmt: skip
    about = entrant.about
    manifest = snapshot.manifest(entrant)
    means = tuple(math.fsum(run.values[i] for run in runs) / len(runs) for i in (0, 1))
    i = place.get(entrant.digest)
    known = i is not None and ranks.rank[i] > 0
    widths = tuple(_half_width(metric, i, len(runs)) for metric in scores)
    return Row(
        state=state,
        digest=entrant.digest,
        name=str(manifest.get("name") or entrant.digest[7:19]),
        rank=int(ranks.rank[i]) if known else None,
        low=int(ranks.low[i]) if known else None,
        high=int(ranks.high[i]) if known else None,
        p_best=float(ranks.p_best[i]) if known else None,
        means=(means[0], means[1]),
        half_widths=(widths[0], widths[1]),
        seeds=len(runs),
        level=runs[-1].level,
        unique=about["unique"],
        unique_frac=about["unique"] / about["pool_n"],
        repeats=about["repeats"],
        curation_seconds=manifest.get("curation_seconds"),
        noisy=i is not None and bool(scores[0].own[i]),
        reason=reason,
        entered=next(
            (r.time for r in entrant.runs if r.level in RANKED_LEVELS), entrant.runs[0].time
        ),
    )


def _half_width(scores: Scores, i: int | None, seeds: int) -> float | None:
    """Return a row's half width; one that is not ranked borrows the noise of those that are."""
    if i is None:
        return half_width(scores.noise.sd, scores.noise.degrees, seeds)
    width = float(stdtrit(scores.degrees[i], 0.975) * scores.error[i])
    return None if math.isnan(width) else width


def _digits(scores: Scores, seeds: int) -> int:
    """Return the decimals that show two digits of a half width."""
    noise = scores.noise
    width = half_width(noise.sd, noise.degrees, seeds) if seeds else None
    return min(max(1 - math.floor(math.log10(width)), 0), 6) if width else DIGITS


def _detectable(scores: Scores, seeds: int) -> float | None:
    if scores.noise.sd is None or not seeds:
        return None
    effect = minimal_detectable_effect(seeds, seeds, degrees=scores.noise.degrees)
    return None if effect is None else effect * scores.noise.sd


def _domain(rows: Sequence[Row]) -> tuple[float, float]:
    """Return a range that holds the ranked rows' intervals; a noisy one's may stick out."""
    shown = [row for row in rows if row.state == "ranked"] or list(rows)
    ends = [
        row.means[0] + side * (row.half_widths[0] or 0.0) * (not row.noisy)
        for row in shown
        for side in (-1, 1)
    ]
    low, high = (float(np.min(ends)), float(np.max(ends))) if ends else (0.0, 1.0)
    return (low, high) if high > low else (low - 0.5, high + 0.5)
