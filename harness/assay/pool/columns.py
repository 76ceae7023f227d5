"""Which metadata columns a pool has, and how a value fits one.

The five known columns are strings. The others are the scalar fields of the first 1,000 records of
each source, the 64 most frequent where there are more. A field of one type keeps it, integers and
floats together are floats, any other mixture is strings. The order of documents plays no part, nor
does anything after those records: a new field is left out, a value that does not fit is null, and
the report counts it.
"""

import math
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from assay.canonical import canonical_json
from assay.pool.manifest import Column, ColumnType
from assay.pool.records import KNOWN_COLUMNS, Scalar

MAX_FIELDS = 64
_INT64 = range(-(1 << 63), 1 << 63)


def infer_columns(
    records: Iterable[Mapping[str, Scalar]], known: Sequence[str] = KNOWN_COLUMNS
) -> tuple[tuple[Column, ...], list[str]]:
    """Decide the schema from a sample of records.

    Args:
        records: Their columns.
        known: Columns that are there in any case, strings.

    Returns:
        The columns, known ones first, then by name; and the fields left out for want of room.
    """
    frequency: Counter[str] = Counter()
    kinds: defaultdict[str, set[ColumnType]] = defaultdict(set)
    for record in records:
        for name, value in record.items():
            if value is not None and name not in known:
                frequency[name] += 1
                kinds[name].add(_kind(value))
    ranked = sorted(frequency, key=lambda name: (-frequency[name], name))
    first = [Column(name, "string") for name in known]
    others = [Column(name, _common(kinds[name])) for name in sorted(ranked[:MAX_FIELDS])]
    return tuple(first + others), sorted(ranked[MAX_FIELDS:])


def fit(value: Scalar, kind: ColumnType) -> tuple[Any, bool]:
    """Return the value as a column of this type holds it, and whether that was possible."""
    if value is None:
        return None, True
    if isinstance(value, float) and not math.isfinite(value):
        return None, False
    given = _kind(value)
    if kind == "string":
        word = value if isinstance(value, str) else canonical_json(value).decode()
        return (word, True) if _encodable(word) else (None, False)
    if kind == "float64" and given in ("int64", "float64"):
        return float(value), True
    return (value, True) if given == kind else (None, False)


def _kind(value: str | int | float | bool) -> ColumnType:
    if isinstance(value, bool):
        return "bool"
    if isinstance(value, int):
        return "int64" if value in _INT64 else "string"
    return "float64" if isinstance(value, float) else "string"


def _common(kinds: set[ColumnType]) -> ColumnType:
    if len(kinds) == 1:
        return next(iter(kinds))
    return "float64" if kinds == {"int64", "float64"} else "string"


def _encodable(word: str) -> bool:
    try:
        word.encode("utf-8")
    except UnicodeEncodeError:
        return False
    return True
