"""`assay reproduce`: score every baseline of a track and hold them against the expected scores."""

import argparse
from pathlib import Path
from typing import TYPE_CHECKING

from assay.cli import add_common
from assay.cli.output import emit
from assay.cli.pools import align

if TYPE_CHECKING:
    from assay.reproduce.table import ReferenceTable, Reproduced, ReproducedBaseline

TAKES_OVERRIDES = True

EXAMPLES = """examples:
  assay reproduce --track text --scale nano --seeds 3 threads=1
  assay reproduce --track text --scale nano --seeds 3 --out results.html   # and .md, .json, results/*.csv
  assay reproduce --track text --scale pico --only oracle,random
  assay reproduce --track clip --scale nano --dry-run         # runs, time, cost; nothing is run
  assay reproduce --track text --also 'ccnet_perplexity:band=middle' --also 'qurating_lite:curriculum=rising'
  assay reproduce --track text --scale nano --write-expected  # make these scores the expected ones

Runs that have a record are not repeated, so that the same command goes on after an interruption. A baseline
deviates where its mean is farther from the expected one than seeds bring it in 99 of 100 cases, or where it
makes another list without a model that was fitted in place. The expected scores are in the track's folder:
expected/SCALE.json. A claim is reproduced or refuted where the difference to the baseline that it names is significant at 5 %, by Holm's method over all claims.
clean, on embedded pools, is the share of what a list shows that has no planted defect, which no baseline can see.
network is the own accuracy of the network that a baseline chooses by: the share of images, of pairs that it did not
learn from, whose caption it puts first. A good filter need not be the more accurate network.
exit code: 1 where one deviates
"""

