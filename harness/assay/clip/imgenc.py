"""An encoder that learns from a pool's images alone, without captions or labels: two views of an image lie close.

It stands in for DINOv2 in methods that cluster images. Network, image size and optimiser are those of the
recipe that scorers are trained with.

Source:
    Chen et al. (2020), SimCLR, https://arxiv.org/abs/2002.05709: crops, flips, colours; the NT-Xent loss on a
    projection that is thrown away.
"""

from itertools import islice

import numpy as np
import torch
from numpy.typing import NDArray
from safetensors.torch import save as save_tensors
from torch import Generator, Tensor, nn
from torch.nn import functional as F

from assay.canonical import digest_bytes
from assay.clip.images import thumbnail
from assay.clip.model import build_model
from assay.clip.scorer import scorer_recipe
from assay.clip.stand_ins import pairs_of, read_images
from assay.console import progress
from assay.order import drawn_order
from assay.signals.columns import Columns, PoolInputs, TrainedModel
from assay.track.clip_spec import ClipRecipe
from assay.train.device import one_thread

BATCH = 128
TEMPERATURE = 0.2
TRAINING_IMAGES = 50_000
"""Learnt from at most; of a larger pool a random part."""

_SMALLEST_CROP = 0.35
_GAIN, _OFFSET = 0.4, 0.3
_GREY_PERCENT = 20


def imgenc_columns(inputs: PoolInputs) -> Columns:
    """Embed a pool's images by a network of these images: see `IMGENC`."""
    pool, settings = pairs_of(inputs), inputs.parameters
    recipe = scorer_recipe()
    drawn = drawn_order(pool.n, "images to learn from", settings["seed"])
    rows = np.sort(drawn[:TRAINING_IMAGES])
    size = recipe.model.image.image_size
    thumbnails = np.stack(
        [
            thumbnail(image, recipe.preprocess, size)
            for image in read_images(pool, rows)
            if image is not None
        ]
    )
    with one_thread():
        network = _train(thumbnails, recipe, settings["samples_seen"], settings["seed"])
    tensors = {name: tensor.contiguous() for name, tensor in network.state_dict().items()}
    weights = digest_bytes(save_tensors(tensors))
    inputs.rests_on(TrainedModel(weights, pool.root, len(thumbnails)))
    found = np.full((pool.n, recipe.model.embed_dim), np.nan, dtype=np.float16)
    images = read_images(pool, np.arange(pool.n))
    for start in range(0, pool.n, BATCH):
        squares = {
            row: thumbnail(image, recipe.preprocess, size)
            for row, image in enumerate(islice(images, BATCH), start)
            if image is not None
        }
        if squares:
            found[list(squares)] = _embed(network, list(squares.values()), recipe)
    return {"imgenc_image": found}


def _train(
    thumbnails: NDArray[np.uint8], recipe: ClipRecipe, samples_seen: int, seed: int
) -> nn.Module:
    """Train on (n, S, S, 3) for a budget of images, each seen in two views."""
    network = build_model(recipe.model, seed).visual
    width = recipe.model.embed_dim
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        head = nn.Sequential(nn.Linear(width, 2 * width), nn.ReLU(), nn.Linear(2 * width, width))
    parameters = [*network.parameters(), *head.parameters()]
    optimizer = torch.optim.AdamW(parameters, lr=recipe.optimizer.lr, weight_decay=1e-4)
    steps = max(2, samples_seen // BATCH)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimizer, recipe.optimizer.lr, steps)
    draws = torch.Generator().manual_seed(seed)
    pixels = torch.from_numpy(thumbnails)
    network.train()
    with progress("training an image encoder", steps, "steps") as bar:
        for _ in range(steps):
            images = pixels[torch.randint(len(pixels), (BATCH,), generator=draws)]
            batch = images.permute(0, 3, 1, 2).float() / 255
            views = torch.cat([_view(batch, draws), _view(batch, draws)])
            loss = _nt_xent(head(network(_normalized(views, recipe))))
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            schedule.step()
            bar.update()
    return network.eval()


def _view(images: Tensor, draws: Generator) -> Tensor:
    """Crop, mirror and recolour (k, 3, S, S) images in [0, 1], each in its own way."""

    def uniform(*shape: int) -> Tensor:
        return torch.rand(len(images), *shape, generator=draws)

    scale = (_SMALLEST_CROP + (1 - _SMALLEST_CROP) * uniform()).sqrt()
    mirrored = torch.where(uniform() < 0.5, -scale, scale)
    zero = torch.zeros_like(scale)
    across, down = ((1 - scale) * (2 * uniform() - 1) for _ in range(2))
    maps = torch.stack([mirrored, zero, across, zero, scale, down], dim=1).reshape(-1, 2, 3)
    grid = F.affine_grid(maps, list(images.shape), align_corners=False)
    crops = F.grid_sample(images, grid, padding_mode="reflection", align_corners=False)
    gain = 1 + _GAIN * (2 * uniform(3, 1, 1) - 1)
    offset = _OFFSET * (2 * uniform(1, 1, 1) - 1)
    coloured = (crops * gain + offset).clamp(0, 1)
    grey = uniform(1, 1, 1) * 100 < _GREY_PERCENT
    return torch.where(grey, coloured.mean(dim=1, keepdim=True), coloured)


def _nt_xent(projected: Tensor) -> Tensor:
    """Return the loss of (2k, d) projections, the two views of an image k places apart."""
    unit = F.normalize(projected, dim=1)
    cosines = unit @ unit.T / TEMPERATURE
    cosines.fill_diagonal_(float("-inf"))
    half = len(unit) // 2
    return F.cross_entropy(cosines, torch.arange(2 * half).roll(half))


def _embed(
    network: nn.Module, thumbnails: list[NDArray[np.uint8]], recipe: ClipRecipe
) -> NDArray[np.float32]:
    """Return unit vectors, (k, d)."""
    batch = torch.from_numpy(np.stack(thumbnails)).permute(0, 3, 1, 2).float() / 255
    with one_thread(), torch.no_grad():
        return F.normalize(network(_normalized(batch, recipe)), dim=1).numpy()


def _normalized(images: Tensor, recipe: ClipRecipe) -> Tensor:
    """Normalise (k, 3, S, S) images in [0, 1] as the recipe does; channels lie last."""
    mean, std = (
        torch.tensor(v)[:, None, None] for v in (recipe.preprocess.mean, recipe.preprocess.std)
    )
    return ((images - mean) / std).contiguous(memory_format=torch.channels_last)
