"""The command line. One module a verb; each is imported without anything heavy behind it."""

import argparse
import errno
import importlib
import json
import os
import sys
import traceback
from collections.abc import Sequence

from assay import __version__
from assay.errors import AssayError, UserError

COMMANDS = {
    "pools": "list the pools that this machine knows",
    "pool": "build, show or verify a pool",
    "tracks": "list tracks and scales: pool, model, budget, expected minutes, seal",
    "track": "fork a track onto your own pool",
    "suite": "fetch, convert or list evaluation suites; commit to a hidden one",
    "baselines": "list the baselines: what each claims, costs and needs",
    "signals": "compute columns for every example of a pool, such as scores of quality, or list them",
    "select": "run a strategy, or an expression over columns, and write a submission",
    "validate": "check a submission against every rule, offline",
    "score": "train on a submission, evaluate, write records",
    "board": "show the local leaderboard",
    "ledger": "verify, show or mirror the signed ledger of all runs; retract or correct",
    "submit": "check a list and hand it in to a leaderboard",
    "status": "show where a submission is in a leaderboard's queue, and what came of it",
    "worker": "run what a leaderboard asks for, here or through a cluster",
    "compare": "compare submissions at one scale or several, or a published table's recipes",
    "noise": "measure what seeds do to a scale's scores, and which tasks rise above that",
    "plan": "say what scoring would take and could show, before anything runs",
    "reproduce": "score every baseline of a track, and say what deviates from the expected scores",
    "verify": "check a record: digests, metrics, checkpoint, and where asked its training",
    "audit": "say what a submission holds: evaluation items, copies, sources; write its data card",
    "doctor": "say what is installed, which devices work, what would fail and the fix",
}

_WRITABLE = "choose a place that you can write to; assay keeps its state under ASSAY_HOME"
_SPACE = "free some space and run the same command again"
_REMEDIES = {
    errno.EACCES: _WRITABLE,
    errno.EPERM: _WRITABLE,
    errno.EROFS: _WRITABLE,
    errno.ENOSPC: _SPACE,
    errno.EDQUOT: _SPACE,
    errno.EISDIR: "name a file, not a folder",
    errno.ENOTDIR: "name a folder, not a file; is ASSAY_HOME one?",
    errno.EEXIST: "a file is where a folder belongs; move it away, or name another place",
    errno.ENOENT: "check the path",
    errno.EMFILE: "raise the limit of open files: ulimit -n 4096",
}
"""What helps where the operating system refuses, by its error number."""


def build_parser(only: str | None = None) -> argparse.ArgumentParser:
    """Build the parser; modules of verbs other than `only` are not even imported."""
    parser = argparse.ArgumentParser(
        prog="assay",
        description="Measure how good a training set is: hand in example ids, get a score.",
        epilog="example: assay select random --track text --scale pico --out s.npy && "
        "assay score s.npy --track text --scale pico",
    )
    parser.add_argument("--version", action="version", version=f"assay {__version__}")
    verbs = parser.add_subparsers(dest="command", metavar="COMMAND")
    for name, summary in COMMANDS.items():
        verb = verbs.add_parser(
            name,
            help=summary,
            description=summary[0].upper() + summary[1:] + ".",
            formatter_class=argparse.RawDescriptionHelpFormatter,
        )
        if name == only:
            importlib.import_module(f"assay.cli.{name}").add_arguments(verb)
    return parser


def add_common(parser: argparse.ArgumentParser) -> None:
    """Add what every verb has: `--json` and `-v`."""
    parser.add_argument("--json", action="store_true", help="one JSON document on stdout")
    parser.add_argument("-v", "--verbose", action="store_true", help="show tracebacks")


def _is_override(word: str) -> bool:
    return "=" in word and not word.startswith("-")


def main(argv: Sequence[str] | None = None) -> int:
    """Run one verb.

    Returns:
        0 when done, 2 for bad input (argparse's own code as well) or a path that cannot be used, 1 for
        anything else.
    """
    arguments = list(sys.argv[1:] if argv is None else argv)
    only = next((word for word in arguments if not word.startswith("-")), None)
    parser = build_parser(only if only in COMMANDS else None)
    args, unknown = parser.parse_known_args(arguments)
    if args.command is None:
        parser.print_help()
        return 0
    module = importlib.import_module(f"assay.cli.{args.command}")
    if unknown and not (
        getattr(module, "TAKES_OVERRIDES", False) and all(map(_is_override, unknown))
    ):
        parser.error(
            f"unrecognized arguments: {' '.join(unknown)}; see: assay {args.command} --help"
        )
    args.overrides = unknown
    try:
        return module.run(args)
    except KeyboardInterrupt:
        print("assay: interrupted; the same command goes on from here", file=sys.stderr)
        return 1
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 1
    except (AssayError, OSError) as error:
        if getattr(args, "verbose", False):
            traceback.print_exc()
        message = _of_system(error) if isinstance(error, OSError) else error
        print(f"assay: {message}", file=sys.stderr)
        if getattr(args, "json", False):
            print(json.dumps({"ok": False, "error": str(message)}, ensure_ascii=False))
        return 2 if isinstance(error, UserError | OSError) else 1


def _of_system(error: OSError) -> str:
    """Say in one line what the operating system refused, where, and what helps."""
    what = error.strerror or str(error) or type(error).__name__
    where = "" if error.filename is None else f": {os.fsdecode(error.filename)}"
    return f"{what}{where}; {_REMEDIES.get(error.errno or 0, 'for details, add -v')}"
