"""The board: a pure function of records. Rows of different seals never share a table."""

import csv
import io
from collections import defaultdict
from dataclasses import dataclass
from typing import Any

from assay.stats.noise import half_width, pooled_sd


@dataclass(frozen=True)
class Metric:
    """A primary metric.

    Attributes:
        name: As records have it.
        heading: For people.
        lower_is_better: Its direction.
    """

    name: str
    heading: str
    lower_is_better: bool = False


PRIMARY_METRICS = {
    "text": (
        Metric("bits_per_byte", "bits/byte", lower_is_better=True),
        Metric("centered_accuracy", "centered acc"),
    ),
    "clip": (Metric("average", "average"), Metric("centered_average", "centered avg")),
}
"""By modality; the first ranks."""


@dataclass(frozen=True)
class Estimate:
    """One metric of one submission over its seeds.

    Attributes:
        mean: Over seeds.
        sd: Sample standard deviation over seeds; None with a single seed.
        half_width: Half of the 95 % interval, from the table's pooled variance; None where no
            submission in the table has two seeds.
    """

    mean: float
    sd: float | None
    half_width: float | None


@dataclass(frozen=True)
class Row:
    """One submission.

    Attributes:
        rank: 1 is best by the first primary metric.
        name: As the participant gave it, or the first digits of the digest.
        submission: Digest.
        seeds: How many seeds were scored.
        estimates: By metric.
        unique_frac: Distinct examples over pool size.
        repeats: Budget over selected tokens or samples.
    """

    rank: int
    name: str
    submission: str
    seeds: int
    estimates: dict[str, Estimate]
    unique_frac: float
    repeats: float


@dataclass(frozen=True)
class Table:
    """All submissions under one seal.

    Attributes:
        label: `track/scale@version`.
        seal: What the scores were measured under.
        pool: Root of the pool.
        suite_data: Digest of the evaluation files; empty where the seal pins them.
        sealed: False where a track's files differ from its recorded seal.
        degrees: Degrees of freedom of the pooled variance.
        metrics: The two primary ones.
        pooled_sd: By metric; None where no submission has two seeds.
        rows: Best first.
    """

    label: str
    seal: str
    pool: str
    suite_data: str
    sealed: bool
    degrees: int
    metrics: tuple[Metric, ...]
    pooled_sd: dict[str, float | None]
    rows: list[Row]


Key = tuple[str, str, str, bool]
"""Seal, pool, evaluation files, and whether the seal is recorded: rows share a table under one alone."""


Groups = dict[str, dict[int, dict[str, Any]]]
"""Submission digest to seed to record."""


def group_records(records: list[dict[str, Any]]) -> dict[Key, Groups]:
    """Group records by seal and submission; of several records of one run the newest counts."""
    runs: dict[Key, Groups] = {}
    for record in records:
        track = record["track"]
        # Scores on different pools or items under one seal (published scales) do not compare either.
        data = record["digests"].get("suite_data", "")
        key = (track["seal"], record["digests"]["pool"], data, track["sealed"])
        table = runs.setdefault(key, defaultdict(dict))
        table[record["submission"]["digest"]][record["seed"]] = record
    return runs


def build_board(records: list[dict[str, Any]]) -> list[Table]:
    """Rank the submissions of each group of comparable records."""
    tables = [_table(key, groups) for key, groups in group_records(records).items()]
    return sorted(tables, key=lambda t: (t.label, t.seal, t.pool, t.suite_data))


def group_label(groups: Groups) -> str:
    """Return `track/scale@version` of a group."""
    track = _newest_record(groups)["track"]
    return f"{track['name']}/{track['scale']}@{track['version']}"


def submission_name(groups: Groups, submission: str) -> str:
    """Return a submission's name as the participant gave it last, or the first digits of its digest."""
    record = next(reversed(groups[submission].values()))
    return record["submission"]["manifest"].get("name") or submission.removeprefix("sha256:")[:12]


def _table(key: Key, groups: Groups) -> Table:
    metrics = PRIMARY_METRICS[_newest_record(groups)["track"]["modality"]]
    names = [metric.name for metric in metrics]
    values = {
        name: {s: [r["metrics"][name] for r in seeds.values()] for s, seeds in groups.items()}
        for name in names
    }
    pooled = {
        metric: pooled_sd(list(by_submission.values())) for metric, by_submission in values.items()
    }
    degrees = pooled[names[0]][1]
    sign = 1 if metrics[0].lower_is_better else -1
    order = sorted(groups, key=lambda s: sign * sum(values[names[0]][s]) / len(groups[s]))
    rows = []
    for rank, submission in enumerate(order, start=1):
        record = next(reversed(groups[submission].values()))
        estimates = {m: _estimate(values[m][submission], pooled[m]) for m in names}
        info = record["submission"]
        rows.append(
            Row(
                rank=rank,
                name=submission_name(groups, submission),
                submission=submission,
                seeds=len(groups[submission]),
                estimates=estimates,
                unique_frac=info["unique"] / info["pool_n"],
                repeats=info["repeats"],
            )
        )
    sds = {name: pooled[name][0] for name in names}
    seal, pool, suite_data, sealed = key
    label = group_label(groups)
    return Table(label, seal, pool, suite_data, sealed, degrees, metrics, sds, rows)


