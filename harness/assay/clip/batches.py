"""Which pairs a run sees at each step: a pure function of (selection, seed, step).

An epoch is the selection with its multiplicities, in an order drawn for that epoch; epochs follow each
other until the stage's share of the budget is full. Nothing depends on processes, workers or where a
run resumed, and a run sees exactly its budget.
"""

from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from assay.order import drawn_order, drawn_words
from assay.selection import SelectedStage, Selection

OPEN_EPOCHS = 2
"""Orders kept in memory: a batch touches one epoch, or two. Each takes 8 bytes a pair of the selection."""


class StageOrder:
    """The endless sequence of pairs of one stage."""

    def __init__(self, stage: SelectedStage, key: str):
        self._key = key
        self._rows = np.repeat(stage.rows, stage.repeats.astype(np.int64))
        self._epoch = lru_cache(maxsize=OPEN_EPOCHS)(self._draw_epoch)

    def _draw_epoch(self, epoch: int) -> NDArray[np.int64]:
        return self._rows[drawn_order(len(self._rows), self._key, "epoch", epoch)]

    def rows(self, first: int, stop: int) -> NDArray[np.int64]:
        """Return the pool's rows at positions `first` to `stop` of the sequence."""
        size = len(self._rows)
        epochs = [self._epoch(epoch) for epoch in range(first // size, -(-stop // size))]
        start = first - first // size * size
        return np.concatenate(epochs)[start : start + stop - first]


class PairPlan:
    """Which pairs a run sees, and the randomness of each look at one.

    Attributes:
        steps: Optimiser steps in a run.
        batch_size: Pairs in the global batch.
    """

    def __init__(self, selection: Selection, *, seed: int, steps: int, batch_size: int):
        self.steps = steps
        self.batch_size = batch_size
        self._key = f"{selection.digest}/{seed}"
        self._last_steps = selection.last_steps(steps)
        self._stages = [
            StageOrder(stage, f"{self._key}/stage{number}")
            for number, stage in enumerate(selection.stages)
        ]

    def rows(self, step: int) -> NDArray[np.int64]:
        """Return the rows of a step's global batch, (batch_size,)."""
        stage = int(np.searchsorted(self._last_steps, step, side="right"))
        first = (step - (self._last_steps[stage - 1] if stage else 0)) * self.batch_size
        return self._stages[stage].rows(first, first + self.batch_size)

    def words(self, step: int) -> NDArray[np.uint64]:
        """Return a random word for each sample of a step's global batch, for its augmentation."""
        return drawn_words(self.batch_size, self._key, "augment", step)
