"""The running mean of the weights over the last steps: less seed noise at no cost in tokens."""

import torch
from torch import Tensor, nn


class WeightAverage:
    """Mean of the weights over the last `frac` of a run's steps.

    Attributes:
        first_step: First step whose resulting weights are in the mean.
        count: Steps in the mean so far.
        mean: Current mean by parameter name; empty before `first_step`.
    """

    def __init__(self, frac: float, steps: int):
        self.first_step = steps - max(1, round(frac * steps))
        self.count = 0
        self.mean: dict[str, Tensor] = {}

    @torch.no_grad()
    def update(self, model: nn.Module, step: int) -> None:
        """Take in the weights that `step` produced."""
        if step < self.first_step:
            return
        self.count += 1
        for name, parameter in model.named_parameters():
            if name in self.mean:
                self.mean[name].lerp_(parameter.detach(), 1.0 / self.count)
            else:
                self.mean[name] = parameter.detach().clone()

    @torch.no_grad()
    def apply(self, model: nn.Module) -> None:
        """Replace the model's weights by their mean."""
        assert self.count, "the last step is always averaged"
        for name, parameter in model.named_parameters():
            parameter.copy_(self.mean[name])
