"""`assay plan`: runs, time, cost and detectable effect, before anything runs."""

import argparse
from typing import TYPE_CHECKING

from assay.cli import add_common
from assay.cli.output import emit

if TYPE_CHECKING:
    from assay.runner.forecast import Forecast, PlannedScale

TAKES_OVERRIDES = True

EXAMPLES = """examples:
  assay plan s.npy --track text --scales pico,nano --seeds 3
  assay plan oracle random no_filter --track text --scales pico,nano,micro --seeds 3 threads=1
  assay plan s.npy --scales nano --difference 0.01    # how many seeds find a difference so small
  assay plan s.npy --scales 1b-1x --json

Runs that have a record already are not counted; other overrides of conf/ (device, threads) are other runs.
Times come from this machine's own records where it has some, else from conf/costs.yaml; so does the price.
exit code: 2 where a submission is refused at a scale
"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the options."""
    parser.epilog = EXAMPLES
    parser.add_argument("submissions", nargs="+", metavar="SUB", help="lists of ids, or baselines")
    parser.add_argument("--track", default="text", help="default: text")
    parser.add_argument("--scales", default="nano", help="with commas; default: nano")
    parser.add_argument("--seeds", type=int, default=3, help="of each at each scale; default: 3")
    parser.add_argument(
        "--difference", type=float, metavar="D",
        help="say how many seeds find a difference of D in the ranking metric (power 0.8)",
    )  # fmt: skip
    add_common(parser)


def run(args: argparse.Namespace) -> int:
    """Forecast and answer."""
    from assay.cli.tracks import describe
    from assay.errors import SettingsError
    from assay.runner.forecast import forecast, forecast_scale
    from assay.settings import compose
    from assay.spec import plain
    from assay.track.load import load

    names = [scale for scale in args.scales.split(",") if scale]
    if not names or len(set(names)) < len(names):
        raise SettingsError(
            f"--scales {args.scales!r} has to name different scales; try --scales pico,nano"
        )
    if args.seeds < 1:
        raise SettingsError(f"--seeds {args.seeds}: at least one run is needed; try --seeds 3")
    if args.difference is not None and not args.difference > 0:
        raise SettingsError(
            f"--difference {args.difference:g}: a difference to find is above 0; try --difference 0.01"
        )
    settings = compose(args.overrides)
    words = list(dict.fromkeys(args.submissions))
    planned = []
    for name in names:
        loaded = load(args.track, name)
        about = describe(loaded)
        planned.append(
            forecast_scale(
                loaded,
                about,
                words,
                seeds=args.seeds,
                settings=settings,
                difference=args.difference,
            )
        )
    found = forecast(args.track, args.seeds, planned)
    emit(args, plain(found), lambda: render(found))
    return 0 if found.ok else 2


def render(found: "Forecast") -> str:
    """Return the plan for people: a table of scales, then what needs saying, then the total."""
    import io

    from rich import box
    from rich.console import Console
    from rich.table import Table

    table = Table(box=box.SIMPLE_HEAD, title_justify="left")
    table.title = (
        f"{found.track}, {found.seeds} seed{'s' * (found.seeds > 1)} each; nothing was run"
    )
    table.add_column("scale")
    for heading in ("to run", "finished", "one run", "time", "GPU-hours", "cost"):
        table.add_column(heading, justify="right", no_wrap=True)
    table.add_column("detectable difference", no_wrap=True)
    for scale in found.scales:
        table.add_row(*_cells(scale))
    if len(found.scales) > 1:
        table.add_section()
        quantities = (_time(found.seconds), _hours(found.gpu_hours), _money(found.usd))
        total = [str(found.to_run), str(found.finished), "", *quantities, ""]
        table.add_row("total", *total, style="bold")
    stream = io.StringIO()
    Console(file=stream, width=150).print(table)
    lines = [line.rstrip() for line in stream.getvalue().splitlines()]
    return "\n".join([*lines, *_notes(found)])


def _cells(scale: "PlannedScale") -> list[str]:
    each = f"{_time(scale.seconds_each)} {scale.expected_on}".strip()
    effects = "\n".join(f"{x:.4f} {name}" for name, x in scale.detectable.items() if x is not None)
    source = "as published, " * scale.published
    calibrated = f"{effects} ({source}{scale.degrees} df)" if effects else "not calibrated yet"
    return [
        scale.scale,
        str(scale.to_run),
        str(scale.finished),
        each,
        _time(scale.seconds),
        _hours(scale.gpu_hours),
        _money(scale.usd),
        calibrated,
    ]


def _notes(found: "Forecast") -> list[str]:
    lines = []
    for scale in found.scales:
        noted: dict[str, list[str]] = {}
        for one in scale.submissions:
            noted.setdefault(one.note, []).append(one.name)
        lines += [f"{scale.scale}: {note}: {', '.join(who)}" for note, who in noted.items() if note]
        if elsewhere := sum(one.elsewhere for one in scale.submissions):
            lines.append(
                f"{scale.scale}: {elsewhere} of those to run have a record under other settings or software "
                "(`threads`, `machine`, versions); their bits may differ, so they count as new"
            )
        for one in scale.submissions:
            if one.problem:
                lines.append(f"REFUSED at {scale.scale}: {one.name}: {one.problem}")
        if scale.calibration:
            lines.append(f"{scale.scale}: measure the noise first: {scale.calibration}")
        if scale.seeds_needed is not None:
            lines.append(f"{scale.scale}: {scale.seeds_needed} seeds a side find that difference")
        for metric, tasks in scale.noisy_tasks.items():
            if tasks:
                lines.append(f"{scale.scale}: marked as noise in {metric}: {', '.join(tasks)}")
    return lines


def _time(seconds: float | None) -> str:
    from assay.cli.tracks import duration

    return "unknown" if seconds is None else duration(seconds)


def _hours(hours: float | None) -> str:
    return "unknown" if hours is None else f"{hours:,.1f}" if hours else "-"


def _money(usd: float | None) -> str:
    return "-" if usd is None else f"${usd:,.2f}"
