"""Whole tensors from sharded ones and back, for FSDP; the identity for everything else."""

import torch
from torch import Tensor
from torch.distributed.tensor import DTensor, distribute_tensor


def full_tensor(tensor: Tensor) -> Tensor:
    """Gather a sharded tensor (a collective: every process calls it); pass others through."""
    return tensor.full_tensor() if isinstance(tensor, DTensor) else tensor


def like(value: Tensor, example: Tensor) -> Tensor:
    """Put a whole tensor where `example` is: its device, and its sharding if it has one."""
    moved = value.to(example.device)
    if isinstance(example, DTensor):
        return distribute_tensor(moved, example.device_mesh, example.placements)
    return moved


@torch.no_grad()
def gather_state(state: dict[str, Tensor]) -> dict[str, Tensor]:
    """Return a state dict of whole tensors on the CPU."""
    return {name: full_tensor(tensor).detach().cpu() for name, tensor in state.items()}
