"""What differs between text and CLIP. Everything else in training is shared."""

from collections.abc import Iterator
from contextlib import AbstractContextManager
from typing import Protocol

import torch
from torch import Tensor, nn

from assay.track.spec import Optimizer, Schedule


class Precision(Protocol):
    """Anything that can open an autocast region (an `accelerate.Accelerator` does)."""

    def autocast(self) -> AbstractContextManager[None]:
        """Return the context in which forward passes run."""
        ...


class Modality(Protocol):
    """One kind of model: how it is built, fed and differentiated.

    Attributes:
        unit: What the budget counts, `tok` or `samples`.
        steps: Optimiser steps in a run.
        units_per_step: Budget units that one step consumes over all devices.
        optimizer: How weights move.
        schedule: Learning rate over steps.
        precision: `fp32` or `bf16`.
        average_last_frac: Fraction of the last steps whose weights are averaged.
    """

    unit: str
    steps: int
    units_per_step: int
    optimizer: Optimizer
    schedule: Schedule
    precision: str
    average_last_frac: float

    def build_model(self, seed: int) -> nn.Module:
        """Build the network, initialised from the seed alone."""
        ...

    def matrix_parameters(self, model: nn.Module) -> Iterator[str]:
        """Name the parameters that Muon may move: the matrices inside the blocks."""
        ...

    def losses(
        self, model: nn.Module, step: int, rank: int, world: int, device: torch.device
    ) -> Iterator[Tensor]:
        """Yield this process's micro-batch losses for one step.

        Each is already divided by the number of targets in the *global* batch, so that the sum over
        micro-batches and processes is the step's loss whatever the split; the caller runs the
        backward pass on each before asking for the next.
        """
        ...

    def flops(self, model: nn.Module) -> float:
        """Return the floating-point operations of a whole run, forward and backward."""
        ...
