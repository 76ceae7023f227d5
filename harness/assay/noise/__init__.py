"""The noise of a scale: what the ledger says of seeds, items and tasks, and which tasks are marked for it."""

from assay.noise.marks import read_marks, write_marks
from assay.noise.measure import NoiseReport, measure_noise, planned_effects, planned_seeds

__all__ = [
    "NoiseReport",
    "measure_noise",
    "planned_effects",
    "planned_seeds",
    "read_marks",
    "write_marks",
]
