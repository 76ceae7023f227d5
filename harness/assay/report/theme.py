"""Colours and type of figures, light and dark.

Entries differ in colour and in shape or dash, so that nothing hangs on colour alone.
"""

from dataclasses import dataclass
from typing import Any

FONT = "Arial, 'Liberation Sans', Helvetica, sans-serif"
"""Faces of the same widths: text was measured with one and may be shown in another."""

SYMBOLS = ("circle", "square", "triangle-up", "diamond", "cross", "triangle-down")


@dataclass(frozen=True)
class Theme:
    """Colours.

    Attributes:
        paper: Background.
        ink: Text.
        muted: Axes, leaders and what is undecided.
        grid: Grid lines and frames.
        categories: Of entries; at least 3:1 against the paper.
    """

    paper: str
    ink: str
    muted: str
    grid: str
    categories: tuple[str, ...]


LIGHT = Theme(
    paper="#ffffff",
    ink="#1b1f24",
    muted="#5d6671",
    grid="#e2e5e9",
    categories=("#0072b2", "#d55e00", "#008060", "#b8568f", "#2f93c8", "#b07800", "#3d4450"),
)
"""Source: Okabe and Ito's palette without its yellow, chosen for colour-vision deficiencies; four colours are darker, for contrast."""

DARK = Theme(
    paper="#14171b",
    ink="#e8eaed",
    muted="#9aa4af",
    grid="#30363d",
    categories=("#4da6e0", "#f0803c", "#2fc79a", "#e39ac4", "#9bd8ff", "#f5be4b", "#c8cdd3"),
)


def properties(theme: Theme) -> dict[str, str]:
    """Return CSS custom properties with the theme's colours."""
    single = {name: getattr(theme, name) for name in ("paper", "ink", "muted", "grid")}
    numbered = {f"category-{i}": color for i, color in enumerate(theme.categories)}
    return {f"--{name}": color for name, color in (single | numbered).items()}


PAGE = Theme(
    paper="var(--paper)",
    ink="var(--ink)",
    muted="var(--muted)",
    grid="var(--grid)",
    categories=tuple(f"var(--category-{i})" for i in range(len(LIGHT.categories))),
)
"""Colours that the page decides about: a figure in it follows the reader's theme, with or without scripts."""


def config(theme: Theme) -> dict[str, Any]:
    """Return the part of a Vega-Lite specification that a theme decides about."""
    text = {"labelColor": theme.ink, "titleColor": theme.ink, "labelFontSize": 12}
    axis = text | {
        "titleFontSize": 12,
        "titleFontWeight": "normal",
        "titlePadding": 10,
        "labelLimit": 220,
        "titleLimit": 640,
        "gridColor": theme.grid,
        "domainColor": theme.muted,
        "tickColor": theme.muted,
    }
    better, worse = theme.categories[:2]
    return {
        "background": theme.paper,
        "font": FONT,
        "view": {"stroke": theme.grid},
        "axis": axis,
        "header": text | {"labelFontWeight": "bold", "titleFontSize": 12, "labelLimit": 260},
        "legend": text | {"titleFontSize": 12, "titleFontWeight": "normal", "labelLimit": 260},
        "title": {"color": theme.ink, "fontSize": 12, "fontWeight": "bold", "anchor": "start"},
        "range": {
            "category": list(theme.categories),
            "symbol": list(SYMBOLS),
            "verdict": [better, worse, theme.muted],
        },
        "mark": {"color": theme.categories[0]},
        "rule": {"color": theme.ink},
        "tick": {"color": theme.ink},
        "text": {"color": theme.ink},
        "style": {
            "label": {"fontSize": 12, "align": "left", "baseline": "middle"},
            "blank": {"color": theme.paper},
            "hint": {"color": theme.muted, "fontSize": 12},
            "leader": {"color": theme.muted, "strokeWidth": 0.8, "strokeDash": [1, 2]},
            "reference": {"color": theme.muted, "strokeWidth": 1.2, "strokeDash": [4, 3]},
            "interval": {"color": theme.categories[0], "strokeWidth": 2},
            "benchmark": {"color": theme.ink, "thickness": 2.5, "opacity": 1},
        },
    }