REFITTED = "other examples than expected, by models that are fitted in place, which processors of another kind round otherwise"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the options."""
    parser.epilog = EXAMPLES
    parser.add_argument("--track", default="text", help="default: text")
    parser.add_argument("--scale", default="nano", help="default: nano; see: assay tracks")
    parser.add_argument("--seeds", type=int, default=3, help="of each baseline; default: 3")
    parser.add_argument("--only", default="", metavar="A,B", help="these baselines alone")
    parser.add_argument(
        "--also",
        action="append",
        default=[],
        metavar="NAME:KEY=VALUE",
        help="and this baseline with this setting, in a row of its own; with several: 'NAME:K=V K=V'; repeatable",
    )
    parser.add_argument("--dry-run", action="store_true", help="say what would run, and stop")
    parser.add_argument(
        "--write-expected", action="store_true", help="make these scores the expected ones"
    )
    parser.add_argument(
        "--out",
        type=Path,
        metavar="FILE",
        help="also write the results: a page (.html), .md or .json",
    )
    add_common(parser)


def run(args: argparse.Namespace) -> int:
    """Reproduce and answer."""
    from assay.errors import SettingsError
    from assay.reproduce.expected import read_expected, write_expected
    from assay.reproduce.run import choose_baselines, score_baselines
    from assay.reproduce.table import reference_table
    from assay.settings import compose
    from assay.spec import plain
    from assay.strategy.cards import cards
    from assay.track.load import load

    if args.seeds < (least := 2 if args.write_expected else 1):
        reason = "expected scores need" if args.write_expected else "there has to be"
        raise SettingsError(f"--seeds {args.seeds}: {reason} at least {least}; try --seeds 3")
    if args.also and args.write_expected:
        raise SettingsError(
            "--also with --write-expected: scores are expected of baselines as they are; leave out one of the two"
        )
    if args.out is not None:
        from assay.report.results import check_results_path

        check_results_path(args.out)
    settings = compose(args.overrides)
    loaded = load(args.track, args.scale)
    only = [name for name in args.only.split(",") if name]
    baselines = choose_baselines(loaded, only, args.also)
    if args.dry_run:
        from assay.cli.plan import render as render_plan
        from assay.cli.tracks import describe
        from assay.runner.forecast import forecast, forecast_scale

        names, about = [baseline.name for baseline in baselines], describe(loaded)
        planned = forecast_scale(loaded, about, names, seeds=args.seeds, settings=settings)
        found = forecast(args.track, args.seeds, [planned])
        emit(args, plain(found), lambda: render_plan(found))
        return 0
    scored = score_baselines(loaded, baselines, seeds=args.seeds, settings=settings)
    if args.write_expected:
        write_expected(loaded, scored.pool, scored.records)
    expected = read_expected(loaded, scored.pool)
    claims = {card.name: card.ranks for card in cards(loaded.modality)}
    table = reference_table(
        loaded,
        scored.pool,
        scored.records,
        expected,
        scored.skipped,
        claims,
        scored.lists,
    )
    if args.out is not None:
        _write(table, args.out)
    emit(args, plain(table) | {"deviating": table.deviating}, lambda: render(table))
    return 1 if table.deviating else 0


def _write(table: "ReferenceTable", path: Path) -> None:
    from assay.console import say
    from assay.report.results import write_results

    first, *others = write_results(table, path)
    say(f"{first}" + (f", and {len(others)} files beside it" if others else ""))


def render(table: "ReferenceTable") -> str:
    """Return the reference table for people, and what deviates."""
    import io

    from rich import box
    from rich.console import Console
    from rich.table import Table

    from assay.reproduce.table import accuracies

    sds = [(table.pooled_sd[m.name], table.degrees[m.name], m.heading) for m in table.metrics]
    known = ", ".join(f"{sd:.4f} {name} ({df} df)" for sd, df, name in sds if sd is not None)
    drawn = Table(box=box.SIMPLE_HEAD, title_justify="left")
    drawn.title = (
        f"{table.label}{'' if table.sealed else '  UNSEALED'}   "
        f"({f'pooled sd {known}' if known else 'one seed each: no noise estimate'})"
    )
    drawn.add_column("baseline")
    drawn.add_column("seeds", justify="right")
    for metric in table.metrics:
        arrow = "↓" if metric.lower_is_better else "↑"
        drawn.add_column(f"{metric.heading} {arrow}", justify="right")
        drawn.add_column("expected", justify="right")
        drawn.add_column("")
    if table.knows_truth:
        drawn.add_column("clean", justify="right")
    if table.knows_networks:
        drawn.add_column("network", justify="right")
    for baseline in table.baselines:
        found = [baseline.metrics[metric.name] for metric in table.metrics]
        cells = [cell for one in found for cell in _cells(one)]
        clean = [_percent(baseline.made.clean)] if table.knows_truth else []
        network = [accuracies(baseline)] if table.knows_networks else []
        drawn.add_row(baseline.name, str(found[0].seeds), *cells, *clean, *network)
    stream = io.StringIO()
    Console(file=stream, width=150).print(drawn)
    lines = [line.rstrip() for line in stream.getvalue().splitlines()]
    lines += [f"skipped {name}: {reason}" for name, reason in table.skipped.items()]
    lines += _claims(table)
    lines += [_deviation(one, table) for one in table.baselines if one.deviates]
    lines += [f"DEVIATES {name}: expected, and skipped" for name in table.lost]
    if refitted := [b.name for b in table.baselines if b.other_list and not b.deviates]:
        lines.append(f"{REFITTED}: {', '.join(refitted)}")
    return "\n".join([*lines, _verdict(table)])


def _cells(found: "Reproduced") -> list[str]:
    width = "" if found.half_width is None else f" ± {found.half_width:.4f}"
    expected = "-" if found.expected is None else f"{found.expected:.4f}"
    return [f"{found.mean:.4f}{width}", expected, found.status]


def _percent(share: float | None) -> str:
    return "-" if share is None else f"{share:.0%}"


def _claims(table: "ReferenceTable") -> list[str]:
    """Say of each claim how it fared."""
    rows = [("claim", "difference", "95 % interval", "p (Holm)", "verdict")]
    for baseline in table.baselines:
        verdict = baseline.verdict
        if verdict.claim is None:
            continue
        claim = f"{baseline.name} {verdict.claim.side} {verdict.claim.comparator}"
        if verdict.gain is None or verdict.p_holm is None:
            rows.append((claim, "", "", "", f"{verdict.word}: {verdict.why}"))
            continue
        gain = verdict.gain
        interval = f"{gain.low:+.4f} to {gain.high:+.4f}"
        rows.append((claim, f"{gain.delta:+.4f}", interval, f"{verdict.p_holm:.3f}", verdict.word))
    return [align(rows), ""] if len(rows) > 1 else []


def _deviation(baseline: "ReproducedBaseline", table: "ReferenceTable") -> str:
    """Say what is not as expected of one baseline."""
    others = baseline.other_list and not baseline.made.fitted
    parts = ["it chooses other examples"] if others else []
    for metric in table.metrics:
        found = baseline.metrics[metric.name]
        if found.status == "deviates" and found.gap is not None:
            parts.append(f"{metric.heading} {found.gap:+.4f}, tolerance {found.tolerance:.4f}")
    return f"DEVIATES {baseline.name}: {'; '.join(parts)}"


def _verdict(table: "ReferenceTable") -> str:
    statuses = [one.status for row in table.baselines for one in row.metrics.values()]
    compared = len(statuses) - statuses.count("not expected yet")
    if not compared:
        return "nothing is expected at this scale yet; --write-expected makes these the expected scores"
    same = statuses.count("identical")
    return (
        f"{compared} of {len(statuses)} scores were expected: {same} identical to the last bit, "
        f"{statuses.count('agrees')} within tolerance, {statuses.count('deviates')} beyond it "
        "(chance alone puts one in a hundred there)"
    )
