"""Lay a report out as one HTML file that asks for nothing else."""

import base64
import hashlib
from importlib import resources
from typing import Any

from assay import __version__
from assay.report.document import Report
from assay.report.figure import Figure
from assay.report.render import complete, scripts, svg
from assay.report.theme import DARK, LIGHT, PAGE, properties

LONGEST_OPEN_TABLE = 15
"""Rows beyond which a table is folded."""


def page(report: Report) -> str:
    """Return the page.

    Names in it come from strangers: the template escapes all of them, data travels as escaped JSON, and the
    page's own policy runs no script but the two whose digests it states and loads nothing from anywhere.
    """
    from jinja2 import Environment, StrictUndefined

    environment = Environment(
        autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True
    )
    template = environment.from_string(_asset("page.html.jinja"))
    library, start = scripts(), _asset("start.js")
    return template.render(
        report=report,
        sections=[_section(figure) for figure in report.figures],
        styles=_asset("page.css"),
        light=properties(LIGHT),
        dark=properties(DARK),
        library=library,
        start=start,
        digests=[_digest(library), _digest(start)],
        version=__version__,
    )


def _section(figure: Figure) -> dict[str, Any]:
    return {
        "figure": figure,
        # The SVG is vl-convert's own serialisation, in which names are escaped text.
        "svg": None if figure.spec is None else svg(figure, PAGE),
        "spec": None if figure.spec is None else complete(figure, PAGE),
        "open": len(figure.table.rows) <= LONGEST_OPEN_TABLE,
    }


def _digest(script: str) -> str:
    """Return a script's digest as a content security policy wants it."""
    raw = hashlib.sha256(script.encode("utf-8")).digest()
    return f"'sha256-{base64.b64encode(raw).decode()}'"


def _asset(name: str) -> str:
    return (resources.files("assay.report") / name).read_text(encoding="utf-8")
