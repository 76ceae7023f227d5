"""`assay suite`: list the suites of every track, fetch and convert others."""

import argparse
from pathlib import Path
from typing import TYPE_CHECKING, Any

from assay.cli import add_common
from assay.cli.output import emit

if TYPE_CHECKING:
    from assay.suite import Suite


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add what `assay suite` takes."""
    verbs = parser.add_subparsers(dest="verb", required=True, metavar="VERB")
    listing = verbs.add_parser(
        "list",
        help="the suites that tracks on this machine name",
        epilog="example: assay suite list --json",
    )
    build = verbs.add_parser(
        "build",
        help="convert evaluation files into a sealed suite",
        epilog="example: assay suite build core SRC --out SUITE",
    )
    build.add_argument("kind", choices=("core", "blimp"))
    build.add_argument("source", type=Path, help="folder of .jsonl, .jsonl.zst or .jsonl.gz files")
    build.add_argument("--out", type=Path, required=True, help="new folder of the suite")
    fetch = verbs.add_parser(
        "fetch",
        help="download the files that a suite is built from, pinned",
        epilog="example: assay suite fetch core --out SRC",
    )
    fetch.add_argument("kind", choices=("core",))
    fetch.add_argument("--out", type=Path, required=True, help="folder to fill")
    fetch.add_argument("--mirror", help="URL or folder that holds llm-foundry's local_data")
    for verb in (listing, build, fetch):
        add_common(verb)
    parser.epilog = (
        "example: assay suite fetch core --out SRC && assay suite build core SRC --out SUITE"
    )


def run(args: argparse.Namespace) -> int:
    """Do what the verb says."""
    return {"list": _list, "build": _build, "fetch": _fetch}[args.verb](args)


def _list(args: argparse.Namespace) -> int:
    from assay.suite.files import load_suite
    from assay.track.load import track_roots

    rows = [
        {"track": path.parent.parent.name, "path": str(path), **_describe(load_suite(path))}
        for root in track_roots()
        for path in sorted(root.glob("*/suites/*.yaml"))
    ]

    def human() -> str:
        lines = [
            f"{row['track']}: {row['name']}@{row['version']}, {row['tasks']} tasks, {row['items']:,} items"
            for row in rows
        ]
        return "\n".join(lines) or "no track names a suite"

    emit(args, {"suites": rows}, human)
    return 0


def _build(args: argparse.Namespace) -> int:
    from assay.suite.convert import build_blimp, build_core

    if args.kind == "core":
        suite, absent = build_core(args.source, args.out)
    else:
        suite, absent = build_blimp(args.source, args.out), []
    document = {**_describe(suite), "path": str(args.out), "absent": absent}

    def human() -> str:
        lines = [
            f"{suite.name}@{suite.version}: {document['tasks']} tasks, {document['items']:,} items"
        ]
        if absent:
            lines.append(
                f"a part of {args.kind}, named after its size; absent: {', '.join(absent)}"
            )
        return "\n".join([*lines, f"sealed in {args.out}"])

    emit(args, document, human)
    return 0


def _fetch(args: argparse.Namespace) -> int:
    from assay.suite.fetch import MIRROR, fetch_core

    paths = [str(path) for path in fetch_core(args.out, args.mirror or MIRROR)]
    emit(
        args,
        {"files": paths},
        lambda: (
            f"{len(paths)} files in {args.out}; next: assay suite build core {args.out} --out SUITE"
        ),
    )
    return 0


def _describe(suite: "Suite") -> dict[str, Any]:
    return {
        "name": suite.name,
        "version": suite.version,
        "tasks": len(suite.tasks),
        "items": sum(task.num_items for task in suite.tasks),
    }
