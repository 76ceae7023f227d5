"""`assay board`: the leaderboard, in the terminal, as a server or as a static site."""

import argparse
import sys
from pathlib import Path
from typing import Any

from assay.cli import add_common
from assay.cli.output import emit

EXAMPLES = """examples:
  assay board                                            # this machine's records, in the terminal
  assay board --track text --scale nano
  assay board --format csv > board.csv
  assay board serve                                      # a server with SQLite and one local worker
  assay board serve --db postgresql://assay@db/assay --host 0.0.0.0 --no-worker --url https://board.example.org
  assay board build --out site/                          # the same pages as files
  assay board token create --scope work --label "GPU machine 3"
  assay board official SUBMISSION --seeds 3              # fresh seeds, by the operator
  assay board epoch reveal                               # publish the key that seeds were drawn with
  assay board audit --last 100                           # who did what, when and from where
  assay board index                                      # make the database's index again from the ledger
"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the options."""
    parser.epilog = EXAMPLES
    parser.add_argument("--track", help="only this track")
    parser.add_argument("--scale", help="only this scale")
    parser.add_argument("--format", choices=("table", "json", "csv"), default="table")
    add_common(parser)
    actions = parser.add_subparsers(dest="action", metavar="ACTION")
    for name, (summary, add, _) in ACTIONS.items():
        action = actions.add_parser(name, help=summary, description=summary)
        add(action)
        _add_common_again(action)


def run(args: argparse.Namespace) -> int:
    """Render the ledger, or do what was asked."""
    if args.action is None:
        return _show(args)
    _check_installed()
    return ACTIONS[args.action][2](args)


def _add_common_again(parser: argparse.ArgumentParser) -> None:
    """Add what the parent has as well; what it found is not overwritten."""
    parser.add_argument("--json", action="store_true", default=argparse.SUPPRESS)
    parser.add_argument("-v", "--verbose", action="store_true", default=argparse.SUPPRESS)


def _show(args: argparse.Namespace) -> int:
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


def _check_installed() -> None:
    import importlib.util

    from assay.errors import UserError

    needed = ("assay_board", "alembic", "fastapi", "jinja2", "psycopg", "sqlalchemy", "uvicorn")
    lacking = [name for name in needed if importlib.util.find_spec(name) is None]
    if lacking:
        raise UserError(
            f"the leaderboard's server needs {', '.join(lacking)}; install it with: pip install -c constraints.txt "
            "-e '.[board]' (in a clone: make setup)"
        )


def _add_db(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--db",
        default="",
        metavar="URL",
        help="sqlite:////path/board.sqlite or postgresql://user@host/name; default: SQLite under ASSAY_HOME",
    )


def _add_serve(parser: argparse.ArgumentParser) -> None:
    _add_db(parser)
    parser.add_argument("--host", default="127.0.0.1", help="default: 127.0.0.1")
    parser.add_argument("--port", type=int, default=8080, help="default: 8080; 0 takes a free one")
    parser.add_argument(
        "--url",
        default="",
        help="as participants reach it; default: this machine's address and port",
    )
    parser.add_argument("--no-worker", action="store_true", help="train nothing on this machine")
    parser.add_argument(
        "--registration",
        choices=("open", "closed"),
        default="open",
        help="closed: the operator makes tokens with assay board token create",
    )
    parser.add_argument(
        "--runs-per-week",
        type=int,
        help="of a team on one track and scale; failed runs do not count",
    )


def _serve(args: argparse.Namespace) -> int:
    from assay_board.serve import serve

    return serve(
        database_url=args.db,
        host=args.host,
        port=args.port,
        public_url=args.url,
        worker=not args.no_worker,
        open_registration=args.registration == "open",
        runs_per_week=args.runs_per_week,
        announce=lambda document, human: emit(args, document, lambda: human),
    )


