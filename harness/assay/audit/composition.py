"""What a selection is made of, beside what it was selected from."""

import re
from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from assay.audit.scan import Selected
from assay.pool import AnyPool, ImageTextPool

if TYPE_CHECKING:
    import pyarrow as pa

CATEGORIES = {
    "source": ("source",),
    "host": ("host",),
    "language": ("language", "lang", "language_code"),
    "licence": ("licence", "license"),
}
"""Heading to the columns that may hold it; the first that the pool has is used."""

TOP = 20
"""Values shown of each; the rest is counted together."""

QUANTILES = (0.0, 0.05, 0.25, 0.5, 0.75, 0.95, 1.0)

_YEAR = re.compile(r"(?:^|\D)(1[89]\d\d|20\d\d)(?:\D|$)")


@dataclass(frozen=True)
class Share:
    """One value of a column.

    Attributes:
        value: None stands for examples that have none.
        selected: Selected examples that have it.
        share: Of the selected examples.
        pool_share: Of the pool's.
    """

    value: str | None
    selected: int
    share: float
    pool_share: float


@dataclass(frozen=True)
class Breakdown:
    """A column of the selection.

    Attributes:
        column: Of the pool.
        values: Different values among the selected examples.
        top: The most frequent ones.
        other: Selected examples of all other values.
        distance: Total variation distance between selection and pool, in [0, 1]: the share of the
            selection that would have to change for the two to agree.
    """

    column: str
    values: int
    top: tuple[Share, ...]
    other: int
    distance: float


@dataclass(frozen=True)
class Lengths:
    """How long examples are, by quantile of 0, 5, 25, 50, 75, 95 and 100 %.

    Attributes:
        unit: `tokens`, `caption bytes` or `pixels` (the shorter side).
        selected: Of the selected examples.
        pool: Of the pool's.
    """

    unit: str
    selected: tuple[float, ...]
    pool: tuple[float, ...]


@dataclass(frozen=True)
class Epochs:
    """How often a run sees what is selected.

    Attributes:
        unit: What the budget counts, `tokens` or `samples`.
        budget: Of the scale.
        unique: In different examples, without end-of-text tokens.
        shown: Of one pass, repeats included.
        effective: Budget over unique: passes over the different examples.
    """

    unit: str
    budget: int
    unique: int
    shown: int
    effective: float


def breakdowns(pool: AnyPool, selected: Selected) -> dict[str, Breakdown]:
    """Break a selection down by source, host, language, licence and year, as far as columns say."""
    found: dict[str, Breakdown] = {}
    for heading, names in CATEGORIES.items():
        name = next((name for name in names if name in pool.column_names), None)
        if name is not None:
            found[heading] = _breakdown(name, pool.column(name), selected.rows)
    if "timestamp" in pool.column_names:
        found["year"] = _breakdown("timestamp", _years(pool.column("timestamp")), selected.rows)
    # A column that says nothing of any example is no composition.
    return {
        heading: one
        for heading, one in found.items()
        if any(share.value is not None for share in one.top)
    }


def lengths(pool: AnyPool, selected: Selected) -> tuple[Lengths, ...]:
    """Return how long documents are; of pairs, captions and images."""
    if not isinstance(pool, ImageTextPool):
        return (_lengths("tokens", selected.tokens, np.asarray(pool.n_tokens)),)
    columns = {
        "caption bytes": _numbers(pool, ("num_bytes", "n_bytes")),
        "pixels": _shorter_side(pool),
    }
    return tuple(
        _lengths(unit, values[selected.rows], values)
        for unit, values in columns.items()
        if values is not None
    )


def epochs(pool: AnyPool, selected: Selected, unit: str, budget: int) -> Epochs:
    """Return how often a run sees the selection."""
    size = np.ones(len(selected), np.int64) if isinstance(pool, ImageTextPool) else selected.tokens
    unique = int(size.sum())
    shown = int((size * selected.times).sum())
    return Epochs(unit, budget, unique, shown, budget / unique)


def _breakdown(name: str, column: "pa.Array", rows: NDArray[np.int64]) -> Breakdown:
    everything = _counts(column)
    mine = _counts(column.take(rows))
    n = len(rows)
    top = tuple(
        Share(value, count, count / n, everything[value] / len(column))
        for value, count in sorted(mine.items(), key=lambda one: (-one[1], str(one[0])))[:TOP]
    )
    distance = sum(abs(mine[v] / n - c / len(column)) for v, c in everything.items()) / 2
    return Breakdown(name, len(mine), top, n - sum(one.selected for one in top), distance)


def _counts(column: "pa.Array") -> Counter[str | None]:
    counted = column.value_counts()
    values = (
        None if value is None else str(value) for value in counted.field("values").to_pylist()
    )
    return Counter(dict(zip(values, counted.field("counts").to_pylist(), strict=True)))


def _years(column: "pa.Array") -> "pa.Array":
    import pyarrow as pa

    coded = column.dictionary_encode()
    years = [
        match[1] if value is not None and (match := _YEAR.search(str(value))) else None
        for value in coded.dictionary.to_pylist()
    ]
    if not years:
        return pa.nulls(len(column), pa.string())
    return pa.array(years, pa.string()).take(coded.indices)


def _numbers(pool: AnyPool, names: tuple[str, ...]) -> NDArray[np.float64] | None:
    name = next((name for name in names if name in pool.column_names), None)
    return None if name is None else pool.column(name).to_numpy(zero_copy_only=False).astype(float)


def _shorter_side(pool: AnyPool) -> NDArray[np.float64] | None:
    width, height = _numbers(pool, ("width",)), _numbers(pool, ("height",))
    return None if width is None or height is None else np.minimum(width, height)


def _lengths(unit: str, selected: NDArray[np.number], pool: NDArray[np.number]) -> Lengths:
    return Lengths(unit, _quantiles(selected), _quantiles(pool))


def _quantiles(values: NDArray[np.number]) -> tuple[float, ...]:
    known = values[np.isfinite(values)]
    return tuple(float(q) for q in np.quantile(known, QUANTILES)) if len(known) else ()
