"""`assay audit`: what a submission holds, and what that says about its score."""

import argparse
from pathlib import Path
from typing import TYPE_CHECKING, Any

from assay.cli import add_common
from assay.cli.output import emit

if TYPE_CHECKING:
    from assay.audit.membership import Membership
    from assay.audit.report import Audit

EXAMPLES = """examples:
  assay audit s.npy --track text --scale nano
  assay audit s.npy --track text --scale nano --out report --workers 2
  assay audit s.npy --track text --scale nano --checkpoint          # Min-K%++ on this submission's newest run
  assay audit pairs.npy --track clip --scale nano --records --json

leaked: an item stands in a selected document whole, or 80 % of a long passage of it does, or its image
does. overlap: a shared 13-gram, or 50 characters of a short item; common phrases do that too.
--out writes audit.json, matches.jsonl, card.md and card.json
"""

TASKS_SHOWN = 20
VALUES_SHOWN = 5
OVERLAPS_SHOWN = 5
NEWEST = "newest run"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the options."""
    parser.epilog = EXAMPLES
    parser.add_argument("submission", type=Path, help=".npy, .parquet, .csv or .txt list of ids")
    parser.add_argument("--track", required=True, help="such as text")
    parser.add_argument("--scale", required=True, help="such as nano; see: assay tracks")
    parser.add_argument(
        "--unit", choices=("words128", "tokens512", "tokens1024"), help="what chunk ids count"
    )
    parser.add_argument("--out", type=Path, metavar="DIR", help="write the report and a data card")
    parser.add_argument(
        "--records", action="store_true", help="list every match with its uid, not the first twenty"
    )
    parser.add_argument(
        "--checkpoint",
        nargs="?",
        const=NEWEST,
        metavar="DIR",
        help="text: also Min-K%%++ on a model trained on the list (default: of its newest run here)",
    )
    parser.add_argument(
        "--workers", type=int, default=1, help="processes that read examples (default 1)"
    )
    add_common(parser)


def run(args: argparse.Namespace) -> int:
    """Audit and answer."""
    from assay.audit.document import audit_document, write_audit
    from assay.audit.report import audit_file
    from assay.spec import plain
    from assay.track.load import load

    loaded = load(args.track, args.scale)
    audit = audit_file(args.submission, loaded, unit=args.unit, workers=args.workers)
    evidence = _membership(audit, args.checkpoint) if args.checkpoint else None
    document = audit_document(audit, all_matches=args.records)
    document["membership"] = plain(evidence)
    written = write_audit(audit, document, args.out) if args.out else []
    document["files"] = [str(path) for path in written]
    emit(args, document, lambda: _text(document, all_matches=args.records))
    return 0


def _membership(audit: "Audit", checkpoint: str) -> "Membership":
    from assay.audit.contamination import flagged_items
    from assay.audit.report import own_checkpoint
    from assay.errors import RunError
    from assay.pool import ImageTextPool
    from assay.suite.clip import ClipSuite

    suite, pool = audit.loaded.suite, audit.pool
    if isinstance(suite, ClipSuite) or isinstance(pool, ImageTextPool):
        raise RunError(
            "--checkpoint asks a language model, and this is a track of images; leave it out"
        )
    folder = own_checkpoint(audit) if checkpoint == NEWEST else Path(checkpoint)
    if folder is None or not (folder / "config.json").is_file():
        where = "of this submission" if folder is None else f"in {folder}"
        raise RunError(
            f"there is no checkpoint {where}; make one with: assay score SUBMISSION --track "
            f"{audit.loaded.track} --scale {audit.loaded.scale}"
        )
    from assay.audit.membership import membership

    return membership(
        folder,
        pool,
        suite,
        audit.loaded.suite_folder,
        leaked=flagged_items(audit.content.matches, leaked_only=True),
        selected=audit.selected.rows,
    )


def _text(document: dict[str, Any], *, all_matches: bool) -> str:
    """Lay the audit out in short tables."""
    from io import StringIO

    from rich.console import Console

    stream = StringIO()
    console = Console(file=stream, width=110)
    submission, epochs = document["submission"], document["epochs"]
    console.print(
        f"{document['track']}/{document['scale']}  submission {submission['digest'][7:19]}: "
        f"{submission['examples']:,} examples, {epochs['unique']:,} {epochs['unit']}, seen "
        f"{epochs['effective']:.2f} times",
        highlight=False,
    )
    tables = [
        _contamination(document["contamination"]),
        _matches(document["contamination"], all_matches),
        _runs(document["runs"]),
        _composition(document["composition"]),
        _duplicates(document),
        _overlaps(document["overlaps"]),
        _evidence(document["membership"]),
    ]
    for table in tables:
        if table is not None:
            console.print(table)
    for issue in document["issues"]:
        console.print(f"! {issue}", highlight=False, markup=False)
    for path in document["files"]:
        console.print(f"wrote {path}", highlight=False, markup=False, soft_wrap=True)
    return stream.getvalue()


def _table(title: str, *headings: str, left: int = 1) -> Any:
    """Start a table whose first so many columns are aligned to the left."""
    from rich import box
    from rich.table import Table

    table = Table(title=title, title_justify="left", box=box.SIMPLE_HEAD)
    for place, heading in enumerate(headings):
        table.add_column(heading, justify="left" if place < left else "right")
    return table


def _contamination(found: dict[str, Any]) -> Any:
    tasks = {name: one for name, one in found["tasks"].items() if one["overlapping"]}
    title = f"Items of {found['suite']} in the selection"
    if not tasks:
        return f"\n{title}: none\n"
    table = _table(title, "task", "items", "leaked", "", "leaked or overlapping", "", "examples")
    for name, one in list(tasks.items())[:TASKS_SHOWN]:
        table.add_row(
            name,
            f"{one['num_items']:,}",
            f"{one['leaked']:,}",
            f"{one['leaked_fraction']:.1%}",
            f"{one['overlapping']:,}",
            f"{one['overlapping_fraction']:.1%}",
            f"{one['documents']:,}",
        )
    return table


def _matches(found: dict[str, Any], all_matches: bool) -> Any:
    from rich.text import Text

    shown = [match for match in found["matches"] if match["leaked"] or all_matches]
    if not shown:
        return None
    table = _table(
        f"{len(shown):,} of {found['num_matches']:,} matches", "uid", "item", "how", left=3
    )
    for match in shown:
        how = (
            match.get("span") or f"{match.get('how')}, {match.get('distance', 0):.1f} of 255 apart"
        )
        level = "" if match["leaked"] else f"(overlap, {match['coverage']:.0%}) "
        table.add_row(match["uid"], f"{match['task']}:{match['item']}", Text(level + how[:70]))
    return table


def _runs(runs: list[dict[str, Any]]) -> Any:
    if not runs:
        return None
    table = _table(
        "Scores without those items", "metric", "seed", "all items", "no leaked", "no overlapping"
    )
    for one in runs:
        for metric, full in one["full"].items():
            parts = (one["without_leaked"], one["without_overlapping"])
            cells = [_number(part["metrics"][metric]) for part in parts]
            table.add_row(metric, str(one["seed"]), _number(full), *cells)
    return table


def _number(value: float | None) -> str:
    return "-" if value is None else f"{value:.4f}"


def _composition(found: dict[str, Any]) -> Any:
    from rich.text import Text

    if not found:
        return None
    table = _table("Composition", "of", "value", "examples", "share", "pool", left=2)
    for heading, one in found.items():
        for share in one["top"][:VALUES_SHOWN]:
            table.add_row(
                heading,
                Text(share["value"] or "(none)"),
                f"{share['selected']:,}",
                f"{share['share']:.1%}",
                f"{share['pool_share']:.1%}",
            )
    return table


def _duplicates(document: dict[str, Any]) -> Any:
    table = _table("Copies within the selection", "kind", "groups", "largest", "redundant", "")
    for kind, one in document["duplicates"].items():
        cells = (f"{one[key]:,}" for key in ("groups", "largest", "redundant"))
        table.add_row(kind, *cells, f"{one['redundant_fraction']:.1%}")
    for one in document["embedding_duplicates"]:
        cells = (f"{one['similar']:,} of {one['queried']:,}", f"{one['similar_fraction']:.1%}")
        table.add_row(f"{one['embedding']}, cosine {one['threshold']}", "", "", *cells)
    return table


def _overlaps(found: list[dict[str, Any]]) -> Any:
    from rich.text import Text

    if not found:
        return None
    table = _table(
        "Nearest earlier submissions", "name", "submission", "Jaccard", "of this one", left=2
    )
    for one in found[:OVERLAPS_SHOWN]:
        name = Text(one["name"] + (" !" if one["alert"] else ""))
        cells = (f"{one['jaccard']:.4f}", f"{one['contained']:.1%}")
        table.add_row(name, one["submission"][7:19], *cells)
    return table


def _evidence(found: dict[str, Any] | None) -> Any:
    if found is None:
        return None
    table = _table("Min-K%++ of the model", "suspected", "n", "others", "AUROC", "p")
    headings = {
        "items": "leaked items, against others of their tasks",
        "control": "selected documents, against others",
    }
    for key, heading in headings.items():
        if one := found[key]:
            table.add_row(
                heading,
                f"{one['suspected']:,}",
                f"{one['others']:,}",
                f"{one['auroc']:.3f}",
                f"{one['p_value']:.2g}",
            )
    return table
