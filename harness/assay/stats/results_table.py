"""Published tables of results: one row a run, with its recipe, its scale, and a column a metric.

DCLM's model database is one. Columns, in any letter case: `dataset` or `recipe`; `params` and `tokens`, or
`scale`; optionally `lr` (also read from DCLM's file names) and `creation_date`. Every other numeric column is
a metric.
"""

import csv
import math
import re
from collections import Counter
from dataclasses import dataclass
from pathlib import Path

from assay.errors import CompareError
from assay.stats.core import CORE_BASELINES, core

RECIPE_COLUMNS = ("dataset", "recipe", "submission")
LR_COLUMNS = ("lr", "learning_rate")
PUBLISHED_COLUMN = "_filename"
"""DCLM's: the evaluation file in its repository, named by hyper-parameters; empty for runs that were not
published."""
DATE_COLUMN = "creation_date"
DEFAULT_METRICS = ("core_v2", "core", "score", "average")
TOKENS_PER_PARAMETER = 20
"""What DCLM calls 1x."""
NAME_FACTOR = 1.5
"""How far a name's size may be from the table's: DCLM calls 1.44B parameters `1B`."""
CORE_ROUNDING = 1e-9
"""Above what ten printed digits of 22 accuracies do to their mean."""

_LR = re.compile(r"-lr=(\d+(?:p\d+)?(?:e-?\d+)?)-")
_SCALE = re.compile(r"([\d.]+)([mb])-([\d.]+)x", re.IGNORECASE)
_LOSSES = ("perplexity", "loss", "bits_per_byte")


@dataclass(frozen=True)
class ResultsScale:
    """A compute budget that a table has runs of.

    Attributes:
        label: Such as `412M-1x`, or the table's own word.
        order: Scales sort by it: parameters times tokens, or order of appearance.
        params: None where the table names its scales.
        tokens: None where the table names its scales.
    """

    label: str
    order: float
    params: float | None = None
    tokens: float | None = None


@dataclass(frozen=True)
class ResultsRow:
    """One run.

    Attributes:
        line: In the file, from 1.
        recipe: What was trained on.
        scale: How large.
        lr: Learning rate; None where the table does not say.
        date: As written; dates sort as text.
        published: False for a run that the table holds without an evaluation file beside others that have
            one.
        scores: By metric, in lower case, finite values alone.
    """

    line: int
    recipe: str
    scale: ResultsScale
    lr: float | None
    date: str
    published: bool
    scores: dict[str, float]


def read_results(path: Path) -> list[ResultsRow]:
    """Read a table; where it has the 22 tasks of CORE, `core_v0` to `core_v2` are computed from them.

    Raises:
        CompareError: If the file is no such table.
    """
    try:
        with path.open(encoding="utf-8-sig", newline="") as stream:
            reader = csv.DictReader(stream)
            header = [column.strip().lower() for column in reader.fieldnames or []]
            cells = [dict(zip(header, row.values(), strict=False)) for row in reader]
    except (UnicodeDecodeError, csv.Error) as error:
        raise CompareError(f"{path} is not CSV ({error}); export the table as UTF-8 CSV") from None
    recipe = next((name for name in RECIPE_COLUMNS if name in header), None)
    has_scale = "scale" in header or {"params", "tokens"} <= set(header)
    if recipe is None or not has_scale:
        raise CompareError(
            f"{path} needs a column `dataset` or `recipe`, and `params` and `tokens` or `scale`; "
            f"it has {', '.join(header[:8]) or 'none'}; rename its columns"
        )
    rows, scales = [], {}
    for line, row in enumerate(cells, start=2):
        scale = _scale(row, scales)
        if scale is not None and row.get(recipe):
            rows.append(
                ResultsRow(
                    line=line,
                    recipe=row[recipe],
                    scale=scale,
                    lr=_learning_rate(row),
                    date=row.get(DATE_COLUMN) or "",
                    published=bool(row.get(PUBLISHED_COLUMN, "yes")),
                    scores=_scores(row),
                )
            )
    if not rows:
        raise CompareError(f"{path} has no row with a recipe and a scale; a row is one run")
    return rows


def lower_is_better(metric: str) -> bool:
    """Say whether a column is a loss, by its name."""
    return any(word in metric for word in _LOSSES)


