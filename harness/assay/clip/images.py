"""From a decoded image to the tensor that the network sees, in training and in evaluation."""

from collections.abc import Iterable
from functools import partial
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from PIL import Image
from torch import Tensor
from torchvision import transforms
from torchvision.transforms import InterpolationMode

from assay.pool.imagetext.images import to_rgb
from assay.track.clip_spec import Preprocess

MAX_ASPECT = 64


def eval_transform(preprocess: Preprocess, image_size: int) -> transforms.Compose:
    """Return open_clip's transform of evaluation: image -> float32 (3, S, S), normalised."""
    rgb = transforms.Lambda(partial(to_rgb, transparency=preprocess.transparency))
    square = partial(_square, preprocess=preprocess, image_size=image_size)
    return transforms.Compose(
        [rgb, transforms.Lambda(square), transforms.ToTensor(), _normalize(preprocess)]
    )


def crop_transform(preprocess: Preprocess, image_size: int) -> transforms.Compose:
    """Return the random part of open_clip's transform of training: RGB image -> (S, S) image.

    It draws from torch's global generator of the CPU.
    """
    least, most = preprocess.crop_scale
    narrow, wide = preprocess.crop_ratio
    crop = transforms.RandomResizedCrop(
        image_size, (least, most), (narrow, wide), InterpolationMode(preprocess.interpolation)
    )
    flip = [transforms.RandomHorizontalFlip()] if preprocess.flip else []
    return transforms.Compose([crop, *flip])


def to_batch(images: Iterable[Image.Image], count: int, preprocess: Preprocess) -> Tensor:
    """Write images of one size into a tensor and normalise them, as open_clip does one by one.

    Args:
        images: `count` RGB images of (S, S).
        count: How many there are.
        preprocess: The recipe's.

    Returns:
        float32 (count, 3, S, S).
    """
    batch = torch.empty(0)
    for place, image in enumerate(images):
        pixels = torch.from_numpy(np.array(image)).permute(2, 0, 1)
        if not place:
            batch = torch.empty(count, *pixels.shape)
        batch[place].copy_(pixels)
    return _normalize(preprocess)(batch.div_(255))


def thumbnail(image: Image.Image, preprocess: Preprocess, image_size: int) -> NDArray[np.uint8]:
    """Scale the shorter side and cut the middle out, (S, S, 3): what evaluation sees, as bytes."""
    return np.asarray(_square(image, preprocess, image_size))


def _square(image: Image.Image, preprocess: Preprocess, image_size: int) -> Image.Image:
    """Scale the shorter side to `image_size` and cut out the middle.

    Of an image over 64 times as long as wide only the middle is scaled: one row of 16 million pixels
    would otherwise take 60 GB, for a square of which nothing but the middle is seen.
    """
    most = MAX_ASPECT * min(image.size)
    if max(image.size) > most:
        width, height = (min(side, most) for side in image.size)
        image = transforms.CenterCrop((height, width))(image)
    mode = InterpolationMode(preprocess.interpolation)
    square = transforms.Compose(
        [transforms.Resize(image_size, mode), transforms.CenterCrop(image_size)]
    )
    return square(image)


def shifted(
    thumbnails: NDArray[np.uint8], words: NDArray[np.uint64], preprocess: Preprocess
) -> Tensor:
    """Shift and mirror thumbnails, each by its own random word, and normalise them.

    Args:
        thumbnails: (k, S, S, 3).
        words: (k,) uniform; the same word always does the same.
        preprocess: The recipe's.

    Returns:
        float32 (k, 3, S, S).
    """
    most, size = preprocess.max_shift, thumbnails.shape[1]
    padded = np.pad(thumbnails, ((0, 0), (most, most), (most, most), (0, 0)), mode="edge")
    span = np.arange(size)
    down = ((words & np.uint64(0xFFFF)) % np.uint64(2 * most + 1)).astype(np.int64)
    right = ((words >> np.uint64(16) & np.uint64(0xFFFF)) % np.uint64(2 * most + 1)).astype(
        np.int64
    )
    if preprocess.flip:
        mirrored = (words >> np.uint64(63)).astype(bool)
        padded[mirrored] = padded[mirrored, :, ::-1]
    batch = np.arange(len(thumbnails))[:, None, None]
    moved = padded[batch, (down[:, None] + span)[:, :, None], (right[:, None] + span)[:, None, :]]
    tensor = torch.from_numpy(moved).permute(0, 3, 1, 2).contiguous().float().div_(255)
    return _normalize(preprocess)(tensor)


def _normalize(preprocess: Preprocess) -> Any:
    return transforms.Normalize(list(preprocess.mean), list(preprocess.std))
