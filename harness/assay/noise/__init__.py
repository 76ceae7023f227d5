"""The noise of a scale: what the ledger says of seeds, items and tasks, and which tasks are marked for it."""

from assay.noise.marks import Marks, read_marks, write_marks
from assay.noise.measure import (
    NoiseReport,
    PooledNoise,
    measure_noise,
    planned_effects,
    planned_seeds,
    pooled_noise,
)

__all__ = [
    "Marks",
    "NoiseReport",
    "PooledNoise",
    "measure_noise",
    "planned_effects",
    "planned_seeds",
    "pooled_noise",
    "read_marks",
    "write_marks",
]