def default_metric(rows: list[ResultsRow]) -> str | None:
    """Return the metric that a table is about, or None where no usual one is there."""
    known = {metric for row in rows for metric in row.scores}
    return next((metric for metric in DEFAULT_METRICS if metric in known), None)


def find_scale(rows: list[ResultsRow], wanted: str) -> ResultsScale:
    """Return the table's scale of that name; `7B-1x` finds 6.9B parameters at 20 tokens each.

    Raises:
        CompareError: If none is near.
    """
    scales = sorted({row.scale for row in rows}, key=lambda s: s.order)
    for scale in scales:
        if scale.label.lower() == wanted.lower():
            return scale
    parsed = _SCALE.fullmatch(wanted)
    if parsed and scales[0].params is not None:
        size = float(parsed[1]) * (1e9 if parsed[2].lower() == "b" else 1e6)
        tokens = float(parsed[3]) * TOKENS_PER_PARAMETER
        near = [(_distance(scale, size, tokens), scale) for scale in scales]
        found = min(near, key=lambda pair: pair[0])
        if found[0] < math.log(NAME_FACTOR):
            return found[1]
    labels = ", ".join(scale.label for scale in scales[:12])
    raise CompareError(f"no scale {wanted!r} in the table; it has {labels}; name one of these")


@dataclass(frozen=True)
class CoreCheck:
    """How a table's Core column compares with CORE computed from its task accuracies.

    Attributes:
        rows: Runs with Core and all 22 tasks.
        max_error: Largest distance to the nearest version.
        versions: Version to the number of rows that it gives within `CORE_ROUNDING`.
    """

    rows: int
    max_error: float
    versions: dict[str, int]


def check_core(rows: list[ResultsRow]) -> CoreCheck | None:
    """Recompute a table's Core column, or return None where it has none."""
    errors, versions = [], Counter()
    for row in rows:
        if "core" in row.scores and "core_v2" in row.scores:
            gaps = {v: abs(row.scores[v] - row.scores["core"]) for v in CORE_BASELINES}
            best = min(gaps, key=lambda version: gaps[version])
            errors.append(gaps[best])
            versions[best if gaps[best] < CORE_ROUNDING else "none"] += 1
    return CoreCheck(len(errors), max(errors), dict(versions)) if errors else None


def _distance(scale: ResultsScale, size: float, tokens_per_parameter: float) -> float:
    """Return how far a scale is from a name in log size; its token multiple has to agree within 5 %."""
    assert scale.params is not None
    assert scale.tokens is not None
    multiple = scale.tokens / scale.params
    if abs(math.log(multiple / tokens_per_parameter)) > 0.05:
        return math.inf
    return abs(math.log(scale.params / size))


def _scale(row: dict[str, str], seen: dict[object, ResultsScale]) -> ResultsScale | None:
    params, tokens = _number(row.get("params")), _number(row.get("tokens"))
    if params and tokens:
        size = f"{params / 1e9:.2g}B" if params >= 1e9 else f"{params / 1e6:.3g}M"
        label = f"{size}-{tokens / params / TOKENS_PER_PARAMETER:.2g}x"
        found = ResultsScale(row.get("scale") or label, params * tokens, params, tokens)
    elif row.get("scale"):
        found = seen.get(row["scale"]) or ResultsScale(row["scale"], float(len(seen)))
        seen[row["scale"]] = found
    else:
        return None
    return found


def _learning_rate(row: dict[str, str]) -> float | None:
    for column in LR_COLUMNS:
        if (value := _number(row.get(column))) is not None:
            return value
    found = _LR.search(row.get(PUBLISHED_COLUMN) or "")
    return float(found[1].replace("p", ".")) if found else None


def _scores(row: dict[str, str]) -> dict[str, float]:
    taken = {*RECIPE_COLUMNS, *LR_COLUMNS, "params", "tokens", "scale"}
    found = {name: _number(cell) for name, cell in row.items() if name not in taken}
    scores = {name: value for name, value in found.items() if value is not None}
    for version in CORE_BASELINES:
        if (value := core(scores, version)) is not None:
            scores[version] = value
    return scores


def _number(cell: str | None) -> float | None:
    try:
        value = float(cell or "")
    except ValueError:
        return None
    return value if math.isfinite(value) else None
