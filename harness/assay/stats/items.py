"""Item noise: what a difference owes to the items that the suite happens to hold.

Seed error alone answers "on this suite". Adding the item error answers "on new items of these tasks".
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from assay.stats.noise import Difference, difference


@dataclass(frozen=True)
class ItemError:
    """The part of a suite mean's variance that comes from items.

    Attributes:
        se: Standard error over items, or over passages where items share one.
        degrees: Degrees of freedom, by Satterthwaite over tasks.
    """

    se: float
    degrees: float


def item_error(
    differences: Mapping[str, NDArray[np.float64]],
    clusters: Mapping[str, ArrayLike] | None = None,
) -> ItemError:
    """Return the standard error over items of a mean over tasks of a mean over items.

    Items of one passage are one draw: their deviations are summed before they are squared. Coverage of the
    resulting 95 % interval, simulated with 40 passages of five items at a within-passage correlation of 0.7,
    is 94 to 95 %; items taken for independent, it is 69 %.

    Args:
        differences: Task to its item-level differences of two entries, averaged over seeds; two items or more
            each.
        clusters: Task to a label an item; tasks that are left out have independent items.

    Source:
        Liang and Zeger's cluster-robust variance (1986), with the factor C / (C - 1) for C clusters; Miller
        (2024), https://arxiv.org/abs/2411.00640, for evaluation items.
    """
    tasks = len(differences)
    variances, degrees = [], []
    for task, values in differences.items():
        labels = (clusters or {}).get(task, range(len(values)))
        _, which = np.unique(np.asarray(labels), return_inverse=True)
        sums = np.bincount(which, weights=values - values.mean())
        count = len(sums)
        assert count > 1, f"{task} has one item or passage, which has no spread"
        variances.append(float((sums**2).sum()) / len(values) ** 2 * count / (count - 1))
        degrees.append(count - 1)
    total = math.fsum(variances)
    spread = math.fsum(v * v / d for v, d in zip(variances, degrees, strict=True))
    freedom = total**2 / spread if spread > 0 else float(sum(degrees))
    return ItemError(math.sqrt(total) / tasks, freedom)


def on_new_items(seed: Difference, items: ItemError, confidence: float = 0.95) -> Difference:
    """Widen a difference by its item error.

    Slightly conservative: item-level differences still carry seed noise that the seed error counts as well.
    """
    se = math.hypot(seed.se, items.se)
    spread = seed.se**4 / seed.degrees + items.se**4 / items.degrees
    degrees = se**4 / spread if spread > 0 else seed.degrees
    return difference(seed.delta, se, degrees, seed.form, confidence)
