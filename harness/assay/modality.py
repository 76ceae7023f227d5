"""What differs between text and CLIP. Everything else in training is shared."""

from collections.abc import Iterator
from pathlib import Path
from typing import Protocol

from accelerate import Accelerator
from torch import Tensor, nn

from assay.track.spec import Optimizer, Schedule


class Modality(Protocol):
    """One kind of model: how it is built, fed and differentiated.

    Attributes:
        unit: What progress counts, `tok` or `samples`.
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

    def blocks(self, model: nn.Module) -> Iterator[nn.Module]:
        """Yield the repeated blocks, the units in which FSDP shards."""
        ...

    def backward(self, model: nn.Module, step: int, accelerator: Accelerator) -> Tensor:
        """Accumulate this process's gradients of one step; return its part of the step's loss.

        The parts of all processes add up to the loss over the *global* batch, however it is split
        into processes and micro-batches. DDP and FSDP average gradients over processes, so each
        part is multiplied by their number before it is differentiated.
        """
        ...

    def after_step(self, model: nn.Module) -> None:
        """Bring weights back into their bounds after the optimiser moved them."""
        ...

    def finish(self, model: nn.Module, accelerator: Accelerator) -> None:
        """Complete the final weights with what depends on them, such as statistics of batch norms."""
        ...

    def flops(self, model: nn.Module) -> float:
        """Return the floating-point operations of a whole run, forward and backward."""
        ...

    def facts(self) -> dict[str, int]:
        """Return what a record's training section says besides what all runs have."""
        ...

    def save_checkpoint(self, model: nn.Module, folder: Path) -> None:
        """Write the model into a folder, in the form that its field loads."""
        ...
