"""Scenes: which things stand where on a canvas, chosen at random and not yet drawn."""

from collections.abc import Callable
from dataclasses import dataclass, replace

from assay.foundry.draw import Draw
from assay.foundry.scenes.concepts import (
    BACKGROUNDS,
    COLOURS,
    PALETTE,
    SHAPES,
    common_background,
    common_colour,
    common_shape,
    common_texture,
)

Rgb = tuple[int, int, int]

RELATIONS = ("left", "above", "inside")
"""How the first of two different things stands to the second."""

SIDE = 32
"""Pixels a side of every evaluation image."""

_BACKGROUND_NAMES = tuple(BACKGROUNDS)
_TINTS: tuple[Rgb, ...] = ((176, 206, 238), (226, 212, 178), (190, 226, 196), (208, 196, 228))
_SLOTS: dict[int, tuple[tuple[tuple[int, int], ...], ...]] = {
    1: (((50, 50),),),
    2: (((10, 50), (90, 50)), ((50, 10), (50, 90)), ((10, 10), (90, 90)), ((90, 10), (10, 90))),
    3: (((10, 10), (90, 10), (50, 90)), ((10, 90), (90, 90), (50, 10)), ((10, 10), (10, 90), (90, 50))),
    4: (((10, 10), (90, 10), (10, 90), (90, 90)), ((5, 20), (80, 5), (20, 95), (95, 80))),
}  # fmt: skip
"""Where so many alike things stand, in per cent of the free width and height."""

_PERCENT_OF_SIDE = {1: (50, 88), 2: (42, 50), 3: (34, 43), 4: (33, 42)}
"""How large things are, by their number, in per cent of the shorter side."""

_DARK_PERCENT = {"light": 80, "tinted": 65, "gradient": 50, "dark": 20}
"""How often the second colour of a texture is the darker one."""

SMALL, LARGE = 58, 78
"""A lone thing below or above this share of the shorter side is called small or large."""


@dataclass(frozen=True, slots=True)
class Thing:
    """One object of a scene.

    Attributes:
        shape: A key of `SHAPES`.
        colour: A key of `COLOURS`.
        texture: A key of `TEXTURES`.
        x: Left edge, pixels.
        y: Upper edge, pixels.
        width: Pixels.
        height: Pixels.
        rgb: The colour as drawn.
        second: The other colour of its texture.
        phase: In [0, 4), of the texture.
        mirrored: Whether left and right are swapped.
    """

    shape: str
    colour: str
    texture: str
    x: int
    y: int
    width: int
    height: int
    rgb: Rgb
    second: Rgb
    phase: int
    mirrored: bool


@dataclass(frozen=True, slots=True)
class Scene:
    """What an image shows.

    Attributes:
        width: Of the canvas, pixels.
        height: Of the canvas, pixels.
        background: A key of `BACKGROUNDS`.
        ground: Colours at its two ends; they differ for a gradient alone.
        downward: Whether a gradient runs from top to bottom, else from left to right.
        things: One to four, in the order in which they are drawn: alike, or two different ones.
        relation: One of `RELATIONS` of the first to the second of two different things, or None.
        size: `small`, `large`, or None for a thing in between and for several.
        noise: Largest change of a pixel by noise, in levels of 255.
    """

    width: int
    height: int
    background: str
    ground: tuple[Rgb, Rgb]
    downward: bool
    things: tuple[Thing, ...]
    relation: str | None
    size: str | None
    noise: int

    @property
    def count(self) -> int:
        """Return how many alike things there are; 1 for two different ones."""
        return 1 if self.relation else len(self.things)


@dataclass(frozen=True, slots=True)
class Wish:
    """What a scene must be like; None leaves it to chance.

    Attributes:
        width: Of the canvas.
        height: Of the canvas.
        tier: Whose favourites chance follows; None makes all concepts equally likely.
        shapes: Of the first and the second thing, or of all.
        colours: Likewise.
        texture: Of the first thing, or of all.
        count: Alike things.
        relation: Of two different things.
        background: A key of `BACKGROUNDS`.
    """

    width: int = SIDE
    height: int = SIDE
    tier: int | None = None
    shapes: tuple[str, ...] = ()
    colours: tuple[str, ...] = ()
    texture: str | None = None
    count: int | None = None
    relation: str | None = None
    background: str | None = None


def compose(draw: Draw, wish: Wish) -> Scene:
    """Return a scene that is as wished, and otherwise as chance has it."""
    kind = draw.below(100)
    relation, count = wish.relation, wish.count or 1
    if relation is None and wish.count is None:
        if kind < 24:
            relation = RELATIONS[(0, 0, 1, 1, 2)[draw.below(5)]]
        elif kind < 52:
            count = (2, 2, 3, 3, 4)[draw.below(5)]
    background = wish.background
    if background is None and wish.tier is not None:
        background = common_background(draw, wish.tier)
    background = background or draw.choice(_BACKGROUND_NAMES)
    ground = _ground(draw, background)
    first = _kind(draw, wish, 0, background)
    if relation:
        second = _kind(draw, wish, 1, background, first)
        things, size = _related(draw, wish, relation, (first, second)), None
    else:
        things, size = _alike(draw, wish, count, first)
    return Scene(
        wish.width,
        wish.height,
        background,
        ground,
        draw.percent(50),
        things,
        relation,
        size,
        draw.between(2, 12),
    )


