"""The board: a pure function of records. Rows of different seals never share a table."""

import csv
import io
import math
from collections import defaultdict
from dataclasses import dataclass
from typing import Any

METRICS = ("bits_per_byte", "centered_accuracy")
"""The two primary metrics; lower bits per byte is better, higher accuracy is."""


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
        rank: 1 is best by bits per byte.
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
        sealed: False where a track's files differ from its recorded seal.
        degrees: Degrees of freedom of the pooled variance.
        pooled_sd: By metric; None where no submission has two seeds.
        rows: Best first.
    """

    label: str
    seal: str
    sealed: bool
    degrees: int
    pooled_sd: dict[str, float | None]
    rows: list[Row]


def build_board(records: list[dict[str, Any]]) -> list[Table]:
    """Group records by seal and submission; of several records of one run the newest counts."""
    runs: dict[tuple[str, bool], dict[str, dict[int, dict[str, Any]]]] = {}
    labels: dict[tuple[str, bool], str] = {}
    for record in records:
        track = record["track"]
        # Scores on different pools under one seal (published scales) are not comparable either.
        key = (f"{track['seal']}/{record['digests']['pool']}", track["sealed"])
        labels[key] = f"{track['name']}/{track['scale']}@{track['version']}"
        table = runs.setdefault(key, defaultdict(dict))
        table[record["submission"]["digest"]][record["seed"]] = record
    tables = [_table(labels[key], key, groups) for key, groups in runs.items()]
    return sorted(tables, key=lambda table: (table.label, table.seal))


def pooled_sd(samples: list[list[float]]) -> tuple[float | None, int]:
    """Return the pooled standard deviation over groups and its degrees of freedom.

    Source:
        `sum((n_s - 1) s_s^2) / sum(n_s - 1)`, the estimate that one-way ANOVA uses.
    """
    degrees = sum(len(group) - 1 for group in samples)
    if degrees == 0:
        return None, 0
    squares = sum(sum((x - sum(g) / len(g)) ** 2 for x in g) for g in samples)
    return math.sqrt(squares / degrees), degrees


def half_width(sd: float | None, degrees: int, n: int, confidence: float = 0.95) -> float | None:
    """Return half of the t interval of a mean of `n` values under a pooled deviation."""
    if sd is None:
        return None
    from scipy.stats import t

    return float(t.ppf(0.5 + confidence / 2, degrees)) * sd / math.sqrt(n)


def _table(
    label: str, key: tuple[str, bool], groups: dict[str, dict[int, dict[str, Any]]]
) -> Table:
    values = {
        metric: {s: [r["metrics"][metric] for r in seeds.values()] for s, seeds in groups.items()}
        for metric in METRICS
    }
    pooled = {
        metric: pooled_sd(list(by_submission.values())) for metric, by_submission in values.items()
    }
    degrees = pooled[METRICS[0]][1]
    order = sorted(groups, key=lambda s: sum(values["bits_per_byte"][s]) / len(groups[s]))
    rows = []
    for rank, submission in enumerate(order, start=1):
        record = next(reversed(groups[submission].values()))
        estimates = {m: _estimate(values[m][submission], pooled[m]) for m in METRICS}
        info = record["submission"]
        rows.append(
            Row(
                rank=rank,
                name=info["manifest"].get("name") or submission.removeprefix("sha256:")[:12],
                submission=submission,
                seeds=len(groups[submission]),
                estimates=estimates,
                unique_frac=info["unique"] / info["pool_n"],
                repeats=info["repeats"],
            )
        )
    return Table(
        label, key[0].split("/")[0], key[1], degrees, {m: pooled[m][0] for m in METRICS}, rows
    )


def _estimate(values: list[float], pooled: tuple[float | None, int]) -> Estimate:
    mean = sum(values) / len(values)
    own, _ = pooled_sd([values])
    return Estimate(mean, own, half_width(*pooled, len(values)))


def board_json(tables: list[Table]) -> dict[str, Any]:
    """Return the board as one JSON document."""
    from assay.spec import plain

    return {"tables": [plain(table) for table in tables]}


def board_csv(tables: list[Table]) -> str:
    """Return all tables as one CSV, a row a submission."""
    stream = io.StringIO()
    writer = csv.writer(stream, lineterminator="\n")
    columns = [f"{metric}{part}" for metric in METRICS for part in ("", "_sd", "_half_width")]
    writer.writerow(
        [
            "table",
            "sealed",
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
            for metric in METRICS:
                estimate = row.estimates[metric]
                numbers += [estimate.mean, estimate.sd, estimate.half_width]
            writer.writerow(
                [table.label, table.sealed, row.rank, row.name, row.submission, row.seeds]
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
        for heading, justify in _COLUMNS:
            drawn.add_column(heading, justify=justify)
        for row in table.rows:
            drawn.add_row(
                str(row.rank),
                row.name,
                _number(row.estimates["bits_per_byte"]),
                _number(row.estimates["centered_accuracy"]),
                str(row.seeds),
                f"{row.unique_frac:.1%}",
                f"{row.repeats:.2f}",
                row.submission.removeprefix("sha256:")[:12],
            )
        console.print(drawn)
    return stream.getvalue()


_COLUMNS: tuple[tuple[str, Any], ...] = (
    ("#", "right"),
    ("name", "left"),
    ("bits/byte ↓", "right"),
    ("centered acc ↑", "right"),
    ("seeds", "right"),
    ("of pool", "right"),
    ("repeats", "right"),
    ("submission", "left"),
)


def _title(table: Table) -> str:
    sd = table.pooled_sd["bits_per_byte"]
    noise = (
        "one seed each: no noise estimate"
        if sd is None
        else f"pooled sd {sd:.4f} bits/byte, {table.pooled_sd['centered_accuracy']:.4f} accuracy, "
        f"{table.degrees} degrees of freedom"
    )
    return f"{table.label}{'' if table.sealed else '  UNSEALED'}   ({noise})"


def _number(estimate: Estimate) -> str:
    if estimate.half_width is None:
        return f"{estimate.mean:.4f}"
    return f"{estimate.mean:.4f} ± {estimate.half_width:.4f}"
