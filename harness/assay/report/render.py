"""Draw figures without a browser and without a network: vl-convert carries Vega and its fonts."""

from functools import cache
from types import ModuleType
from typing import Any

from assay.errors import CompareError
from assay.report.figure import Figure, Spec
from assay.report.theme import LIGHT, Theme, config

PNG_SCALE = 2.0
"""Pixels of a PNG a pixel of the figure."""


def check_installed() -> None:
    """Refuse to start on a report that cannot be drawn.

    Raises:
        CompareError: If the extra `report` is not installed.
    """
    _vega()
    try:
        import jinja2  # noqa: F401
    except ImportError:
        raise _not_installed("jinja2") from None


def complete(figure: Figure, theme: Theme) -> Spec:
    """Return a figure's specification with a theme's colours, ready for Vega-Lite."""
    assert figure.spec is not None, f"{figure.key} is a table"
    return figure.spec | {"config": config(theme), "description": figure.alt}


def svg(figure: Figure, theme: Theme = LIGHT) -> str:
    """Draw a figure as SVG."""
    return _vega().vegalite_to_svg(complete(figure, theme), allowed_base_urls=[])


def png(figure: Figure, theme: Theme = LIGHT) -> bytes:
    """Draw a figure as PNG, `PNG_SCALE` times as large as on the page."""
    spec = complete(figure, theme)
    return _vega().vegalite_to_png(spec, scale=PNG_SCALE, allowed_base_urls=[])


@cache
def scripts() -> str:
    """Return Vega, Vega-Lite and Vega-Embed as one script; takes seconds."""
    bundle = _vega().javascript_bundle()
    assert "</script" not in bundle.lower(), "the page would end inside its own script"
    return bundle


def _vega() -> ModuleType:
    try:
        import vl_convert
    except ImportError:
        raise _not_installed("vl-convert-python") from None
    found: Any = vl_convert
    return found


def _not_installed(package: str) -> CompareError:
    return CompareError(
        f"a report needs {package}, which is not installed; install it with: pip install -c constraints.txt -e '.[report]'"
    )