def _ground(draw: Draw, background: str) -> tuple[Rgb, Rgb]:
    if background == "tinted":
        rgb = _jitter(draw, draw.choice(_TINTS), 10)
        return rgb, rgb
    if background == "gradient":
        dim, bright = draw.between(70, 110), draw.between(190, 235)
        ends = grey(dim), grey(bright)
        return ends if draw.percent(50) else (ends[1], ends[0])
    level = draw.between(222, 250) if background == "light" else draw.between(8, 42)
    return grey(level), grey(level)


def grey(level: int) -> Rgb:
    """Return a grey of that level, 0 black and 255 white."""
    return level, level, level


def _jitter(draw: Draw, rgb: Rgb, most: int) -> Rgb:
    red, green, blue = (min(255, max(0, level + draw.between(-most, most))) for level in rgb)
    return red, green, blue


def _kind(
    draw: Draw, wish: Wish, place: int, background: str, before: Thing | None = None
) -> Thing:
    """Choose what a thing is, of no size and nowhere yet; a second one differs from the first."""
    shape = _chosen(
        draw, wish.shapes, place, wish.tier, SHAPES, common_shape, before and before.shape
    )
    colour = _chosen(
        draw, wish.colours, place, wish.tier, COLOURS, common_colour, before and before.colour
    )
    texture = wish.texture if wish.texture and not before else common_texture(draw)
    rgb = _jitter(draw, PALETTE[colour], 16)
    return Thing(
        shape,
        colour,
        texture,
        *(0, 0, 0, 0),
        rgb,
        _second(draw, rgb, texture, background),
        draw.below(4),
        draw.percent(50),
    )


def _chosen(
    draw: Draw,
    wished: tuple[str, ...],
    place: int,
    tier: int | None,
    table: dict[str, tuple[str, ...]],
    common: Callable[[Draw, int], str],
    before: str | None,
) -> str:
    """Choose a shape or colour: as wished, or another than the first thing's, or as chance has it."""
    if len(wished) > place:
        return wished[place]
    if before:
        return draw.choice([name for name in table if name != before])
    return draw.choice(tuple(table)) if tier is None else common(draw, tier)


def _second(draw: Draw, rgb: Rgb, texture: str, background: str) -> Rgb:
    """Return a much lighter or much darker shade, mostly one that stands out from the background."""
    dark = draw.percent(_DARK_PERCENT[background])
    if texture in ("bordered", "faded"):
        dark = background != "dark"
    red, green, blue = (level // 4 if dark else 255 - (255 - level) // 5 for level in rgb)
    return red, green, blue


def _placed(draw: Draw, thing: Thing, box: tuple[int, int], slot: tuple[int, int], side: int) -> Thing:  # fmt: skip
    """Give a thing about `side` pixels a side, at per cents of the free width and height."""
    width = max(3, side + draw.between(-1, 1) * (side // 12))
    height = max(3, side + draw.between(-1, 1) * (side // 12))
    free = (max(0, box[0] - width), max(0, box[1] - height))
    x, y = (
        min(room, max(0, room * (at + draw.between(-6, 6)) // 100))
        for room, at in zip(free, slot, strict=True)
    )
    return replace(thing, x=x, y=y, width=width, height=height)


def _alike(draw: Draw, wish: Wish, count: int, thing: Thing) -> tuple[tuple[Thing, ...], str | None]:  # fmt: skip
    """Place so many things of one kind; a lone one stands anywhere and may be small or large."""
    box = (wish.width, wish.height)
    percent = draw.between(*_PERCENT_OF_SIDE[count])
    side = min(box) * percent // 100
    slots = draw.choice(_SLOTS[count])
    size = None
    if count == 1:
        slots = ((draw.below(101), draw.below(101)),)
        size = "small" if percent < SMALL else "large" if percent > LARGE else None
    return tuple(_placed(draw, thing, box, slot, side) for slot in slots), size


def _related(
    draw: Draw, wish: Wish, relation: str, pair: tuple[Thing, Thing]
) -> tuple[Thing, Thing]:
    """Place two things so that the first stands to the second as told."""
    box, side = (wish.width, wish.height), min(wish.width, wish.height)
    if relation == "inside":
        outer = replace(pair[1], texture="solid", shape=_roomy(pair[1].shape, pair[0].shape))
        outer = _placed(draw, outer, box, (50, 50), side * draw.between(86, 96) // 100)
        inner = side * draw.between(38, 44) // 100
        x, y = ((outer.x, outer.width), (outer.y, outer.height))
        thing = replace(pair[0], width=inner, height=inner)
        return replace(thing, x=x[0] + (x[1] - inner) // 2, y=y[0] + (y[1] - inner) // 2), outer
    across = (draw.between(20, 80), draw.between(20, 80))
    slots = ((6, across[0]), (94, across[1]))
    if relation == "above":
        slots = ((across[0], 6), (across[1], 94))
    percent = draw.between(42, 49)
    first, second = (
        _placed(draw, thing, box, slot, side * percent // 100)
        for thing, slot in zip(pair, slots, strict=True)
    )
    return first, second


def _roomy(shape: str, inner: str) -> str:
    """Return a shape in whose middle another can be seen."""
    if shape in ("circle", "square", "hexagon"):
        return shape
    return "square" if inner == "circle" else "circle"
