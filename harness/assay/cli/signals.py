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
  assay signals build foundry-text-24000
  assay signals build web --only gopher_quality,c4
  assay signals build web --only fineweb_ok --workers 4 --json

kept under $ASSAY_HOME/signals/POOL; what is there is not computed again, and killed, the same command goes on
"""
LIST_EXAMPLES = """examples:
  assay signals list
  assay signals list --json

use a column in: assay select --where 'gopher_quality_ok & ...', or in your own file as pool.signal(NAME)
"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the two verbs below `assay signals`."""
    parser.epilog = "example: assay signals build foundry-text-4000 --only gopher_quality"
    verbs = parser.add_subparsers(dest="verb", metavar="VERB", required=True)
    build = verbs.add_parser(
        "build",
        help="compute signals of a pool",
        description="Compute signals of a pool that are not there yet, on all cores.",
        epilog=BUILD_EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    build.add_argument("pool", metavar="POOL", help="name, folder or URL; see: assay pools")
    build.add_argument(
        "--only", metavar="A,B", help="names of signals or of their columns (default: all)"
    )
    build.add_argument(
        "--workers", type=_workers, metavar="N", help="processes (default: one a core)"
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
    from assay.signals.build import build_signals, want
    from assay.signals.catalogue import signals_of

    pool = load_pool(args.pool)
    every = [signal.name for signal in signals_of(pool.manifest.kind)]
    names = args.only.split(",") if args.only else every
    wanted = [want(name.strip(), pool) for name in names]
    stored = build_signals(pool, wanted, workers=args.workers)
    document = {
        "pool": pool.name,
        "pool_root": pool.root,
        "n": pool.n,
        "signals": [_plain(one) for one in stored],
    }
    emit(args, document, lambda: _render_built(pool, stored))
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


def _render_built(pool: "AnyPool", stored: "list[StoredSignal]") -> str:
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
    return f"{pool.name}: {pool.n:,} examples\n{align([head, *rows])}"


def _list(args: argparse.Namespace) -> int:
    from assay.signals.catalogue import SIGNALS
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
                "columns": dict(signal.columns),
            }
            for signal in SIGNALS
        ]
    }
    emit(args, document, lambda: render(SIGNALS))
    return 0


def render(signals: "tuple[Signal, ...]") -> str:
    """Return the signals for people."""
    from assay.signals.columns import PerExample

    blocks = []
    for signal in signals:
        how = "one example at a time" if isinstance(signal, PerExample) else "the whole pool"
        settings = "".join(f", {name}={value}" for name, value in signal.parameters.items())
        rows = align([(f"  {name}", meaning) for name, meaning in signal.columns.items()])
        blocks.append(f"{signal.name} ({signal.kind}, {how}{settings})\n{rows}")
    return "\n\n".join(blocks)
