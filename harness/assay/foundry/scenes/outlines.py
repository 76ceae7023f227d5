"""Shapes and textures as small integer arrays, drawn from inequalities on an integer grid.

No floating point and no drawing library: what a library anti-aliases changes with its version.
"""

from collections.abc import Callable
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

Grid = NDArray[np.int64]
Mask = NDArray[np.int32]

FULL = 16
"""A pixel's coverage lies in [0, FULL]: it is sampled at 4 x 4 places."""

_RADIUS = 1024
_SAMPLES = 4
_STAR = (
    *((0, -1024), (250, -345), (974, -316), (405, 131), (602, 828)),
    *((0, 426), (-602, 828), (-405, 131), (-974, -316), (-250, -345)),
)
"""Corners of a star, in 1/1024 of its radius."""


def _inside(x: Grid, y: Grid, corners: tuple[tuple[int, int], ...]) -> NDArray[np.bool_]:
    """Tell the points of a polygon, by the even-odd rule."""
    inside = np.zeros(np.broadcast_shapes(x.shape, y.shape), dtype=bool)
    for (x1, y1), (x2, y2) in zip(corners, (*corners[1:], corners[0]), strict=True):
        crosses = (y1 > y) != (y2 > y)
        left = (x - x1) * (y2 - y1) < (x2 - x1) * (y - y1)
        inside ^= crosses & (left if y2 > y1 else ~left)
    return inside


def _round(x: Grid, y: Grid, radius: int) -> NDArray[np.bool_]:
    return x * x + y * y <= radius * radius


def _heart(x: Grid, y: Grid) -> NDArray[np.bool_]:
    lobes = _round(abs(x) - 490, y + 430, 534)
    point = (y >= -430) & (1400 * abs(x) + 1000 * (y + 430) <= 1430 * 1000)
    return lobes | point


_OUTLINES: dict[str, Callable[[Grid, Grid], NDArray[np.bool_]]] = {
    "circle": lambda x, y: _round(x, y, 1024),
    "square": lambda x, y: (abs(x) <= 920) & (abs(y) <= 920),
    "triangle": lambda x, y: (y <= 900) & (19 * abs(x) <= 10 * (y + 1000)),
    "star": lambda x, y: _inside(x, y, _STAR),
    "heart": _heart,
    "cross": lambda x, y: (abs(x) <= 340) | (abs(y) <= 340),
    "ring": lambda x, y: _round(x, y, 1024) & ~_round(x, y, 500),
    "diamond": lambda x, y: 10 * abs(x) + 7 * abs(y) <= 7168,
    "crescent": lambda x, y: _round(x, y, 1024) & ~_round(x - 470, y, 800),
    "hexagon": lambda x, y: (abs(y) <= 887) & (887 * abs(x) + 512 * abs(y) <= 887 * 1024),
}


@lru_cache(maxsize=4096)
def outline(shape: str, width: int, height: int) -> Mask:
    """Return how much of each pixel a shape covers, as (height, width), in [0, FULL]."""
    x = (np.arange(width * _SAMPLES, dtype=np.int64) * 2 + 1) * _RADIUS // (width * _SAMPLES)
    y = (np.arange(height * _SAMPLES, dtype=np.int64) * 2 + 1) * _RADIUS // (height * _SAMPLES)
    filled = _OUTLINES[shape](x[None, :] - _RADIUS, y[:, None] - _RADIUS)
    filled = np.broadcast_to(filled, (len(y), len(x)))
    samples = filled.reshape(height, _SAMPLES, width, _SAMPLES).astype(np.int32)
    return _frozen(samples.sum(axis=(1, 3), dtype=np.int32))


@lru_cache(maxsize=4096)
def texture(name: str, shape: str, width: int, height: int, phase: int) -> Mask:
    """Return how much of each pixel is in the second colour, as (height, width), in [0, FULL].

    Args:
        name: One of the textures.
        shape: What it fills; only a border depends on it.
        width: In pixels.
        height: In pixels.
        phase: In [0, 4): where a pattern starts, and which way stripes and fades run.
    """
    y, x = np.indices((height, width), dtype=np.int32)
    if phase % 2:
        y, x = x, y
    step = 2 if min(width, height) < 16 else 3
    if name == "striped":
        second = FULL * ((y // step + phase // 2) % 2)
    elif name == "dotted":
        second = FULL * (((y + phase // 2) % (step + 2) < 2) & ((x + 1) % (step + 2) < 2))
    elif name == "checkered":
        second = FULL * ((y // (step + 1) + x // (step + 1) + phase // 2) % 2)
    elif name == "bordered":
        second = FULL - _worn(outline(shape, width, height), step - 1)
    elif name == "faded":
        along = y.max()
        second = FULL * (y if phase < 2 else along - y) // max(1, along)
    else:
        second = np.zeros_like(x)
    return _frozen(np.ascontiguousarray(second, dtype=np.int32))


def _worn(mask: Mask, steps: int) -> Mask:
    """Take so many pixels off the edge of a shape."""
    for _ in range(steps):
        wide = np.pad(mask, 1)
        sides = (wide[1:-1, :-2], wide[1:-1, 2:], wide[:-2, 1:-1], wide[2:, 1:-1])
        mask = np.minimum.reduce([mask, *sides])
    return mask


def _frozen(array: Mask) -> Mask:
    """Cached arrays are shared, so nobody may write to them."""
    array.flags.writeable = False
    return array
