"""`assay verify`: check a record's digests, metrics and checkpoint, and replay its training."""

import argparse
from pathlib import Path
from typing import TYPE_CHECKING

from assay.cli import add_common
from assay.cli.output import emit

if TYPE_CHECKING:
    from assay.verify import Verification

EXAMPLES = """examples:
  assay verify 3f9a12c0                    # the first digits of a record's digest
  assay verify record.json --rerun prefix  # the first steps of training, bit for bit on the same machine
  assay verify record.json --rerun full --submission s.npy
  assay verify https://HOST/records/DIGEST.json   # fetches what that server has of the run

levels, each with the checks that it adds:
  digests     the record and its law, submission, seed, trace of losses and per-item outputs
  metrics     every metric again from the per-item outputs, none of which is missing
  checkpoint  the run's plan and weights, and the suite again on them, item by item; no server keeps these
  replay      with --rerun: the first steps of training, or all of it

exit code: 0 all that was asked holds; 2 bad usage; otherwise the first level that fails: 3 digests,
4 metrics, 5 checkpoint, 6 replay; 7 nothing fails, but something that a check needs is not on this
machine, or (pending) nowhere yet, such as the key of a leaderboard's seeds while their epoch lasts
"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the options."""
    parser.epilog = EXAMPLES
    parser.add_argument(
        "record", help="a record's JSON, its address on a leaderboard, or its digest's first digits"
    )
    parser.add_argument("--rerun", choices=("prefix", "full"), help="train again, in part or whole")
    parser.add_argument(
        "--submission", type=Path, help="the id list, where the run's folder is elsewhere"
    )
    add_common(parser)


def run(args: argparse.Namespace) -> int:
    """Verify and answer."""
    import tempfile

    from assay.verify import fetch_record, find_record, is_address, verify_record

    options = {"rerun": args.rerun, "given": args.submission}
    if is_address(args.record):
        with tempfile.TemporaryDirectory(prefix="assay-verify-") as name:
            folder = Path(name)
            found = verify_record(*fetch_record(args.record, folder), fetched=folder, **options)
    else:
        found = verify_record(*find_record(args.record), **options)
    emit(args, found.plain(), lambda: render(found))
    return found.exit_code


def render(found: "Verification") -> str:
    """Return the checks for people, one line each, and what was reached."""
    import io

    from rich import box
    from rich.console import Console
    from rich.markup import escape
    from rich.table import Table

    table = Table(box=box.SIMPLE_HEAD, title_justify="left")
    table.title = f"{found.label}, seed {found.seed}, record {found.record[7:19]}"
    for heading in ("level", "check", "", "detail"):
        table.add_column(heading, no_wrap=True)
    for check in found.checks:
        table.add_row(check.level, check.name, check.status, escape(check.detail))
    stream = io.StringIO()
    width = 60 + max(len(check.detail) for check in found.checks)
    Console(file=stream, width=width).print(table)
    lines = [line.rstrip() for line in stream.getvalue().splitlines()]
    reached = found.level or "none"
    lines.append(f"level reached: {reached} (exit code {found.exit_code})")
    return "\n".join(lines)
