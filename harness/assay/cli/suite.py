"""`assay suite`: list the suites of every track, fetch and convert others, commit to hidden ones."""

import argparse
from pathlib import Path
from typing import TYPE_CHECKING, Any

from assay.cli import add_common
from assay.cli.output import emit

if TYPE_CHECKING:
    from assay.suite import Suite
    from assay.suite.clip import ClipSuite


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add what `assay suite` takes."""
    verbs = parser.add_subparsers(dest="verb", required=True, metavar="VERB")
    listing = verbs.add_parser(
        "list",
        help="the suites that tracks on this machine name",
        epilog="example: assay suite list --json",
    )
    show = verbs.add_parser(
        "show", help="the tasks of a suite", epilog="example: assay suite show datacomp38"
    )
    show.add_argument("suite", help="name, YAML file, or folder with a suite.yaml")
    build = verbs.add_parser(
        "build",
        help="convert evaluation files into a sealed suite",
        epilog="example: assay suite build core SRC --out SUITE",
    )
    build.add_argument("kind", choices=("core", "blimp", "clip"))
    build.add_argument(
        "source",
        nargs="+",
        help="folder of .jsonl, .jsonl.zst or .jsonl.gz files; for clip, one folder or URL a task in "
        "CLIP-benchmark's layout, or a folder of such folders",
    )
    build.add_argument("--out", type=Path, required=True, help="new folder of the suite")
    build.add_argument("--name", default="my-clip", help="of a clip suite (default: %(default)s)")
    fetch = verbs.add_parser(
        "fetch",
        help="download the files of a suite, or those it is built from, pinned",
        epilog="example: assay suite fetch core --out SRC",
    )
    fetch.add_argument("kind", help="core, or a clip suite's name or YAML file, such as datacomp38")
    fetch.add_argument("--out", type=Path, required=True, help="folder to fill")
    fetch.add_argument(
        "--mirror", help="URL or folder that holds llm-foundry's local_data, or a folder a task"
    )
    commit = verbs.add_parser(
        "commit",
        help="append to this machine's ledger that a hidden suite is fixed, and nothing else of it",
        epilog="example: assay suite commit hidden/",
    )
    reveal = verbs.add_parser(
        "reveal",
        help="append what a hidden suite is; then publish its folder",
        epilog="example: assay suite reveal hidden/ && assay track new text-hidden --like text --pool POOL --suite hidden/",
    )
    for verb in (commit, reveal):
        verb.add_argument("suite", help="YAML file, or folder with a suite.yaml")
    for verb in (listing, show, build, fetch, commit, reveal):
        add_common(verb)
    parser.epilog = (
        "example: assay suite fetch core --out SRC && assay suite build core SRC --out SUITE"
    )


def run(args: argparse.Namespace) -> int:
    """Do what the verb says."""
    verbs = {"list": _list, "show": _show, "build": _build, "fetch": _fetch}
    return (verbs | {"commit": _commit, "reveal": _reveal})[args.verb](args)


def _list(args: argparse.Namespace) -> int:
    from assay.suite.clip.files import load_any_suite

    rows = [
        {"track": path.parent.parent.name, "path": str(path), **_describe(load_any_suite(path))}
        for path in _definitions()
    ]

    def human() -> str:
        lines = [
            f"{row['track']}: {row['name']}@{row['version']}, {row['tasks']} tasks, {row['items']:,} items"
            for row in rows
        ]
        return "\n".join(lines) or "no track names a suite"

    emit(args, {"suites": rows}, human)
    return 0


def _show(args: argparse.Namespace) -> int:
    from assay.spec import plain
    from assay.suite.clip.files import load_any_suite

    path = _find(args.suite)
    suite = load_any_suite(path)
    document = {**plain(suite), "path": str(path)}

    def human() -> str:
        lines = [f"{suite.name}@{suite.version} ({path})"]
        width = max(len(task.name) for task in suite.tasks)
        for task in suite.tasks:
            asked = getattr(task, "form", None) or getattr(task, "kind", "")
            metric = getattr(task, "main_metric", None) or ""
            lines.append(
                f"  {task.name:{width}}  {task.group:14} {asked:14} {task.num_items:>8,} {metric}".rstrip()
            )
        return "\n".join(lines)

    emit(args, document, human)
    return 0


def _build(args: argparse.Namespace) -> int:
    from assay.errors import SuiteError
    from assay.suite.convert import build_blimp, build_core

    if args.kind != "clip" and len(args.source) > 1:
        raise SuiteError(
            f"{args.kind} takes one folder, got {len(args.source)}; put the files into one"
        )
    absent: list[str] = []
    if args.kind == "core":
        suite, absent = build_core(Path(args.source[0]), args.out)
    elif args.kind == "blimp":
        suite = build_blimp(Path(args.source[0]), args.out)
    else:
        from assay.suite.clip.seal import task_folders, write_clip_suite

        suite = write_clip_suite(args.name, 1, task_folders(args.source), args.out)
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
    if args.kind == "core":
        from assay.suite.fetch import MIRROR, fetch_core

        paths = fetch_core(args.out, args.mirror or MIRROR)
        following = f"assay suite build core {args.out} --out SUITE"
    else:
        from assay.suite.clip.fetch import fetch_clip_suite
        from assay.suite.clip.files import load_clip_suite

        paths = fetch_clip_suite(load_clip_suite(_find(args.kind)), args.out, args.mirror)
        following = f"assay track new NAME --like clip --pool POOL --suite {args.out}"
    emit(
        args,
        {"files": [str(path) for path in paths]},
        lambda: f"{len(paths)} files in {args.out}; next: {following}",
    )
    return 0


def _commit(args: argparse.Namespace) -> int:
    from assay.ledger import commit_suite, machine_ledger
    from assay.suite.clip.files import load_any_suite

    entry = commit_suite(machine_ledger(), load_any_suite(_find(args.suite)))
    told = f"entry {entry.index} commits to it as {entry.body['suite']}; keep {args.suite} unchanged and to yourself"
    emit(args, entry.plain(), lambda: told)
    return 0


def _reveal(args: argparse.Namespace) -> int:
    from assay.ledger import machine_ledger, reveal_suite
    from assay.suite.clip.files import load_any_suite

    entry = reveal_suite(machine_ledger(), load_any_suite(_find(args.suite)))
    told = f"entry {entry.index} reveals suite {entry.body['suite']}; now publish {args.suite}"
    emit(args, entry.plain(), lambda: told)
    return 0


def _find(name: str) -> Path:
    """Return where a suite is defined, which is named or is a path."""
    from assay.errors import SuiteError
    from assay.spec import did_you_mean

    if Path(name).exists():
        return Path(name)
    found = {path.stem: path for path in _definitions()}
    if name not in found:
        raise SuiteError(
            f"no suite {name!r}{did_you_mean(name, found)}; list them with: assay suite list"
        )
    return found[name]


def _definitions() -> list[Path]:
    from assay.track.load import track_roots

    return [path for root in track_roots() for path in sorted(root.glob("*/suites/*.yaml"))]


def _describe(suite: "Suite | ClipSuite") -> dict[str, Any]:
    return {
        "name": suite.name,
        "version": suite.version,
        "tasks": len(suite.tasks),
        "items": sum(task.num_items for task in suite.tasks),
    }
