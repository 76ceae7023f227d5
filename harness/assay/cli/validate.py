"""`assay validate`: check a submission against every rule, offline."""

import argparse
from pathlib import Path
from typing import TYPE_CHECKING

from assay.cli import add_common
from assay.cli.output import emit

if TYPE_CHECKING:
    from assay.submission import Report


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add what `assay validate` takes."""
    parser.add_argument(
        "submission", type=Path, help=".npy, .parquet, .csv or .txt (also .zst, .gz)"
    )
    parser.add_argument("--track", required=True, help="such as text")
    parser.add_argument("--scale", required=True, help="such as nano; see: assay tracks")
    parser.add_argument(
        "--unit",
        help="what chunk ids (uid#k) count, where no manifest says: words128, tokens512, ...",
    )
    add_common(parser)
    parser.epilog = (
        "exit code 0: accepted; 2: refused. Rules: F1-F4 file, S1-S4 content, M1 manifest."
    )


def run(args: argparse.Namespace) -> int:
    """Validate and report."""
    from assay.submission import validate_file
    from assay.track.load import load
    from assay.track.pools import open_pool

    loaded = load(args.track, args.scale)
    pool = open_pool(loaded)
    report = validate_file(
        args.submission,
        pool,
        loaded.rules,
        loaded.recipe.budget,
        unit=args.unit,
    )
    emit(
        args,
        report.plain(),
        lambda: render(report, args.submission.name or str(args.submission), loaded.label),
    )
    return 0 if report.ok else 2


def seen(repeats: int | None) -> str:
    """Say how often a run sees an example."""
    return "each seen once" if repeats == 1 else f"each seen up to {repeats} times"


def render(report: "Report", name: str, label: str) -> str:
    """Return the report for people: the verdict, the sizes, then one line a finding."""
    lines = [f"{name}: {'accepted' if report.ok else 'REFUSED'} for {label}"]
    if report.submission is not None:
        submission = report.submission
        whose = "" if submission.unit == "document" else f" of {submission.unit}"
        lines.append(
            f"  {submission.form}{whose}: {submission.n:,} listed, {report.unique:,} different, "
            f"{report.shown:,} {report.counts} a pass, {seen(report.repeats)}"
        )
        lines.append(f"  {submission.digest}")
    for finding in report.findings:
        where = "" if finding.row is None else f" row {finding.row}"
        lines.append(f"  {finding.severity:5s} {finding.rule}{where}: {finding.message}")
    return "\n".join(lines)
