"""The training loop: one for text and CLIP, for one process and for many."""

import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from accelerate import Accelerator
from numpy.typing import NDArray
from torch import nn

from assay.canonical import digest_bytes
from assay.console import progress, say
from assay.errors import TrainingError
from assay.modality import Modality
from assay.settings import Settings
from assay.train.average import WeightAverage
from assay.train.checkpoint import load_resume, save_resume
from assay.train.device import build_accelerator, device_facts, distribute
from assay.train.optim import build_optimizers, lr_frac, set_lr
from assay.train.tracker import Tracker


@dataclass(frozen=True)
class Trained:
    """What a finished training leaves.

    Attributes:
        model: The network with its final (averaged) weights, unwrapped, in evaluation mode.
        trace: Loss of every step, float32, shape (steps,).
        seconds: Wall time of this process spent in steps, all attempts together.
        flops: Of the whole run.
        facts: The device, and what else the bits may depend on.
        main_process: Whether this process writes the results.
    """

    model: nn.Module
    trace: NDArray[np.float32]
    seconds: float
    flops: float
    facts: dict[str, Any]
    main_process: bool

    @property
    def trace_digest(self) -> str:
        """Digest of the loss trace's little-endian float32 bytes."""
        return digest_bytes(self.trace.astype("<f4").tobytes())


def train(
    modality: Modality, *, seed: int, folder: Path, settings: Settings, last_step: int | None = None
) -> Trained:
    """Train from scratch, or go on from the checkpoint that a killed attempt left in `folder`.

    Args:
        modality: What is trained, on what.
        seed: Initialisation and data order.
        folder: Run folder: `resume.safetensors` and `metrics.jsonl` go here.
        settings: How to run here; changes nothing in the result but rounding.
        last_step: Stop before this step (for prefix replays); None runs the whole recipe.

    Raises:
        TrainingError: If the loss is not finite.
    """
    folder.mkdir(parents=True, exist_ok=True)
    accelerator = build_accelerator(settings, modality.precision)
    inner = modality.build_model(seed).to(accelerator.device)
    model = distribute(inner, modality, accelerator, settings.machine.sharding)
    optimizers = build_optimizers(modality, inner)
    average = WeightAverage(modality.average_last_frac, modality.steps)
    trace = np.zeros(modality.steps, dtype=np.float32)
    start = load_resume(folder, model=inner, average=average, optimizers=optimizers, trace=trace)
    if start and accelerator.is_main_process:
        say(f"resuming at step {start} of {modality.steps}")
    run = _Run(accelerator, modality, model, inner, optimizers, average, trace, folder, settings)
    run.steps(start, modality.steps if last_step is None else min(last_step, modality.steps))
    if last_step is None:
        average.apply(inner)
        modality.finish(inner, accelerator)
    return Trained(
        inner.eval(),
        trace,
        run.tracker.seconds,
        modality.flops(inner),
        device_facts(accelerator),
        accelerator.is_main_process,
    )


class _Run:
    """The state that one training carries from step to step."""

    def __init__(
        self,
        accelerator: Accelerator,
        modality: Modality,
        model: nn.Module,
        inner: nn.Module,
        optimizers: list[torch.optim.Optimizer],
        average: WeightAverage,
        trace: NDArray[np.float32],
        folder: Path,
        settings: Settings,
    ):
        self.accelerator, self.modality, self.model, self.inner = (
            accelerator,
            modality,
            model,
            inner,
        )
        self.optimizers, self.average, self.trace = optimizers, average, trace
        self.folder, self.settings = folder, settings
        self.tracker = Tracker(folder, settings, accelerator.is_main_process)

    def steps(self, start: int, stop: int) -> None:
        """Take steps `start` to `stop`, checkpointing by the clock (which changes no result)."""
        self.model.train()
        self.tracker.truncate(start)
        per_step = self.modality.units_per_step
        saved_at = time.monotonic()
        with progress(
            "training",
            stop * per_step,
            self.modality.unit,
            initial=start * per_step,
            enabled=self.settings.progress and self.accelerator.is_main_process,
        ) as bar:
            for step in range(start, stop):
                loss, lr = self._step(step)
                self.trace[step] = loss
                self.tracker.log(step, loss, lr, per_step)
                bar.update(per_step)
                bar.set_postfix_str(f"loss {loss:.3f}", refresh=False)
                if self._checkpoint_due(time.monotonic() - saved_at) and step + 1 < stop:
                    self._save(step + 1)
                    saved_at = time.monotonic()
        self.tracker.close()

    def _step(self, step: int) -> tuple[float, float]:
        """Take one step; return its loss over the global batch and the learning-rate fraction."""
        frac = lr_frac(self.modality.schedule, step, self.modality.steps)
        set_lr(self.optimizers, frac)
        total = self.modality.backward(self.model, step, self.accelerator)
        loss = float(self.accelerator.reduce(total, reduction="sum"))  # type: ignore[arg-type]
        if not np.isfinite(loss):
            raise TrainingError(
                f"loss is {loss} at step {step} of {self.folder.name}: training diverged, nothing is recorded; "
                "the recipe is sealed, so look at the selection: assay validate"
            )
        clip = self.modality.optimizer.grad_clip
        if clip is not None:
            torch.nn.utils.clip_grad_norm_(self.inner.parameters(), clip)
        for optimizer in self.optimizers:
            optimizer.step()
            optimizer.zero_grad(set_to_none=True)
        self.modality.after_step(self.inner)
        self.average.update(self.inner, step)
        return loss, frac

    def _checkpoint_due(self, elapsed: float) -> bool:
        """Ask the main process's clock, so that all processes save at the same step."""
        due = elapsed >= self.settings.checkpoint_seconds
        if self.accelerator.num_processes == 1:
            return due
        flag = torch.tensor(float(due and self.accelerator.is_main_process))
        return bool(self.accelerator.reduce(flag.to(self.accelerator.device), reduction="sum"))  # type: ignore[arg-type]

    def _save(self, step: int) -> None:
        self.tracker.flush()
        save_resume(
            self.folder,
            step=step,
            model=self.inner,
            average=self.average,
            optimizers=self.optimizers,
            trace=self.trace,
            main_process=self.accelerator.is_main_process,
        )
