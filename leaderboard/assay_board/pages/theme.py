"""Colours of the pages: those of reports, and the surfaces that a board needs besides."""

from assay.report.theme import DARK, LIGHT, properties

SURFACES = {
    "light": {"--raised": "#f5f7f9", "--band": "#e9f2f9", "--warn": "#9a4300", "--bad": "#b3261e"},
    "dark": {"--raised": "#1c2026", "--band": "#172a38", "--warn": "#f0a35c", "--bad": "#ff8a80"},
}
"""Raised: bars and cards. Band: rows that the first cannot be told from. Warn and bad are text."""


def colors(name: str) -> dict[str, str]:
    """Return the custom properties of `light` or `dark`."""
    return properties(LIGHT if name == "light" else DARK) | SURFACES[name]


def theme_css() -> str:
    """Return the style sheet with both themes: the system's, unless the reader chose one."""
    light, dark = (_block(colors(name)) for name in ("light", "dark"))
    dark = f"{{ color-scheme: dark; {dark} }}"
    return (
        f":root {{ color-scheme: light; {light} }}\n"
        f"@media (prefers-color-scheme: dark) {{ :root:not([data-theme=light]) {dark} }}\n"
        f":root[data-theme=dark] {dark}\n"
    )


def _block(values: dict[str, str]) -> str:
    return " ".join(f"{name}: {value};" for name, value in values.items())
