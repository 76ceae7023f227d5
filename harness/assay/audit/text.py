"""Audits for a terminal."""

from io import StringIO
from typing import Any

from rich import box
from rich.console import Console, Group
from rich.table import Table
from rich.text import Text

from assay.audit.composition import QUANTILES

WIDTH = 110
TASKS_SHOWN = 20
VALUES_SHOWN = 5
OVERLAPS_SHOWN = 5
QUANTILES_SHOWN = (0.05, 0.5, 0.95)


def audit_text(document: dict[str, Any], *, all_matches: bool) -> str:
    """Lay an audit out in short tables.

    Args:
        document: As `audit_document` returns it, with `membership` and `files`.
        all_matches: Overlaps are listed, too.
    """
    stream = StringIO()
    console = Console(file=stream, width=WIDTH)
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
        _composition(document["composition"], document["scripts"]),
        _lengths(document["lengths"]),
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


def _table(title: str, *headings: str, left: int = 1) -> Table:
    """Start a table whose first so many columns are aligned to the left."""
    table = Table(title=title, title_justify="left", box=box.SIMPLE_HEAD)
    for place, heading in enumerate(headings):
        table.add_column(heading, justify="left" if place < left else "right")
    return table


def _contamination(found: dict[str, Any]) -> Table | str:
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


def _matches(found: dict[str, Any], all_matches: bool) -> Table | None:
    shown = [match for match in found["matches"] if match["leaked"] or all_matches]
    if not shown:
        return None
    table = _table(
        f"{len(shown):,} of {found['num_matches']:,} matches", "uid", "item", "how", left=3
    )
    for match in shown:
        how = match["span"] if "span" in match else _image_match(match)
        share = f", {match['coverage']:.0%}" if "coverage" in match else ""
        level = "" if match["leaked"] else f"(overlap{share}) "
        table.add_row(match["uid"], f"{match['task']}:{match['item']}", Text(level + how[:70]))
    return table


def _image_match(match: dict[str, Any]) -> str:
    if match["how"] == "embedding":
        return "alike but for colours, or mirrored"
    return f"{match['how']}, {match['distance']:.1f} of 255 apart"


def _runs(runs: list[dict[str, Any]]) -> Table | None:
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


def _composition(found: dict[str, Any], scripts: dict[str, float]) -> Table:
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
    for script, share in list(scripts.items())[:VALUES_SHOWN]:
        table.add_row("script, by letters", script, "", f"{share:.1%}", "")
    return table


def _lengths(found: list[dict[str, Any]]) -> Table:
    shown = [QUANTILES.index(q) for q in QUANTILES_SHOWN]
    headings = (f"{q:.0%}" for q in QUANTILES_SHOWN)
    table = _table("Lengths, by quantile", "of", "in", *headings, left=2)
    for one in found:
        for whose, heading in (("selected", "the selection"), ("pool", "the pool")):
            if values := one[whose]:
                table.add_row(one["unit"], heading, *(f"{values[i]:,.0f}" for i in shown))
    return table


def _duplicates(document: dict[str, Any]) -> Table:
    table = _table("Copies within the selection", "kind", "groups", "largest", "redundant", "")
    for kind, one in document["duplicates"].items():
        cells = (f"{one[key]:,}" for key in ("groups", "largest", "redundant"))
        table.add_row(kind, *cells, f"{one['redundant_fraction']:.1%}")
    for one in document["embedding_duplicates"]:
        cells = (f"{one['similar']:,} of {one['queried']:,}", f"{one['similar_fraction']:.1%}")
        table.add_row(f"{one['embedding']}, cosine {one['threshold']}", "", "", *cells)
    return table


def _overlaps(found: list[dict[str, Any]]) -> Table | None:
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


def _evidence(found: dict[str, Any] | None) -> Group | None:
    if found is None:
        return None
    table = _table("Min-K%++ of the model", "suspected", "n", "others", "AUROC", "p")
    headings = {
        "items": "leaked items, against others of their tasks",
        "control": "control: selected documents, against others",
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
    return Group(table, Text(found["reading"]))
