"""Pairs: a scene, its caption, whatever is wrong with them, an address, and the truth about it."""

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from assay.foundry.draw import Draw
from assay.foundry.layout import Layout, Slot
from assay.foundry.scenes import defects, hosts
from assay.foundry.scenes.captions import Words, choose, falsify, word
from assay.foundry.scenes.font import write
from assay.foundry.scenes.foreign import translated
from assay.foundry.scenes.items import leak
from assay.foundry.scenes.png import encode_png
from assay.foundry.scenes.render import add_noise, clipped, plain, render
from assay.foundry.scenes.scene import SIDE, Scene, Wish, compose, grey

VERSION = 2
"""Part of every uid; bumped whenever a byte of any pair changes."""

ORIGINAL_SCALE = 16
"""Images are stored this many times smaller than `original_width` and `original_height` say, so that
published limits on the size of photographs mean here what they mean there."""

_LAYOUT = Layout("scenes/layout", {one.name: one.per_mille for one in defects.DEFECTS})
_CANVAS = (28, 48)
_TINY = (6, 11)
_LONG, _SHORT = (64, 80), (13, 15)
_PAGE_WIDTH, _PAGE_HEIGHT = (44, 48), (36, 48)


@dataclass(frozen=True, slots=True)
class Truth:
    """What only an oracle and the diagnostics may know of a pair.

    Attributes:
        quality: Worth for training, in [0, 1000]; clean pairs are at 820 and above.
        defect: Name of the defect that it was planned to have, or None for a clean pair.
        second_defect: `mismatched_caption` where a caption under another defect is of another scene,
            `generic_caption` where boilerplate replaced it, else None.
        cluster: Index of the pair whose scene it shows; its own index where it copies nobody.
        cluster_size: Pairs that show that scene, this one included.
        leaked_item: `task:index` of the suite's item whose image it is, or None.
        shape: Of the first thing; this and what follows is None where the image shows no scene.
        colour: Of the first thing.
        texture: Of the first thing.
        count: Alike things.
        other_shape: Of the second thing, where there are two different ones.
        other_colour: Likewise.
        relation: Of the first thing to the second, or None where there are no two different ones.
        background: Of the scene.
        detail: How many facts of the scene the caption would state if nothing were wrong.
    """

    quality: int
    defect: str | None
    second_defect: str | None
    cluster: int
    cluster_size: int
    leaked_item: str | None
    shape: str | None
    colour: str | None
    texture: str | None
    count: int | None
    other_shape: str | None
    other_colour: str | None
    relation: str | None
    background: str | None
    detail: int


@dataclass(frozen=True, slots=True)
class ScenePair:
    """One candidate.

    Attributes:
        uid: 16 bytes, a hash, so that order tells nothing.
        caption: As found with the image.
        image: PNG.
        columns: What a curator may see: `url`, `host`, `original_width`, `original_height`, `sha256`.
        truth: What a curator may not see.
    """

    uid: bytes
    caption: str
    image: bytes
    columns: dict[str, str | int]
    truth: Truth


@dataclass(frozen=True, slots=True)
class _Made:
    """An image with a caption, before it is found anywhere."""

    scene: Scene | None
    pixels: NDArray[np.uint8]
    caption: str
    words: Words | None
    defects: tuple[str, ...] = ()


def scenes(start: int, stop: int) -> Iterator[ScenePair]:
    """Yield the pairs with indices in [start, stop).

    Every pair is a function of its index alone: any range, in any order, on any machine, gives the
    same bytes.
    """
    for index in range(start, stop):
        yield _pair(index)


def reference_scenes(start: int, stop: int) -> Iterator[ScenePair]:
    """Yield clean pairs of another stream: no image of them is in the pool or the suite."""
    for index in range(start, stop):
        position = hosts.host(Draw("scenes/reference/host", index), "clean")
        made = _clean("scenes/reference", index, hosts.tier(position))
        image = encode_png(made.pixels)
        yield _found(f"reference/{index}", position, made, image, Slot("", index, 1))


def _pair(index: int) -> ScenePair:
    plan = _LAYOUT.slot(index)
    position = _host(index, plan)
    draw = Draw("scenes/defect", index)
    if plan.defect == "leaked_item":
        item, image, scene = leak(draw)
        words = choose(scene, draw)
        # The pixels are in the file already; only their size is still asked for.
        shown = np.empty((SIDE, SIDE, 3), dtype=np.uint8)
        made = _Made(scene, shown, word(words, draw), words, ("leaked_item",))
        return _found(str(index), position, made, image, plan, item)
    if plan.cluster != index:
        made = _copy(plan, draw)
    elif plan.defect == "rendered_text":
        made = _rendered(index, hosts.tier(position), draw)
    elif plan.defect:
        made = _spoilt(index, plan.defect, hosts.tier(position), draw)
    else:
        made = _original(index)
    return _found(str(index), position, made, encode_png(made.pixels), plan)


def _found(
    name: str, position: int, made: _Made, image: bytes, plan: Slot, leaked: str | None = None
) -> ScenePair:
    """Put a pair where it was found, and write down the truth about it."""
    uid = hashlib.blake2b(f"foundry-clip/{VERSION}/{name}".encode(), digest_size=16).digest()
    height, width, _ = made.pixels.shape
    host = hosts.HOSTS[position]
    columns: dict[str, str | int] = {
        "url": f"https://{host}/{uid[0]:02x}/{uid[1:6].hex()}.png",
        "host": host,
        "original_width": width * ORIGINAL_SCALE,
        "original_height": height * ORIGINAL_SCALE,
        "sha256": hashlib.sha256(image).hexdigest(),
    }
    scene, detail = made.scene, made.words.detail if made.words else 0
    thing = scene.things[0] if scene else None
    second = scene.things[1] if scene and scene.relation else None
    truth = Truth(
        defects.quality(made.defects, detail),
        plan.defect or None,
        made.defects[1] if len(made.defects) > 1 else None,
        plan.cluster,
        plan.cluster_size,
        leaked,
        thing.shape if thing else None,
        thing.colour if thing else None,
        thing.texture if thing else None,
        scene.count if scene else None,
        second.shape if second else None,
        second.colour if second else None,
        scene.relation if scene else None,
        scene.background if scene else None,
        detail,
    )
    return ScenePair(uid, made.caption, image, columns, truth)


