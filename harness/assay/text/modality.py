"""The text modality: what `assay.train` needs to train a language model on a selection."""

from collections.abc import Iterator
from contextlib import nullcontext
from pathlib import Path

import torch
import torch.nn.functional as F
from accelerate import Accelerator
from torch import Tensor, nn
from transformers import PreTrainedModel

from assay.pool import Pool
from assay.selection import Selection
from assay.text.batches import WindowPlan
from assay.text.model import build_model, matrix_names, save_checkpoint, training_flops
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
        self._pool = pool
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
        return build_model(self.recipe.model, self._pool.eos_id, seed)

    def matrix_parameters(self, model: nn.Module) -> Iterator[str]:
        """Name the matrices inside the blocks."""
        return matrix_names(model)

    def blocks(self, model: nn.Module) -> Iterator[nn.Module]:
        """Yield the transformer blocks."""
        yield from model.get_submodule("model.layers").children()

    def backward(self, model: nn.Module, step: int, accelerator: Accelerator) -> Tensor:
        """Accumulate this process's gradients of one step; return its part of the step's loss."""
        world = accelerator.num_processes
        total = torch.zeros((), device=accelerator.device)
        spans = self._spans(accelerator.process_index, world)
        for span in spans:
            windows = torch.from_numpy(self._plan.windows(step, span.start, span.stop))
            with nullcontext() if span is spans[-1] else accelerator.no_sync(model):
                with accelerator.autocast():
                    loss = (
                        self.loss_sum(model, windows.to(accelerator.device)) / self.units_per_step
                    )
                (loss * world).backward()
            total += loss.detach()
        return total

    def _spans(self, rank: int, world: int) -> list[range]:
        """Return this process's micro-batches, as window numbers within the global batch."""
        windows = self._plan.windows_per_step
        assert windows % world == 0, "the runner checks that processes share the batch evenly"
        share = windows // world
        micro = min(self._micro_batch or share, share)
        last = (rank + 1) * share
        return [range(i, min(i + micro, last)) for i in range(rank * share, last, micro)]

    def loss_sum(self, model: nn.Module, windows: Tensor) -> Tensor:
        """Sum the cross-entropy and the z-loss over all targets, in nats.

        Args:
            model: The network.
            windows: Token ids, (micro-batch, context + 1); every token but the first is a target.
        """
        logits = model(input_ids=windows[:, :-1], use_cache=False).logits.float().flatten(0, 1)
        loss = F.cross_entropy(logits, windows[:, 1:].flatten(), reduction="sum")
        if self.recipe.z_loss:
            loss = loss + self.recipe.z_loss * logits.logsumexp(dim=-1).square().sum()
        return loss

    def after_step(self, model: nn.Module) -> None:
        """Leave the weights alone: none has bounds."""

    def finish(self, model: nn.Module, accelerator: Accelerator) -> None:
        """Leave the weights alone: nothing depends on them."""

    def flops(self, model: nn.Module) -> float:
        """Return the floating-point operations of a whole run."""
        count = sum(parameter.numel() for parameter in model.parameters())
        return training_flops(self.recipe.model, count, self.recipe.tokens_seen)

    def facts(self) -> dict[str, int]:
        """Return nothing: every token of a text pool can be read."""
        return {}

    def save_checkpoint(self, model: nn.Module, folder: Path) -> None:
        """Write a folder that plain transformers loads."""
        assert isinstance(model, PreTrainedModel)
        save_checkpoint(model, self._pool.tokenizer().to_str(), folder)