def _add_build(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--out", type=Path, required=True, help="folder of the site")
    parser.add_argument("--ledger", type=Path, help="default: the ledger of this machine")


def _build(args: argparse.Namespace) -> int:
    from assay.ledger import ledger_folder
    from assay_board.site import build_site

    folder = args.ledger or ledger_folder()
    build_site(folder, args.out)
    document = {"ok": True, "ledger": str(folder), "out": str(args.out)}
    emit(args, document, lambda: f"wrote {args.out}; open {args.out / 'index.html'}")
    return 0


def _add_token(parser: argparse.ArgumentParser) -> None:
    verbs = parser.add_subparsers(dest="verb", required=True, metavar="create|list|revoke")
    create = verbs.add_parser("create", help="make a token, which is shown once")
    create.add_argument("--scope", choices=("submit", "work", "admin"), required=True)
    create.add_argument("--team", help="whose lists it hands in; for scope submit")
    create.add_argument("--label", default="", help="for people")
    create.add_argument("--days", type=float, default=365.0, help="until it expires; default: 365")
    revoke = verbs.add_parser("revoke", help="end a token at once")
    revoke.add_argument("token", type=int, help="its number; see: assay board token list")
    for verb in (create, revoke, verbs.add_parser("list", help="list tokens, without the tokens")):
        _add_db(verb)
        _add_common_again(verb)


def _token(args: argparse.Namespace) -> int:
    from assay_board import operating

    with operating.opened(args.db) as board:
        if args.verb == "create":
            document = operating.create_token(board, args.scope, args.team, args.label, args.days)
        elif args.verb == "revoke":
            document = operating.revoke_token(board, args.token)
        else:
            document = operating.list_tokens(board)
    emit(args, document, lambda: operating.token_text(document))
    return 0


def _add_epoch(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("verb", choices=("show", "reveal"))
    parser.add_argument("epoch", nargs="?", help="digest; default: the one that is open")
    _add_db(parser)


def _epoch(args: argparse.Namespace) -> int:
    from assay_board import operating

    with operating.opened(args.db) as board:
        document = (
            operating.reveal_epoch(board, args.epoch)
            if args.verb == "reveal"
            else operating.show_epochs(board)
        )
    emit(args, document, lambda: operating.epoch_text(document))
    return 0


def _add_official(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("submission", help="its id, as its page and assay submit show it")
    parser.add_argument("--seeds", type=int, default=3, help="runs on fresh seeds; default: 3")
    _add_db(parser)


def _official(args: argparse.Namespace) -> int:
    from assay_board import operating

    with operating.opened(args.db) as board:
        document = operating.order_runs(board, args.submission, args.seeds)
    emit(args, document, lambda: f"queued {args.seeds} official runs of {args.submission}")
    return 0


def _add_audit(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--last", type=int, default=50, help="so many lines; default: 50")
    _add_db(parser)


def _audit(args: argparse.Namespace) -> int:
    from assay_board import operating

    with operating.opened(args.db) as board:
        document = operating.list_audit(board, args.last)
    emit(args, document, lambda: operating.audit_text(document))
    return 0


def _index(args: argparse.Namespace) -> int:
    from assay_board import operating

    with operating.opened(args.db, as_found=True) as board:
        document = operating.rebuild_index(board)
    wrong = [f"{document[name]:,} rows were {name}" for name in ("missing", "different", "surplus")]
    told = "it is as it was" if document["identical"] else ", ".join(wrong)
    emit(args, document, lambda: f"indexed {document['entries']:,} entries again: {told}")
    return 0


ACTIONS: dict[str, tuple[str, Any, Any]] = {
    "serve": ("serve pages and API, with one local worker", _add_serve, _serve),
    "build": ("write the pages as a static site", _add_build, _build),
    "token": ("make, list and revoke tokens", _add_token, _token),
    "official": ("run a submission again on fresh seeds", _add_official, _official),
    "epoch": ("show or reveal the keys that seeds are drawn with", _add_epoch, _epoch),
    "audit": ("show who did what and when", _add_audit, _audit),
    "index": ("make the database's index again from the ledger", _add_db, _index),
}
"""What it does, its options, its function."""
