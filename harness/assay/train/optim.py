"""Optimisers and the learning-rate schedule of a sealed recipe."""

import math

import torch
from torch import nn

from assay.modality import Modality
from assay.track.spec import Schedule
from assay.train.muon import Muon


def lr_frac(schedule: Schedule, step: int, steps: int) -> float:
    """Return the learning rate of a step as a fraction of the peak, in [0, 1].

    The rise is linear over `warmup_steps` and reaches the peak at its last step; the fall spans all
    remaining steps and ends at `final_frac` on the last one (`open_clip_cosine`: one step after it).

    Args:
        schedule: The recipe's schedule.
        step: Step about to be taken, from 0.
        steps: Steps in the run.
    """
    if step < schedule.warmup_steps:
        return (step + 1) / schedule.warmup_steps
    last = steps if schedule.decay == "open_clip_cosine" else steps - 1
    span = max(1, last - schedule.warmup_steps)
    done = (step - schedule.warmup_steps) / span
    shape = 1 - done if schedule.decay == "linear" else 0.5 * (1 + math.cos(math.pi * done))
    return schedule.final_frac + (1 - schedule.final_frac) * shape


def build_optimizers(modality: Modality, model: nn.Module) -> list[torch.optim.Optimizer]:
    """Build AdamW, or Muon for the block matrices and AdamW for the rest.

    Weight decay applies to matrices only. Parameter order is the model's own, so that optimiser
    state can be saved by name.
    """
    recipe = modality.optimizer
    # Under FSDP and DDP the names carry wrappers' prefixes; the modality answers for the names given.
    matrices = set(modality.matrix_parameters(model)) if recipe.name == "muon" else set()
    muon, decayed, plain = [], [], []
    for name, parameter in model.named_parameters():
        if name in matrices:
            muon.append(parameter)
        elif parameter.ndim >= 2:
            decayed.append(parameter)
        else:
            plain.append(parameter)
    groups = [
        {"params": decayed, "weight_decay": recipe.weight_decay},
        {"params": plain, "weight_decay": 0.0},
    ]
    adamw = torch.optim.AdamW(
        groups, lr=recipe.lr, betas=(recipe.beta1, recipe.beta2), eps=recipe.eps, fused=True
    )
    optimizers: list[torch.optim.Optimizer] = [adamw]
    if muon:
        optimizers.append(
            Muon(
                muon,
                lr=recipe.muon_lr,
                momentum=recipe.muon_momentum,
                weight_decay=recipe.weight_decay,
            )
        )
    for optimizer in optimizers:
        for group in optimizer.param_groups:
            group["peak_lr"] = group["lr"]
    return optimizers


def set_lr(optimizers: list[torch.optim.Optimizer], frac: float) -> None:
    """Set every group's learning rate to this fraction of its peak."""
    for optimizer in optimizers:
        for group in optimizer.param_groups:
            group["lr"] = group["peak_lr"] * frac
