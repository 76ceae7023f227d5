"""Fit a data-mixture law to a table of runs."""

import csv
import math
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from assay.compare.runs import MixtureRun
from assay.compare.scale import SEED
from assay.errors import CompareError
from assay.stats.laws import (
    CMR_CRITICAL,
    CMR_DOMAIN,
    FittedLaw,
    cmr_general_rise,
    critical_mixture_ratio,
    fit_cmr,
    fit_d_cpt,
    fit_power_curve,
)

CMR_UNIT = 0.2e9
"""Tokens that CMR counts in."""
COLUMNS = {
    "d-cpt": ("params", "tokens", "ratio", "loss"),
    "cmr": ("ratio", "tokens", "general_rise"),
}
DOMAIN = "domain_change"
CHANGES = ("general_rise", DOMAIN)
"""Columns that may be negative."""
FEWEST = {"d-cpt": 10, "cmr": 6}
"""Runs of a D-CPT table, checkpoints of each ratio of a CMR table: one more than the law has parameters."""


@dataclass(frozen=True)
class RatioCurve:
    """CMR's curve of one mixture ratio.

    Attributes:
        ratio: Share of the domain.
        law: Its general-loss curve.
        domain: Its domain-loss curve; None where the table has no `domain_change`.
    """

    ratio: float
    law: FittedLaw
    domain: FittedLaw | None


@dataclass(frozen=True)
class CriticalRatio:
    """The critical mixture ratio of one budget.

    Attributes:
        tokens: The budget.
        ratio: Largest ratio of the table whose general loss rises by no more than 0.05; None where none is.
    """

    tokens: float
    ratio: float | None


@dataclass(frozen=True)
class MixtureFit:
    """What `assay compare --results CSV --law` computes.

    Attributes:
        law: `d-cpt` or `cmr`.
        fit: Of D-CPT; None for CMR.
        curves: Of CMR, by ratio.
        critical: Of CMR, at every budget in the table and at twice the largest.
        critical_curve: Of CMR, through those; None with fewer than four budgets that have one.
    """

    law: str
    fit: FittedLaw | None
    curves: tuple[RatioCurve, ...]
    critical: tuple[CriticalRatio, ...]
    critical_curve: FittedLaw | None


def fit_mixture(path: Path, law: str) -> MixtureFit:
    """Fit a law to a file.

    Args:
        path: CSV with the columns `COLUMNS[law]`. For `cmr`, `general_rise` is the general loss above the
            base model's; a column `domain_change`, the domain loss above the base model's, is optional.
        law: `d-cpt` or `cmr`.

    Raises:
        CompareError: If a column or a number is missing, or runs are too few.
    """
    columns = _read(path, COLUMNS[law])
    if law == "d-cpt":
        return MixtureFit(law, _fit_d_cpt(columns, str(path)), (), (), None)
    budget, curves = columns["tokens"] / CMR_UNIT, []
    for ratio in np.unique(columns["ratio"]).tolist():
        chosen = columns["ratio"] == ratio
        what = f"checkpoints at ratio {ratio}"
        _enough(str(path), int(chosen.sum()), FEWEST[law], what)
        general = fit_cmr(budget[chosen], columns["general_rise"][chosen], seed=SEED)
        domain = None
        if DOMAIN in columns:
            values = columns[DOMAIN][chosen]
            domain = fit_power_curve(budget[chosen], values, CMR_DOMAIN, seed=SEED)
        curves.append(RatioCurve(ratio, general, domain))
    tokens = np.unique(columns["tokens"])
    critical = [_critical(curves, float(t)) for t in [*tokens, 2 * tokens[-1]]]
    return MixtureFit(law, None, tuple(curves), tuple(critical), _critical_curve(critical))


def fit_runs(runs: Sequence[MixtureRun], where: str) -> MixtureFit:
    """Fit D-CPT to runs of a ledger; those without the domain are no part of the law.

    Raises:
        CompareError: If the others are too few.
    """
    table = [(run.params, run.tokens, run.ratio, run.loss) for run in runs if run.ratio > 0]
    columns = np.array(table, dtype=np.float64).reshape(-1, len(COLUMNS["d-cpt"])).T
    by_name = dict(zip(COLUMNS["d-cpt"], columns, strict=True))
    return MixtureFit("d-cpt", _fit_d_cpt(by_name, where), (), (), None)


def _fit_d_cpt(columns: dict[str, NDArray[np.float64]], where: str) -> FittedLaw:
    _enough(where, len(columns["loss"]), FEWEST["d-cpt"], "runs with the domain")
    return fit_d_cpt(*(columns[name] for name in COLUMNS["d-cpt"]), seed=SEED)


def _critical(curves: Sequence[RatioCurve], tokens: float) -> CriticalRatio:
    rises = [float(cmr_general_rise(c.law.parameters, tokens / CMR_UNIT)) for c in curves]
    return CriticalRatio(tokens, critical_mixture_ratio([c.ratio for c in curves], rises))


def _critical_curve(points: Sequence[CriticalRatio]) -> FittedLaw | None:
    known = [(point.tokens / CMR_UNIT, point.ratio) for point in points if point.ratio is not None]
    if len(known) <= len(CMR_CRITICAL):
        return None
    budget, ratios = np.array(known).T
    return fit_power_curve(budget, ratios, CMR_CRITICAL, seed=SEED)


def _enough(where: str, found: int, needed: int, what: str) -> None:
    if found < needed:
        raise CompareError(f"{where} has {found} {what}; the law needs {needed}; add runs")


def _read(path: Path, columns: tuple[str, ...]) -> dict[str, NDArray[np.float64]]:
    with path.open(encoding="utf-8-sig", newline="") as stream:
        reader = csv.DictReader(stream)
        if missing := [name for name in columns if name not in (reader.fieldnames or [])]:
            raise CompareError(
                f"{path} has no column {missing[0]!r}; this law needs {', '.join(columns)}"
            )
        rows = list(reader)
    optional = (DOMAIN,) if DOMAIN in (reader.fieldnames or []) else ()
    return {
        name: np.array([_number(path, i, name, row) for i, row in enumerate(rows, 2)])
        for name in (*columns, *optional)
    }


def _number(path: Path, line: int, name: str, row: dict[str, str]) -> float:
    try:
        value = float(row[name])
    except (TypeError, ValueError):
        value = math.nan
    if not math.isfinite(value) or (name not in CHANGES and value <= 0):
        above = "" if name in CHANGES else " above 0"
        raise CompareError(
            f"{path}, line {line}: {name} is {row[name]!r}; it has to be a number{above}"
        )
    return value
