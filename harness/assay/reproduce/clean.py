"""How much of what a list shows is undamaged, by the hidden truth: a diagnostic that no strategy sees."""

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from assay.pool import AnyPool, ImageTextPool
from assay.pool.manifest import truth_path
from assay.strategy.run import read_truth
from assay.submission import Submission
from assay.submission.locate import locate


def clean_share(submission: Submission, pool: AnyPool) -> float | None:
    """Return the share of the tokens or pairs shown that come from examples without a planted defect, in [0, 1].

    Repeats count as often as they are shown, stages by their share of the budget. None where a pool has no truth.

    Raises:
        StrategyError: If the truth is damaged.
    """
    if not truth_path(pool.path).is_file():
        return None
    clean = _clean(read_truth(pool), pairs=isinstance(pool, ImageTextPool))
    shares = []
    for stage in submission.stages:
        located = locate(stage, submission.unit, pool)
        shown = located.shown * stage.repeats.astype(np.int64)
        shares.append(stage.share_ppm * float(np.average(clean[located.rows], weights=shown)))
    return sum(shares) / 1_000_000


def _clean(truth: pa.Table, *, pairs: bool) -> np.ndarray:
    """Return 1.0 for each row without a defect, else 0.0."""
    if pairs:
        found = pc.is_null(truth["defect"])  # pyright: ignore[reportAttributeAccessIssue]
    else:
        found = pc.equal(pc.list_value_length(truth["defects"]), 0)  # pyright: ignore[reportAttributeAccessIssue]
    return found.to_numpy().astype(float)
