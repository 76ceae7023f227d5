"""A report as Markdown: what it says and every table, without the drawings."""

from collections.abc import Iterator

from assay.report.document import Report
from assay.report.figure import Table


def markdown(report: Report) -> str:
    """Return the report as GitHub's Markdown."""
    parts = [f"# {_escaped(report.title)}", *map(_escaped, report.summary)]
    for figure in report.figures:
        parts += [f"## {_escaped(figure.title)}", _escaped(figure.caption)]
        parts.append("\n".join(_lines(figure.table)))
    return "\n\n".join(parts) + "\n"


def _lines(table: Table) -> Iterator[str]:
    for row in (table.columns, ("---",) * len(table.columns), *table.rows):
        yield f"| {' | '.join(map(_escaped, row))} |"


def _escaped(text: str) -> str:
    """Return text that neither ends a cell nor starts a tag: names in it come from strangers."""
    for mark in ("\\", "|", "<", "`", "["):
        text = text.replace(mark, f"\\{mark}")
    return " ".join(text.split())
