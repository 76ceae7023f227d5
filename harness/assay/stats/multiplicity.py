"""Many tests at once: p-values adjusted so that a family of them keeps its error rate."""

from collections.abc import Sequence

import numpy as np


def holm(p_values: Sequence[float]) -> list[float]:
    """Return p-values adjusted to control the chance of any false positive, in the given order.

    Source:
        Holm (1979): sorted p-values times m, m - 1, ..., 1, made monotone; valid under any dependence.
    """
    p = np.asarray(p_values, dtype=np.float64)
    order = np.argsort(p, kind="stable")
    raised = np.maximum.accumulate(p[order] * np.arange(len(p), 0, -1))
    adjusted = np.empty_like(p)
    adjusted[order] = np.minimum(raised, 1.0)
    return adjusted.tolist()


def benjamini_hochberg(p_values: Sequence[float]) -> list[float]:
    """Return p-values adjusted to control the expected share of false positives among positives.

    Source:
        Benjamini and Hochberg (1995), as SciPy has it.
    """
    if not len(p_values):
        return []
    from scipy.stats import false_discovery_control

    return false_discovery_control(p_values).tolist()
