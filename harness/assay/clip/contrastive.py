"""The contrastive loss over a whole global batch, however it is cut up.

Features of all micro-batches and processes meet in one loss; its gradients with respect to the
features are then carried into the towers one micro-batch at a time. So neither the micro-batch nor the
number of processes changes what is learned, beyond rounding.

Source:
    Gao et al. (2021), Scaling Deep Contrastive Learning Batch Size under Memory Limited Setup,
    https://arxiv.org/abs/2101.06983. The loss itself is open_clip's.
"""

from collections.abc import Sequence
from contextlib import nullcontext

import torch
from accelerate import Accelerator
from open_clip.loss import ClipLoss
from torch import Tensor, nn

from assay.clip.data import PairBatch


def contrastive_backward(
    model: nn.Module, batches: Sequence[PairBatch], accelerator: Accelerator
) -> Tensor:
    """Accumulate this process's gradients of the loss over the global batch.

    Args:
        model: The network, wrapped for the launch.
        batches: This process's micro-batches, in order; every process has as many pairs.
        accelerator: The launch.

    Returns:
        This process's part of the loss; the parts of all processes add up to it.
    """
    world = accelerator.num_processes
    if len(batches) == 1:
        features = _forward(model, batches[0], accelerator)
        loss, gradients = _loss_gradients([features], accelerator)
        _carry(features, gradients, 0, world)
        return loss
    with torch.no_grad():
        found = [_forward(model, batch, accelerator) for batch in batches]
    loss, gradients = _loss_gradients(found, accelerator)
    start = 0
    for number, batch in enumerate(batches):
        last = number == len(batches) - 1
        with nullcontext() if last else accelerator.no_sync(model):
            features = _forward(model, batch, accelerator)
            _carry(features, gradients, start, world)
        start += len(batch.tokens)
    return loss


Features = tuple[Tensor, Tensor, Tensor]
"""Normalised image features and text features, (k, d) each, and the inverse temperature."""


def _forward(model: nn.Module, batch: PairBatch, accelerator: Accelerator) -> Features:
    batch = batch.to(accelerator.device)
    with accelerator.autocast():
        image, text, scale = model(batch.images, batch.tokens)[:3]
    return image.float(), text.float(), scale.float()


def _loss_gradients(found: Sequence[Features], accelerator: Accelerator) -> tuple[Tensor, Features]:
    """Return this process's part of the loss, and the gradients of the whole loss here.

    open_clip's loss of one process compares its own pairs with everybody's; the loss of the batch is
    the mean of those, and its gathering gives the gradients of all of them.
    """
    world = accelerator.num_processes
    image, text = (
        torch.cat([features[i].detach() for features in found]).requires_grad_() for i in (0, 1)
    )
    scale = found[0][2].detach().requires_grad_()
    criterion = ClipLoss(
        local_loss=True,
        gather_with_grad=True,
        rank=accelerator.process_index,
        world_size=world,
    )
    loss = criterion(image, text, scale) / world
    gradients = torch.autograd.grad(loss, (image, text, scale))
    return loss.detach(), gradients  # pyright: ignore[reportReturnType]


def _carry(features: Features, gradients: Features, start: int, world: int) -> None:
    """Carry gradients of features into the towers; the temperature's goes with the first batch.

    DDP and FSDP average gradients over processes, hence the factor.
    """
    image, text, scale = features
    stop = start + len(image)
    surrogate = (image * gradients[0][start:stop]).sum() + (text * gradients[1][start:stop]).sum()
    # Differentiable in the temperature always, so that every process has a gradient for it.
    surrogate = surrogate + scale * (gradients[2] if start == 0 else 0.0)
    (surrogate * world).backward()
