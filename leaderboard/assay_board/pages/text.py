"""Numbers, times and digests as pages write them."""

from collections.abc import Callable
from typing import Any

from assay.report.figure import UNKNOWN

INTERVAL_WIDTH = 160
"""Pixels of a small interval; the script that draws rows has the same."""


def decimals(value: float | None, digits: int = 4, sign: bool = False) -> str:
    """Return a number with so many decimals, or a dash."""
    if value is None or value != value:
        return UNKNOWN
    return format(value, f"{'+' if sign else ''}.{digits}f").replace("-", "−")


def duration(seconds: float | None) -> str:
    """Return a duration in the unit that people would choose."""
    if seconds is None:
        return UNKNOWN
    for limit, unit, size in ((60, "s", 1), (3600, "min", 60), (86400, "h", 3600)):
        if seconds < limit:
            return f"{seconds / size:.3g} {unit}"
    return f"{seconds / 86400:,.3g} d" if seconds < 86400 * 1000 else f"{seconds / 86400:,.0f} d"


def moment(iso: str) -> str:
    """Return an ISO time to the minute."""
    return iso[:16].replace("T", " ") + " UTC" if iso else UNKNOWN


def short(digest: str) -> str:
    """Return the first digits of a digest."""
    return digest.removeprefix("sha256:")[:12]


def placed(value: float, domain: tuple[float, float]) -> float:
    """Return where a value lies on a small interval's axis, in pixels, kept on it."""
    low, high = domain
    share = (value - low) / (high - low) if high > low else 0.5
    return round(4 + (INTERVAL_WIDTH - 8) * min(max(share, 0.0), 1.0), 1)


def p_value(p: float | None) -> str:
    """Return a p-value."""
    return UNKNOWN if p is None else "<0.001" if p < 0.001 else f"{p:.3f}"


def compute(flops: float | None) -> str:
    """Return a number of floating-point operations."""
    return UNKNOWN if not flops else f"{flops:.2g}".replace("e+", "e")


FILTERS: dict[str, Callable[..., Any]] = {
    "decimals": decimals,
    "duration": duration,
    "moment": moment,
    "short": short,
    "placed": placed,
    "p_value": p_value,
    "compute": compute,
}