def _newest_record(groups: Groups) -> dict[str, Any]:
    records = [record for seeds in groups.values() for record in seeds.values()]
    return max(records, key=lambda record: record["clock"]["finished"])


def metrics_of(record: dict[str, Any]) -> tuple[str, ...]:
    """Return the names of the primary metrics of a record's modality, the ranking one first."""
    return tuple(metric.name for metric in PRIMARY_METRICS[record["track"]["modality"]])


def headline(record: dict[str, Any]) -> str:
    """Return a record's primary metrics on one line."""
    metrics = PRIMARY_METRICS[record["track"]["modality"]]
    return ", ".join(f"{record['metrics'][m.name]:.4f} {m.heading}" for m in metrics)


def _estimate(values: list[float], pooled: tuple[float | None, int]) -> Estimate:
    mean = sum(values) / len(values)
    own, _ = pooled_sd([values])
    return Estimate(mean, own, half_width(*pooled, len(values)))


def board_json(tables: list[Table]) -> dict[str, Any]:
    """Return the board as one JSON document."""
    from assay.spec import plain

    return {"tables": [plain(table) for table in tables]}


def board_csv(tables: list[Table]) -> str:
    """Return all tables as one CSV, a row a submission; metrics that a table lacks stay empty."""
    stream = io.StringIO()
    writer = csv.writer(stream, lineterminator="\n")
    tables_metrics = (metric.name for table in tables for metric in table.metrics)
    names = list(dict.fromkeys(tables_metrics))
    columns = [f"{name}{part}" for name in names for part in ("", "_sd", "_half_width")]
    writer.writerow(
        [
            "table",
            "sealed",
            "pool",
            "rank",
            "name",
            "submission",
            "seeds",
            *columns,
            "unique_frac",
            "repeats",
        ]
    )
    for table in tables:
        for row in table.rows:
            numbers: list[float | None] = []
            for name in names:
                found = row.estimates.get(name)
                numbers += [found.mean, found.sd, found.half_width] if found else [None] * 3
            writer.writerow(
                [
                    table.label,
                    table.sealed,
                    table.pool,
                    row.rank,
                    row.name,
                    row.submission,
                    row.seeds,
                ]
                + ["" if x is None else repr(x) for x in numbers]
                + [repr(row.unique_frac), repr(row.repeats)]
            )
    return stream.getvalue()


def board_text(tables: list[Table]) -> str:
    """Return the tables for a terminal."""
    from rich import box
    from rich.console import Console
    from rich.table import Table as RichTable

    if not tables:
        return "no records yet; make one with: assay score s.npy --track text --scale pico\n"
    stream = io.StringIO()
    console = Console(file=stream, width=110)
    for table in tables:
        drawn = RichTable(title=_title(table), title_justify="left", box=box.SIMPLE_HEAD)
        drawn.add_column("#", justify="right")
        drawn.add_column("name")
        for metric in table.metrics:
            arrow = "↓" if metric.lower_is_better else "↑"
            drawn.add_column(f"{metric.heading} {arrow}", justify="right")
        for heading in ("seeds", "of pool", "repeats"):
            drawn.add_column(heading, justify="right")
        drawn.add_column("submission")
        for row in table.rows:
            drawn.add_row(
                str(row.rank),
                row.name,
                *(_number(row.estimates[metric.name]) for metric in table.metrics),
                str(row.seeds),
                f"{row.unique_frac:.1%}",
                f"{row.repeats:.2f}",
                row.submission.removeprefix("sha256:")[:12],
            )
        console.print(drawn)
    return stream.getvalue()


def _title(table: Table) -> str:
    sds = [(table.pooled_sd[metric.name], metric.heading) for metric in table.metrics]
    known = ", ".join(f"{sd:.4f} {heading}" for sd, heading in sds if sd is not None)
    noise = (
        f"pooled sd {known}, {table.degrees} degrees of freedom"
        if known
        else "one seed each: no noise estimate"
    )
    return (
        f"{table.label}, pool {table.pool[7:15]}{'' if table.sealed else '  UNSEALED'}   ({noise})"
    )


def _number(estimate: Estimate) -> str:
    if estimate.half_width is None:
        return f"{estimate.mean:.4f}"
    return f"{estimate.mean:.4f} ± {estimate.half_width:.4f}"
