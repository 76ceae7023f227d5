"""Words written into images: where edges between light and dark follow each other closely along a line.

Letters alternate with paper at every few pixels, in a band about as high as a letter: more than things and
textures do. The search is at the image's own size and at each half of it, so that letters of 5 to some 60
pixels are seen. It is a stand-in for a trained detector of text.

Source:
    Liu and Samarabandu (2006), "Multiscale edge-based text extraction from complex images", for the idea;
    filling in: Maini et al. (2023), T-MARS, https://arxiv.org/abs/2307.03132.
"""

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from assay.pool import ImageTextPool
from assay.pool.imagetext.images import ImageProblem, decode_image
from assay.signals.columns import Columns, Examples, PerExample

BAND_HEIGHT, BAND_WIDTH = 5, 16
"""Pixels of the window that edges are counted in: a line of small letters, a short word."""

EDGE = 24
"""Grey levels, of 255, between neighbours from which there is an edge."""

TEXT_DENSITY = 0.55
"""Share of edges in a window from which it holds text."""

_SMALLEST = 24
_LARGEST = 512


def text_density(image: Image.Image) -> float:
    """Return the largest share of edges in any window of an RGB image, in [0, 1]."""
    return max((float(share.max()) for _, share in _shares(image)), default=0.0)


def fill_text(image: Image.Image) -> Image.Image:
    """Return an RGB image whose windows of text have the mean colour of what surrounds them."""
    mask = _text_mask(image)
    if not mask.any():
        return image
    grown = mask.copy()
    for shift, axis in ((1, 0), (-1, 0), (1, 1), (-1, 1)):
        grown |= np.roll(mask, shift, axis)
    border = grown & ~mask
    pixels = np.array(image)
    pixels[mask] = pixels[border if border.any() else mask].mean(axis=0).round()
    return Image.fromarray(pixels)


def _text_mask(image: Image.Image) -> NDArray[np.bool_]:
    """Return the pixels of all windows that hold text, (height, width)."""
    mask = np.zeros((image.height, image.width), dtype=np.bool_)
    for scale, share in _shares(image):
        for top, left in np.argwhere(share >= TEXT_DENSITY):
            rows = slice(top * scale, (top + BAND_HEIGHT) * scale)
            mask[rows, left * scale : (left + BAND_WIDTH + 1) * scale] = True
    return mask


def _shares(image: Image.Image) -> Iterator[tuple[int, NDArray[np.float64]]]:
    """Yield scales and, at each, the share of edges in every window by its upper left corner."""
    grey, scale = image.convert("L"), 1
    while max(grey.size) > _LARGEST:
        grey, scale = grey.reduce(2), scale * 2
    while min(grey.size) >= BAND_HEIGHT and grey.width > BAND_WIDTH:
        levels = np.asarray(grey, dtype=np.int16)
        yield scale, _window_means(np.abs(np.diff(levels, axis=1)) > EDGE)
        if min(grey.size) < 2 * _SMALLEST:
            return
        grey, scale = grey.reduce(2), scale * 2


def _window_means(edges: NDArray[np.bool_]) -> NDArray[np.float64]:
    sums = np.pad(edges.cumsum(axis=0, dtype=np.int64).cumsum(axis=1), ((1, 0), (1, 0)))
    high, wide = BAND_HEIGHT, BAND_WIDTH
    found = sums[high:, wide:] - sums[:-high, wide:] - sums[high:, :-wide] + sums[:-high, :-wide]
    return found / (high * wide)


def _density(examples: Examples) -> Columns:
    pool = examples.pool
    assert isinstance(pool, ImageTextPool)
    places = zip(
        *(examples.table.column(name).to_pylist() for name in ("file", "offset", "length")),
        strict=True,
    )
    found = np.full(len(examples), np.nan, dtype=np.float32)
    for number, place in enumerate(places):
        try:
            found[number] = text_density(decode_image(pool.stored_image(*place)))
        except ImageProblem:
            continue
    return {"text_density": found}


TEXT_IN_IMAGE = PerExample(
    name="text_in_image",
    version=1,
    kind="image-text",
    reads=("file", "offset", "length"),
    columns={
        "text_density": f"densest edges in a band, in [0, 1]; from {TEXT_DENSITY} on it is likely text; missing: "
        "no image"
    },
    compute=_density,
)
