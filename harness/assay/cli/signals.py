"""`assay signals`: compute columns for every example of a pool, or list what there is."""

import argparse
from typing import TYPE_CHECKING, Any

from assay.cli import add_common
from assay.cli.output import emit
from assay.cli.pools import align

if TYPE_CHECKING:
    from assay.pool import AnyPool
    from assay.signals.columns import Signal
    from assay.signals.store import StoredSignal

BUILD_EXAMPLES = """examples:
  assay signals build foundry-text-24000              # all that need neither training nor a reference
  assay signals build web --all                       # the others too
  assay signals build web --only gopher_quality,c4
  assay signals build web --only fineweb_ok --workers 4 --json

kept under $ASSAY_HOME/signals/POOL; what is there is not computed again, and killed, the same command goes on
"""
LIST_EXAMPLES = """examples:
  assay signals list
  assay signals list --json

cheap ones are built by default, the others with --all or --only

use a column in: assay select --where 'gopher_quality_ok & ...', or in your own file as pool.signal(NAME)
"""

DEAR = "trains or reads a reference (--all builds it)"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the two verbs below `assay signals`."""
    parser.epilog = "example: assay signals build foundry-text-4000 --only gopher_quality"
    verbs = parser.add_subparsers(dest="verb", metavar="VERB", required=True)
    build = verbs.add_parser(
        "build",
        help="compute signals of a pool",
        description="Compute signals of a pool that are not there yet.",
        epilog=BUILD_EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    build.add_argument("pool", metavar="POOL", help="name, folder or URL; see: assay pools")
    which = build.add_mutually_exclusive_group()
    which.add_argument("--only", metavar="A,B", help="names of signals or of their columns")
    which.add_argument(
        "--all",
        action="store_true",
        help="those that train or read a reference too (default: only what takes neither)",
    )
    build.add_argument(
        "--workers",
        type=_workers,
        metavar="N",
        help="processes for signals that look at one example at a time (default: one a core)",
    )
    listing = verbs.add_parser(
        "list",
        help="say which signals there are, with their columns",
        description="Say which signals there are, with their columns.",
        epilog=LIST_EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    for verb in (build, listing):
        add_common(verb)


def _workers(text: str) -> int:
    workers = int(text)
    if workers < 1:
        raise ValueError("at least one worker")
    return workers


def run(args: argparse.Namespace) -> int:
    """Do one of the two."""
    return {"build": _build, "list": _list}[args.verb](args)


def _build(args: argparse.Namespace) -> int:
    from assay.pool import load_pool
    from assay.signals.build import build_possible, build_signals, want
    from assay.signals.catalogue import find_signal, is_cheap, signals_of

    pool = load_pool(args.pool)
    left_out: dict[str, str] = {}
    if args.only:
        # All names are looked up before `want` builds a reference for the first of them.
        named = [find_signal(name.strip(), pool.manifest.kind) for name in args.only.split(",")]
        stored = build_signals(pool, [want(s.name, pool) for s in named], workers=args.workers)
    else:
        every = signals_of(pool.manifest.kind)
        chosen = [signal for signal in every if args.all or is_cheap(signal)]
        stored, refused = build_possible(pool, chosen, workers=args.workers)
        left_out = {signal.name: DEAR for signal in every if signal not in chosen} | refused
    document = {
        "pool": pool.name,
        "pool_root": pool.root,
        "n": pool.n,
        "signals": [_plain(one) for one in stored],
        "left_out": left_out,
    }
    emit(args, document, lambda: _render_built(pool, stored, left_out))
    return 0


def _plain(stored: "StoredSignal") -> dict[str, Any]:
    return {
        "name": stored.name,
        "key": stored.key,
        "folder": str(stored.folder),
        "parameters": stored.parameters,
        "columns": stored.digests,
        "cpu_seconds": stored.cpu_seconds,
    }


def _render_built(pool: "AnyPool", stored: "list[StoredSignal]", left_out: "dict[str, str]") -> str:
    head = ("signal", "columns", "core-seconds", "a second and core", "folder")
    rows = [
        (
            one.name,
            str(len(one.digests)),
            f"{one.cpu_seconds:,.1f}",
            f"{pool.n / max(one.cpu_seconds, 1e-3):,.0f}",
            str(one.folder),
        )
        for one in stored
    ]
    lines = [f"{pool.name}: {pool.n:,} examples", align([head, *rows])]
    if dear := [name for name, reason in left_out.items() if reason == DEAR]:
        lines.append(f"left out, as each {DEAR}: {', '.join(dear)}")
    lines += [f"left out {name}: {why}" for name, why in left_out.items() if why != DEAR]
    return "\n".join(lines)


def _list(args: argparse.Namespace) -> int:
    from assay.signals.catalogue import SIGNALS, is_cheap
    from assay.signals.columns import PerExample

    document = {
        "signals": [
            {
                "name": signal.name,
                "version": signal.version,
                "kind": signal.kind,
                "reads": "example" if isinstance(signal, PerExample) else "pool",
                "parameters": dict(signal.parameters),
                "needs": list(signal.needs),
                "cheap": is_cheap(signal),
                "columns": dict(signal.columns),
            }
            for signal in SIGNALS
        ]
    }
    emit(args, document, lambda: render(SIGNALS))
    return 0


def render(signals: "tuple[Signal, ...]") -> str:
    """Return the signals for people."""
    from assay.signals.catalogue import is_cheap
    from assay.signals.columns import PerExample

    blocks = []
    for signal in signals:
        how = "one example at a time" if isinstance(signal, PerExample) else "the whole pool"
        how += ", cheap" if is_cheap(signal) else ""
        settings = "".join(f", {name}={value}" for name, value in signal.parameters.items())
        rows = align([(f"  {name}", meaning) for name, meaning in signal.columns.items()])
        blocks.append(f"{signal.name} ({signal.kind}, {how}{settings})\n{rows}")
    return "\n\n".join(blocks)
