"""Scenes as pixels."""

import numpy as np
from numpy.typing import NDArray

from assay.foundry.draw import Draw
from assay.foundry.scenes.outlines import FULL, outline, texture
from assay.foundry.scenes.scene import Rgb, Scene, Thing

Pixels = NDArray[np.int32]
"""(height, width, 3), in levels of 255; may leave that range until it is `clipped`."""


def render(scene: Scene) -> Pixels:
    """Draw a scene, without noise."""
    pixels = _ground(scene)
    # What is inside must be drawn after what it is inside of.
    for thing in reversed(scene.things):
        _draw_thing(pixels, thing)
    return pixels


def add_noise(pixels: Pixels, draw: Draw, most: int) -> Pixels:
    """Return an image with uniform grey noise of up to `most` levels."""
    height, width, _ = pixels.shape
    raw = np.frombuffer(draw.raw(height * width), dtype=np.uint8).astype(np.int32)
    return pixels + ((raw * (2 * most + 1) // 256) - most).reshape(height, width, 1)


def clipped(pixels: Pixels) -> NDArray[np.uint8]:
    """Return an image that can be written."""
    return pixels.clip(0, 255).astype(np.uint8)


def _ground(scene: Scene) -> Pixels:
    start, end = (np.array(rgb, dtype=np.int32) for rgb in scene.ground)
    pixels = np.empty((scene.height, scene.width, 3), dtype=np.int32)
    if scene.background == "gradient":
        steps = scene.height if scene.downward else scene.width
        place = np.arange(steps, dtype=np.int32)[:, None]
        ramp = start + (end - start) * place // max(1, steps - 1)
        pixels[:] = ramp[:, None] if scene.downward else ramp[None]
    else:
        pixels[:] = start
    return pixels


def _draw_thing(pixels: Pixels, thing: Thing) -> None:
    cover = outline(thing.shape, thing.width, thing.height)
    if thing.mirrored:
        cover = cover[:, ::-1]
    area = pixels[thing.y : thing.y + thing.height, thing.x : thing.x + thing.width]
    cover = cover[: area.shape[0], : area.shape[1], None]
    paint = _paint(thing)[: area.shape[0], : area.shape[1]]
    area += (paint - area) * cover // FULL


def _paint(thing: Thing) -> Pixels:
    first = np.array(thing.rgb, dtype=np.int32)
    if thing.texture == "solid":
        return np.broadcast_to(first, (thing.height, thing.width, 3))
    second = np.array(thing.second, dtype=np.int32)
    share = texture(thing.texture, thing.shape, thing.width, thing.height, thing.phase)
    if thing.mirrored:
        share = share[:, ::-1]
    return first + (second - first) * share[:, :, None] // FULL


def plain(width: int, height: int, rgb: Rgb) -> Pixels:
    """Return an image of one colour."""
    return np.broadcast_to(np.array(rgb, dtype=np.int32), (height, width, 3)).copy()
