"""Muon in single precision.

torch's Muon orthogonalises in bfloat16. A processor without instructions for it (most laptops, and servers
before 2022) then takes ten times longer for the whole step: 2,000 tokens a second instead of 20,000 at
`nano`. In float32 the same steps are fast everywhere, and no machine rounds as coarsely as another.
"""

import math
from typing import Any

import torch
from torch import Tensor


class Muon(torch.optim.Muon):
    """torch's Muon (its arguments, its state), with the Newton-Schulz iteration in the parameters' precision.

    Source:
        Jordan (2024), https://kellerjordan.github.io/posts/muon/; Nesterov momentum, and steps scaled by
        sqrt(max(1, rows / columns)), as there.
    """

    @torch.no_grad()
    def step(self, closure: Any = None) -> None:
        """Take one step; there is no closure."""
        assert closure is None, "the loop computes the loss"
        for group in self.param_groups:
            for parameter in group["params"]:
                gradient, state = parameter.grad, self.state[parameter]
                if "momentum_buffer" not in state:
                    state["momentum_buffer"] = torch.zeros_like(gradient)
                momentum = state["momentum_buffer"].lerp_(gradient, 1 - group["momentum"])
                update = orthogonalise(
                    gradient.lerp(momentum, group["momentum"]),
                    group["ns_coefficients"],
                    steps=group["ns_steps"],
                    eps=group["eps"],
                )
                rows, columns = parameter.shape
                parameter.mul_(1 - group["lr"] * group["weight_decay"])
                parameter.add_(update, alpha=-group["lr"] * math.sqrt(max(1, rows / columns)))


def orthogonalise(
    matrix: Tensor, coefficients: tuple[float, float, float], *, steps: int, eps: float
) -> Tensor:
    """Push the singular values of an (r, c) matrix towards 1 by a quintic Newton-Schulz iteration."""
    a, b, c = coefficients
    tall = matrix.size(0) > matrix.size(1)
    x = matrix.T if tall else matrix
    x = x / x.norm().clamp(min=eps)
    for _ in range(steps):
        gram = x @ x.T
        x = torch.addmm(x, torch.addmm(gram, gram, gram, beta=b, alpha=c), x, beta=a)
    return x.T if tall else x
