"""The CLIP modality: what `assay.train` needs to train an image-text model on a selection."""

import math
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import torch
from accelerate import Accelerator
from torch import Tensor, nn
from torch.optim.swa_utils import update_bn

from assay.clip.batches import PairPlan
from assay.clip.contrastive import contrastive_backward
from assay.clip.data import CACHE_BYTES, PairBatch, PairReader, feed, undecodable_rows
from assay.clip.model import (
    block_matrices,
    build_model,
    forward_flops,
    save_checkpoint,
)
from assay.clip.tokenizer import Tokenize
from assay.pool import ImageTextPool
from assay.selection import Selection
from assay.settings import Settings
from assay.track.clip_spec import ClipRecipe

BACKWARD_COST = 2.0
"""A backward pass costs twice the forward pass."""

STATISTICS_SAMPLES = 4096
"""First samples of a run over which the batch norms of the final weights take their statistics."""


class ClipModality:
    """A recipe, a selection and a seed, ready to train.

    Attributes:
        unit: The budget counts samples.
        steps: Optimiser steps in a run.
        units_per_step: Samples per step over all devices.
    """

    unit = "samples"

    def __init__(
        self,
        pool: ImageTextPool,
        selection: Selection,
        recipe: ClipRecipe,
        *,
        seed: int,
        settings: Settings,
        track_folder: Path,
        run_folder: Path,
    ):
        self.recipe = recipe
        self.steps = recipe.steps
        self.units_per_step = recipe.global_batch_size
        self.optimizer = recipe.optimizer
        self.schedule = recipe.schedule
        self.precision = recipe.precision
        self.average_last_frac = recipe.average_last_frac
        self._settings = settings
        self._run_folder = run_folder
        self.tokenize = Tokenize(recipe.tokenizer, recipe.model.text.context_length, track_folder)
        self._plan = PairPlan(
            selection, seed=seed, steps=recipe.steps, batch_size=recipe.global_batch_size
        )
        rows = np.unique(np.concatenate([stage.rows for stage in selection.stages]))
        readers = max(1, settings.workers) * settings.machine.processes
        self._reader = PairReader(
            pool, rows, recipe, self.tokenize, run_folder, cache_bytes=CACHE_BYTES // readers
        )
        self._feed: Iterator[PairBatch] | None = None
        self._next_step = -1

    def build_model(self, seed: int) -> nn.Module:
        """Build the network, initialised from the seed alone."""
        return build_model(self.recipe.model, seed)

    def matrix_parameters(self, model: nn.Module) -> Iterator[str]:
        """Name the matrices inside the transformer blocks of both towers."""
        return block_matrices(model)

    def blocks(self, model: nn.Module) -> Iterator[nn.Module]:
        """Yield nothing: the runner refuses FSDP, which cannot shard the temperature."""
        return iter(())

    def backward(self, model: nn.Module, step: int, accelerator: Accelerator) -> Tensor:
        """Accumulate this process's gradients of one step; return its part of the step's loss."""
        spans = self._spans(accelerator.process_index, accelerator.num_processes)
        if self._feed is None or step != self._next_step:
            self._feed = feed(
                self._reader,
                self._plan,
                spans,
                first_step=step,
                workers=self._settings.workers,
                pin=accelerator.device.type == "cuda",
            )
        self._next_step = step + 1
        batches = [next(self._feed) for _ in spans]
        return contrastive_backward(model, batches, accelerator)

    def _spans(self, rank: int, world: int) -> list[range]:
        """Return this process's micro-batches, as places within the global batch."""
        size = self.recipe.global_batch_size
        assert size % world == 0, "the runner checks that processes share the batch evenly"
        share = size // world
        micro = min(self._settings.micro_batch or share, share)
        group = self.recipe.model.image.norm_group
        if group is not None:
            micro = max(group, micro - micro % group)
        last = (rank + 1) * share
        return [range(i, min(i + micro, last)) for i in range(rank * share, last, micro)]

    def after_step(self, model: nn.Module) -> None:
        """Hold the temperature in its bounds, as open_clip does."""
        with torch.no_grad():
            model.get_parameter("logit_scale").clamp_(0, math.log(self.recipe.max_logit_scale))

    def finish(self, model: nn.Module, accelerator: Accelerator) -> None:
        """Give the batch norms of the final weights statistics over the run's first samples."""
        group = self.recipe.model.image.norm_group
        if group is None:
            return
        size = self.recipe.global_batch_size
        spans = [range(i, i + group) for i in range(0, size, group)]
        count = min(self.steps, -(-STATISTICS_SAMPLES // size)) * len(spans)
        batches = feed(self._reader, self._plan, spans, first_step=0, workers=0)
        tower = model.get_submodule("visual")
        images = (next(batches).images for _ in range(count))
        with accelerator.autocast():
            update_bn(images, tower, device=accelerator.device)

    def flops(self, model: nn.Module) -> float:
        """Return the floating-point operations of a whole run."""
        forward = forward_flops(model, self.recipe.model)
        return (1 + BACKWARD_COST) * forward * self.recipe.samples_seen

    def facts(self) -> dict[str, int]:
        """Return how many different images could not be decoded and were replaced."""
        return {"undecodable": len(undecodable_rows(self._run_folder))}

    def save_checkpoint(self, model: nn.Module, folder: Path) -> None:
        """Write a folder that plain open_clip loads."""
        save_checkpoint(model, self.recipe.model, self.recipe.preprocess, self.tokenize, folder)
