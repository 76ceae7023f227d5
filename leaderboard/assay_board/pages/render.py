"""Templates filled in. Everything is escaped; no page has a script or a style in itself."""

import re
from functools import cache
from importlib import resources
from itertools import pairwise
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined

from assay import __version__
from assay.report.figure import Figure
from assay.report.render import complete
from assay.report.theme import PAGE
from assay_board.pages import links as paths
from assay_board.pages.links import Links
from assay_board.pages.snapshot import Snapshot
from assay_board.pages.text import FILTERS, INTERVAL_WIDTH
from assay_board.pages.theme import theme_css

FOLDER = Path(__file__).parent
RULES = "RULES.md"
POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; "
    "form-action 'self'; base-uri 'none'"
)
"""The content security policy, without who may frame a page: a header alone can say that."""


@cache
def environment() -> Environment:
    """Return the templates."""
    env = Environment(
        loader=FileSystemLoader(FOLDER / "templates"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    env.filters.update(FILTERS, safe_url=paths.safe_url, combined=lambda a, b: {**a, **b})
    env.globals.update(
        board_path=paths.board_path,
        compare_path=paths.compare_path,
        progress_path=paths.progress_path,
        entry_path=paths.entry_path,
        interval_width=INTERVAL_WIDTH,
        version=__version__,
        policy=POLICY,
        local=paths.LOCAL,
        tracks_in=lambda snapshot: sorted(
            {t.track for t in snapshot.tables.values()}, reverse=True
        ),
    )
    return env


def render(template: str, links: Links, snapshot: Snapshot, **values: Any) -> str:
    """Fill a template in.

    Args:
        template: Name without its ending.
        links: Of the page.
        snapshot: Of the ledger, for the foot of the page.
        values: What the template shows.
    """
    found = environment().get_template(f"{template}.html.jinja")
    return found.render(links=links, live=not links.exported, snapshot=snapshot, **values)


def render_file(template: str, **values: Any) -> str:
    """Fill in a template that is no page: a feed or a badge."""
    return environment().get_template(template).render(**values)


def drawn(figure: Figure) -> dict[str, Any]:
    """Return a figure as its template wants it; the browser draws it in the reader's colours."""
    spec = None if figure.spec is None else complete(figure, PAGE)
    return {"figure": figure, "spec": spec}


@cache
def assets() -> dict[str, bytes]:
    """Return scripts, styles and licences by name; the theme is made of the colours of reports."""
    folder = FOLDER / "static"
    found = {
        path.relative_to(folder).as_posix(): path.read_bytes()
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    }
    return found | {"theme.css": theme_css().encode()}


@cache
def rules_html() -> str:
    """Return the rules of the board as HTML; raw HTML in them stays text."""
    from markdown_it import MarkdownIt

    markdown = MarkdownIt("commonmark", {"html": False}).enable("table")
    tokens = markdown.parse(rules_text())
    for opening, text in pairwise(tokens):
        if opening.type == "heading_open":
            opening.attrSet("id", re.sub(r"\W+", "-", text.content.lower()).strip("-"))
    return markdown.renderer.render(tokens, markdown.options, {})


def rules_text() -> str:
    """Return the rules: a wheel carries them inside the package, a clone beside it."""
    package = Path(str(resources.files("assay_board")))
    inside = package / RULES
    return (inside if inside.is_file() else package.parent / RULES).read_text(encoding="utf-8")
