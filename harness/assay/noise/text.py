"""The noise of a scale for a terminal, and as CSV."""

import csv
import io

from rich import box
from rich.console import Console
from rich.table import Table

from assay.noise.marks import Marks
from assay.noise.measure import MetricNoise, NoiseReport, SeedNoise, TaskNoise
from assay.stats.signal import LOWEST_RATIO, Signal

WIDTH = 150
UNKNOWN = "-"
COLUMNS: tuple[str, ...] = (
    "table", "metric", "task", "mean", "sd", "degrees", "sd_low", "sd_high", "item_se", "submissions",
    "spread", "range_ratio", "between_sd", "signal_to_noise", "at_chance", "dead",
    "mde_1", "mde_2", "mde_3", "mde_5", "mde_10",
)  # fmt: skip


def noise_text(report: NoiseReport, marks: Marks | None) -> str:
    """Return the tables of both metrics."""
    stream = io.StringIO()
    console = Console(file=stream, width=WIDTH)
    seal = "" if report.sealed else "  UNSEALED"
    seeds = ", ".join(f"{name} {count}" for name, count in report.seeds.items())
    console.print(f"{report.label}{seal}   seeds by submission: {seeds}", highlight=False)
    for found in report.metrics:
        console.print(_table(found))
        if found.noise.sd is not None:
            console.print(_effects(found))
        for note in _notes(found):
            console.print(note, highlight=False)
    console.print(_marked(marks), highlight=False)
    return "\n".join(line.rstrip() for line in stream.getvalue().splitlines()) + "\n"


def _table(found: MetricNoise) -> Table:
    table = Table(
        title=f"{found.metric.heading}: noise and signal", title_justify="left", box=box.SIMPLE_HEAD
    )
    table.add_column("task", no_wrap=True)
    headings = (
        "mean", "seed sd", "95 % interval", "df", "item se", "largest gap", "gap / sd", "signal / noise",
    )  # fmt: skip
    for heading in headings:
        table.add_column(heading, justify="right")
    table.add_column("")
    for task in found.tasks:
        table.add_row(
            task.task, f"{task.mean:.4f}", *_cells(task.noise, task.signal), _verdict(task)
        )
    table.add_section()
    table.add_row("all tasks", "", *_cells(found.noise, found.signal), "", style="bold")
    return table


def _verdict(task: TaskNoise) -> str:
    return f"DEAD: {task.dead}" if task.dead else ""


def _cells(noise: SeedNoise, signal: Signal | None) -> list[str]:
    own = "*" if noise.noisier else ""
    interval = UNKNOWN if noise.low is None else f"{noise.low:.4f}-{noise.high:.4f}"
    return [
        number(noise.sd) + own,
        interval,
        str(noise.degrees),
        number(noise.item_se),
        number(signal.spread if signal else None),
        number(signal.range_ratio if signal else None, 1),
        number(signal.ratio if signal else None, 1),
    ]


def number(value: float | None, digits: int = 4) -> str:
    """Return a number with so many decimals, or a dash."""
    return UNKNOWN if value is None else f"{value:.{digits}f}"


def _effects(found: MetricNoise) -> Table:
    table = Table(
        title=f"{found.metric.heading}: smallest difference that is found (power 0.8)",
        title_justify="left",
        box=box.SIMPLE,
    )
    table.add_column("seeds a submission")
    for effect in found.detectable:
        table.add_column(str(effect.seeds), justify="right")
    table.add_row("against as many", *(number(e.against_equal) for e in found.detectable))
    table.add_row(
        "against the most seeds here", *(number(e.against_most) for e in found.detectable)
    )
    return table


def _notes(found: MetricNoise) -> list[str]:
    notes = []
    noisier = dict.fromkeys(
        name for noise in (found.noise, *(t.noise for t in found.tasks)) for name in noise.noisier
    )
    if noisier:
        notes.append(f"* left out of the pool, noisier than the others: {', '.join(noisier)}")
    if found.noise.sd is None:
        notes.append("one seed each: no noise estimate; add --seeds 10")
    elif found.signal is None:
        notes.append("one submission: no signal to hold against the noise; add --submission random")
    dead = [task.task for task in found.tasks if task.dead]
    if dead:
        notes.append(
            f"{len(dead)} of {len(found.tasks)} tasks tell nothing here (at chance, or signal-to-noise "
            f"under {LOWEST_RATIO:g}): {', '.join(dead)}"
        )
    return notes


def _marked(marks: Marks | None) -> str:
    if marks is None:
        return "no tasks are marked at this scale; mark the dead ones with --mark"
    told = "; ".join(
        f"{metric}: {', '.join(tasks) or 'none'}" for metric, tasks in marks.tasks.items()
    )
    return f"marked (from {marks.runs} runs of {marks.submissions} submissions): {told}"


def noise_csv(report: NoiseReport) -> str:
    """Return one row a metric, `task` empty, and one a task of it."""
    stream = io.StringIO()
    writer = csv.DictWriter(stream, COLUMNS, restval="", lineterminator="\n")
    writer.writeheader()
    for found in report.metrics:
        about = {"table": report.label, "metric": found.metric.name}
        effects = {f"mde_{e.seeds}": e.against_equal for e in found.detectable}
        writer.writerow(about | _numbers(found.noise, found.signal) | effects)
        for task in found.tasks:
            verdict = {"at_chance": task.at_chance, "dead": task.dead}
            row = about | {"task": task.task, "mean": task.mean} | verdict
            writer.writerow(row | _numbers(task.noise, task.signal))
    return stream.getvalue()


def _numbers(noise: SeedNoise, signal: Signal | None) -> dict[str, float | int | None]:
    numbers: dict[str, float | int | None] = {
        "sd": noise.sd,
        "degrees": noise.degrees,
        "sd_low": noise.low,
        "sd_high": noise.high,
        "item_se": noise.item_se,
    }
    if signal is not None:
        numbers |= {
            "submissions": signal.n,
            "spread": signal.spread,
            "range_ratio": signal.range_ratio,
            "between_sd": signal.between_sd,
            "signal_to_noise": signal.ratio,
        }
    return numbers
