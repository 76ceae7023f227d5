"""Packed token windows, read in place: a pure function of (selection, seed, window number).

An epoch lays the selected segments end to end, each followed by the end-of-text token, in an order
drawn for that epoch; epochs follow each other until the budget is full. The stream is cut into
windows without padding, and the windows of a stage are visited in a drawn order, so that pieces of
one long document do not share a batch. Nothing depends on processes, workers or where a run resumed.
"""

from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from assay.order import drawn_order
from assay.pool import Pool
from assay.selection import SelectedStage, Selection


class StageStream:
    """The endless token stream of one stage.

    Attributes:
        epoch_tokens: Tokens in one pass over the stage's selection, end-of-text tokens included.
    """

    def __init__(self, pool: Pool, stage: SelectedStage, key: str):
        self._pool = pool
        self._key = key
        assert stage.spans is not None, "a selection of a text pool"
        repeats = stage.repeats.astype(np.int64)
        self._rows = np.repeat(stage.rows, repeats)
        self._starts = np.repeat(stage.spans.start, repeats)
        self._lengths = np.repeat(stage.spans.lengths, repeats) + 1
        self.epoch_tokens = int(self._lengths.sum())
        # A window touches one epoch or two; a shuffled visit comes back to all of a few.
        self._epoch = lru_cache(maxsize=32)(self._draw_epoch)

    def _draw_epoch(self, epoch: int) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        """Return the epoch's order of segments and where each ends."""
        order = drawn_order(len(self._rows), self._key, "epoch", epoch)
        return order, np.cumsum(self._lengths[order])

    def read(self, position: int, out: NDArray[np.int64]) -> None:
        """Fill `out` with the tokens from `position` of the stream on."""
        filled = 0
        while filled < len(out):
            epoch, offset = divmod(position + filled, self.epoch_tokens)
            order, ends = self._epoch(epoch)
            index = int(np.searchsorted(ends, offset, side="right"))
            while filled < len(out) and index < len(order):
                segment = order[index]
                inside = offset - (int(ends[index]) - int(self._lengths[segment]))
                filled += self._copy(segment, inside, out[filled:])
                offset = int(ends[index])
                index += 1

    def _copy(self, segment: np.int64, inside: int, out: NDArray[np.int64]) -> int:
        """Copy one segment's tokens from `inside` on; return how many were written."""
        length = int(self._lengths[segment])
        count = min(length - inside, len(out))
        start = int(self._starts[segment])
        text = min(count, length - 1 - inside)
        out[:text] = self._pool.tokens(int(self._rows[segment]))[
            start + inside : start + inside + text
        ]
        if text < count:
            out[text] = self._pool.eos_id
        return count


class WindowPlan:
    """Which tokens a run sees at each step.

    Attributes:
        context_length: Tokens that the model sees in a window; a window holds one more, the last target.
        windows_per_step: Windows in the global batch.
    """

    def __init__(
        self,
        pool: Pool,
        selection: Selection,
        *,
        seed: int,
        steps: int,
        windows_per_step: int,
        context_length: int,
    ):
        self.context_length = context_length
        self.windows_per_step = windows_per_step
        key = f"{selection.digest}/{seed}"
        self._last_steps = selection.last_steps(steps)
        self._streams: list[StageStream] = []
        self._orders: list[NDArray[np.int64]] = []
        first = 0
        for number, (stage, last) in enumerate(
            zip(selection.stages, self._last_steps, strict=True)
        ):
            self._streams.append(StageStream(pool, stage, f"{key}/stage{number}"))
            self._orders.append(
                drawn_order((last - first) * windows_per_step, key, "windows", number)
            )
            first = last

    def windows(self, step: int, first: int, stop: int) -> NDArray[np.int64]:
        """Return windows `first` to `stop` of a step's global batch, shape (stop-first, context+1)."""
        stage = int(np.searchsorted(self._last_steps, step, side="right"))
        stage_start = self._last_steps[stage - 1] if stage else 0
        out = np.empty((stop - first, self.context_length + 1), dtype=np.int64)
        base = (step - stage_start) * self.windows_per_step
        for i, number in enumerate(self._orders[stage][base + first : base + stop]):
            self._streams[stage].read(int(number) * self.context_length, out[i])
        return out
