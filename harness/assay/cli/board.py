"""`assay board`: the local leaderboard."""

import argparse
import sys

from assay.cli import add_common

EXAMPLES = """examples:
  assay board
  assay board --track text --scale nano
  assay board --format csv > board.csv
"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the options."""
    parser.epilog = EXAMPLES
    parser.add_argument("--track", help="only this track")
    parser.add_argument("--scale", help="only this scale")
    parser.add_argument("--format", choices=("table", "json", "csv"), default="table")
    add_common(parser)


def run(args: argparse.Namespace) -> int:
    """Render the ledger."""
    import json

    from assay.board import board_csv, board_json, board_text, build_board
    from assay.ledger import read_ledger
    from assay.track.load import check_names

    check_names(args.track, args.scale)
    tables = build_board(read_ledger(args.track, args.scale))
    if args.json or args.format == "json":
        text = json.dumps(board_json(tables), indent=2, ensure_ascii=False) + "\n"
    elif args.format == "csv":
        text = board_csv(tables)
    else:
        text = board_text(tables)
    sys.stdout.write(text)
    return 0
