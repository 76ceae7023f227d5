"""What scenes show: shapes, colours, textures and backgrounds, their names, and how common each is."""

from itertools import accumulate

from assay.foundry.draw import Draw

SHAPES: dict[str, tuple[str, ...]] = {
    "circle": ("circle", "disc"),
    "square": ("square", "box"),
    "triangle": ("triangle",),
    "star": ("star",),
    "heart": ("heart",),
    "cross": ("cross", "plus sign"),
    "ring": ("ring", "hoop"),
    "diamond": ("diamond", "rhombus"),
    "crescent": ("crescent", "moon"),
    "hexagon": ("hexagon",),
}
"""Shapes with their names, the commonest of either first."""

COLOURS: dict[str, tuple[str, ...]] = {
    "red": ("red", "crimson"),
    "blue": ("blue", "cobalt"),
    "green": ("green", "grassy"),
    "yellow": ("yellow", "lemon"),
    "purple": ("purple", "violet"),
    "orange": ("orange", "tangerine"),
    "pink": ("pink", "rosy"),
    "brown": ("brown", "chocolate"),
    "turquoise": ("turquoise", "teal"),
}
"""Colours with their names, the commonest of either first."""

PALETTE: dict[str, tuple[int, int, int]] = {
    "red": (214, 38, 38),
    "blue": (48, 88, 216),
    "green": (44, 160, 62),
    "yellow": (244, 220, 52),
    "purple": (132, 52, 176),
    "orange": (242, 134, 24),
    "pink": (246, 138, 188),
    "brown": (122, 76, 40),
    "turquoise": (48, 202, 194),
}
"""Colours as 8-bit RGB; a thing's own differs from it by some jitter."""

TEXTURES: dict[str, tuple[str, ...]] = {
    "solid": ("solid", "plain"),
    "striped": ("striped", "stripy"),
    "dotted": ("dotted", "spotted"),
    "checkered": ("checkered", "checked"),
    "bordered": ("bordered", "framed"),
    "faded": ("faded", "shaded"),
}
"""Textures with their names, the commonest of either first."""

TEXTURE_PHRASES: dict[str, tuple[str, ...]] = {
    "striped": ("with stripes",),
    "dotted": ("with dots", "with spots"),
    "checkered": ("with checks",),
    "bordered": ("with a border", "with a frame"),
    "faded": ("with a fade",),
}
"""How a texture is named after the noun."""

BACKGROUNDS: dict[str, tuple[str, ...]] = {
    "light": ("on a light background", "against a white wall"),
    "dark": ("on a dark background", "against a black wall"),
    "tinted": ("on a tinted background", "against a pale wall"),
    "gradient": ("on a gradient", "against a fading sky"),
}
"""Backgrounds and how captions name them."""

TIERS = 5
"""Hosts fall into tiers of equal size, from the most to the least careful."""

_TILT = 3
"""A tier's favourites are this many places further on than those of the tier before it."""


def _long_tail(count: int, tier: int) -> tuple[int, ...]:
    """Return running weights: one Zipf curve that all share, and a lower one that starts elsewhere."""
    own = [(rank - _TILT * tier) % count for rank in range(count)]
    return tuple(accumulate(1200 // (rank + 1) + 600 // (own[rank] + 1) for rank in range(count)))


_SHAPE_WEIGHTS = tuple(_long_tail(len(SHAPES), tier) for tier in range(TIERS))
_COLOUR_WEIGHTS = tuple(_long_tail(len(COLOURS), tier) for tier in range(TIERS))
_TEXTURE_WEIGHTS = tuple(accumulate((38, 20, 15, 11, 9, 7)))
_BACKGROUND_WEIGHTS = tuple(
    tuple(accumulate(weights))
    for weights in ((52, 8, 32, 8), (44, 14, 28, 14), (34, 24, 20, 22), (20, 36, 14, 30), (12, 44, 10, 34))
)  # fmt: skip
"""Careful hosts like light backgrounds, careless ones dark ones."""
_BACKGROUND_NAMES = tuple(BACKGROUNDS)
_SHAPE_NAMES, _COLOUR_NAMES, _TEXTURE_NAMES = tuple(SHAPES), tuple(COLOURS), tuple(TEXTURES)


def common_shape(draw: Draw, tier: int) -> str:
    """Return a shape, as often as hosts of a tier show it."""
    return _SHAPE_NAMES[draw.weighted(_SHAPE_WEIGHTS[tier])]


def common_colour(draw: Draw, tier: int) -> str:
    """Return a colour, as often as hosts of a tier show it."""
    return _COLOUR_NAMES[draw.weighted(_COLOUR_WEIGHTS[tier])]


def common_texture(draw: Draw) -> str:
    """Return a texture; two in five things are solid."""
    return _TEXTURE_NAMES[draw.weighted(_TEXTURE_WEIGHTS)]


def common_background(draw: Draw, tier: int) -> str:
    """Return a background, as often as hosts of a tier show it."""
    return _BACKGROUND_NAMES[draw.weighted(_BACKGROUND_WEIGHTS[tier])]