def _host(index: int, plan: Slot) -> int:
    """Return where a pair was found; never, for a copy, where the original was."""
    draw = Draw("scenes/host", index)
    if plan.cluster == index:
        return hosts.host(draw, defects.DEFECT[plan.defect].seen if plan.defect else "clean")
    taken = _host(plan.cluster, _LAYOUT.slot(plan.cluster))
    position = taken
    while position == taken:
        position = hosts.host(draw, "others")
    return position


def _wish(draw: Draw, defect: str, tier: int) -> Wish:
    """Choose a canvas; a tiny or a very long one has room for a single thing."""
    if defect == "tiny_image":
        return Wish(draw.between(*_TINY), draw.between(*_TINY), tier, count=1)
    if defect == "extreme_aspect":
        long, short = draw.between(*_LONG), draw.between(*_SHORT)
        width, height = (long, short) if draw.percent(50) else (short, long)
        return Wish(width, height, tier, count=1)
    if draw.percent(50):
        return Wish(SIDE, SIDE, tier)
    return Wish(draw.between(*_CANVAS), draw.between(*_CANVAS), tier)


def _clean(stream: str, index: int, tier: int, defect: str = "") -> _Made:
    draw = Draw(f"{stream}/scene", index)
    scene = compose(draw, _wish(draw, defect, tier))
    words = choose(scene, draw)
    pixels = render(scene)
    if defect == "watermark":
        mark, ink = defects.stamp(draw), draw.choice(((250, 250, 250), (20, 20, 20)))
        write(pixels, f"{mark} {mark}", ink, ink=draw.between(7, 11))
    pixels = clipped(add_noise(pixels, draw, scene.noise))
    return _Made(scene, pixels, word(words, draw), words)


@lru_cache(maxsize=256)
def _original(index: int) -> _Made:
    return _clean("scenes", index, hosts.tier(_host(index, _LAYOUT.slot(index))))


def _copy(plan: Slot, draw: Draw) -> _Made:
    """Return another pair's scene as another host shows it."""
    made = _original(plan.cluster)
    pixels, text = made.pixels, made.caption
    assert made.scene is not None
    if plan.defect == "near_duplicate":
        shift = (draw.between(-2, 2), draw.between(-2, 2))
        tint = np.array([draw.between(-14, 14) for _ in range(3)], dtype=np.int32)
        moved = np.roll(pixels, shift, axis=(0, 1)).astype(np.int32) + tint
        pixels = clipped(add_noise(moved, draw, draw.between(3, 9)))
        words = choose(made.scene, draw)
        return _Made(made.scene, pixels, word(words, draw), words, (plan.defect,))
    return _Made(made.scene, pixels, text, made.words, (plan.defect,))


def _rendered(index: int, tier: int, draw: Draw) -> _Made:
    """Write a caption into an image that shows nothing else."""
    scene = compose(Draw("scenes/decoy", index), Wish(tier=tier, count=1))
    text = word(choose(scene, draw), draw)
    paper, ink = (draw.between(190, 250), draw.between(0, 70))
    if draw.percent(40):
        paper, ink = ink, paper
    pixels = plain(draw.between(*_PAGE_WIDTH), draw.between(*_PAGE_HEIGHT), grey(paper))
    write(pixels, text, grey(ink))
    pixels = clipped(add_noise(pixels, draw, draw.between(2, 8)))
    return _Made(None, pixels, text, None, ("rendered_text",))


def _spoilt(index: int, defect: str, tier: int, draw: Draw) -> _Made:
    """Make a clean pair and do to it, or to its caption, what was planned."""
    made = _clean("scenes", index, tier, defect)
    scene, words = made.scene, made.words
    assert scene is not None
    assert words is not None
    text, names = made.caption, (defect,)
    if defect in defects.WRAPPERS and draw.percent(defects.SECOND_DEFECT_PERCENT):
        text, names = _elsewhere(index, scene, tier), (defect, "mismatched_caption")
    if defect == "mismatched_caption":
        text = _elsewhere(index, scene, tier)
    elif defect == "partly_wrong":
        text = word(falsify(words, scene, draw), draw)
    elif defect == "generic_caption":
        text = defects.generic_caption(draw)
    elif defect == "file_name":
        text = defects.file_name(draw)
    elif defect == "foreign_caption":
        text = translated(text, draw)
    elif defect == "boilerplate":
        text, gone = defects.boilerplate(draw, text)
        names = (defect, "generic_caption") if gone else names
    return _Made(scene, made.pixels, text, words, names)


def _elsewhere(index: int, scene: Scene, tier: int) -> str:
    """Return the caption of a scene that shares no shape and no colour with this one."""
    draw = Draw("scenes/decoy", index)
    shown = {name for thing in scene.things for name in (thing.shape, thing.colour)}
    while True:
        decoy = compose(draw, Wish(tier=tier))
        if not any(thing.shape in shown or thing.colour in shown for thing in decoy.things):
            return word(choose(decoy, draw), draw)
