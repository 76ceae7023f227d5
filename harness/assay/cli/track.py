"""`assay track new`: fork a track onto one's own pool."""

import argparse
from pathlib import Path
from typing import Any

from assay.cli import add_common
from assay.cli.output import emit

EXAMPLES = """examples:
  assay pool build 'crawl/*.jsonl.zst' --kind text --name mycrawl
  assay track new my-web --like text --pool mycrawl --heldout 'heldout/*.jsonl.zst'
  assay select random --track my-web --scale nano --out s.npy
  assay score s.npy --track my-web --scale nano

every held-out file is one domain; each becomes two tasks: bits per byte of its text, and which of
four continuations is the document's own
"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the options."""
    parser.epilog = EXAMPLES
    actions = parser.add_subparsers(dest="action", metavar="ACTION", required=True)
    new = actions.add_parser(
        "new",
        help="fork a track",
        description="Fork a track onto your own pool: same rules and recipes.",
        epilog=EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    new.add_argument("name", help="of the new track")
    new.add_argument("--like", default="text", help="track whose recipes are taken; default: text")
    new.add_argument("--pool", required=True, help="name or folder of a pool")
    new.add_argument(
        "--heldout", required=True, nargs="+", metavar="FILE", help="documents not in the pool"
    )
    new.add_argument(
        "--suite",
        action="append",
        default=[],
        type=Path,
        metavar="DIR",
        help="also ask the tasks of a suite that `assay suite build` made; may be given several times",
    )
    new.add_argument(
        "--domain-bytes",
        type=int,
        default=100_000,
        help="held-out text per domain; default: 100000",
    )
    new.add_argument(
        "--items", type=int, default=100, help="continuation items per domain; default: 100"
    )
    add_common(new)


def run(args: argparse.Namespace) -> int:
    """Write the track."""
    from assay.pool import Pool
    from assay.track.fork import fork

    forked = fork(
        args.name,
        like=args.like,
        pool=Pool.open(args.pool),
        heldout=args.heldout,
        suites=args.suite,
        domain_bytes=args.domain_bytes,
        items=args.items,
    )
    document: dict[str, Any] = {
        "track": forked.name,
        "folder": str(forked.folder),
        "scales": forked.scales,
        "domains": forked.domains,
        "dropped": forked.dropped,
    }
    emit(args, document, lambda: _text(document))
    return 0


def _text(document: dict[str, Any]) -> str:
    domains = ", ".join(f"{name} ({count})" for name, count in document["domains"].items())
    return (
        f"track {document['track']} at scales {', '.join(document['scales'])}\nheld-out documents: {domains}\n"
        f"files: {document['folder']}\nnext: assay select random --track {document['track']} --scale nano --out s.npy"
    )
