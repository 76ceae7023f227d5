"""The text modality: what `assay.train` needs to train a language model on a selection."""

from collections.abc import Iterator

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from assay.errors import RunError
from assay.pool import Pool
from assay.selection import Selection
from assay.text.batches import WindowPlan
from assay.text.model import build_model, matrix_names, training_flops
from assay.track.spec import Recipe


class TextModality:
    """A recipe, a selection and a seed, ready to train.

    Attributes:
        unit: The budget counts tokens.
        steps: Optimiser steps in a run.
        units_per_step: Tokens per step over all devices.
    """

    unit = "tok"

    def __init__(
        self, pool: Pool, selection: Selection, recipe: Recipe, *, seed: int, micro_batch: int
    ):
        self.recipe = recipe
        self.steps = recipe.steps
        self.units_per_step = recipe.global_batch_tokens
        self.optimizer = recipe.optimizer
        self.schedule = recipe.schedule
        self.precision = recipe.precision
        self.average_last_frac = recipe.average_last_frac
        self._eos_id = pool.eos_id
        self._micro_batch = micro_batch
        self._plan = WindowPlan(
            pool,
            selection,
            seed=seed,
            steps=recipe.steps,
            windows_per_step=recipe.global_batch_tokens // recipe.model.context_length,
            context_length=recipe.model.context_length,
        )

    def build_model(self, seed: int) -> nn.Module:
        """Build the network, initialised from the seed alone."""
        return build_model(self.recipe.model, self._eos_id, seed)

    def matrix_parameters(self, model: nn.Module) -> Iterator[str]:
        """Name the matrices inside the blocks."""
        return matrix_names(model)

    def losses(
        self, model: nn.Module, step: int, rank: int, world: int, device: torch.device
    ) -> Iterator[Tensor]:
        """Yield micro-batch losses, each over the number of targets in the global batch.

        Raises:
            RunError: If the processes cannot share the global batch evenly.
        """
        total = self._plan.windows_per_step
        if total % world:
            raise RunError(
                f"machine.processes={world} does not divide the recipe's global batch of {total} windows; "
                f"choose a divisor of {total}"
            )
        share = total // world
        micro = min(self._micro_batch or share, share)
        for first in range(rank * share, (rank + 1) * share, micro):
            stop = min(first + micro, (rank + 1) * share)
            windows = torch.from_numpy(self._plan.windows(step, first, stop)).to(device)
            logits_BTV = model(input_ids=windows[:, :-1], use_cache=False).logits.float()
            yield self._loss_sum(logits_BTV, windows[:, 1:]) / self.units_per_step

    def _loss_sum(self, logits_BTV: Tensor, targets_BT: Tensor) -> Tensor:  # noqa: N803
        """Sum the cross-entropy (and z-loss) over the targets, in nats."""
        flat = logits_BTV.flatten(0, 1)
        loss = F.cross_entropy(flat, targets_BT.flatten(), reduction="sum")
        if self.recipe.z_loss:
            loss = loss + self.recipe.z_loss * flat.logsumexp(dim=-1).square().sum()
        return loss

    def flops(self, model: nn.Module) -> float:
        """Return the floating-point operations of a whole run."""
        count = sum(parameter.numel() for parameter in model.parameters())
        return training_flops(self.recipe.model, count, self.recipe.tokens_seen)
