"""The evaluation items: what a model should see that learned shapes, colours, textures and numbers.

Every item's scene comes from a stream of draws of its own, so that its image is in no pool but where
it was leaked. Classes are balanced but for the task that is about rare ones.
"""

from bisect import bisect_right
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from itertools import accumulate

from assay.foundry.draw import Draw
from assay.foundry.scenes.captions import RELATION_WORDS, caption, choose
from assay.foundry.scenes.concepts import BACKGROUNDS, COLOURS, SHAPES, TEXTURES
from assay.foundry.scenes.png import encode_png
from assay.foundry.scenes.render import add_noise, clipped, render
from assay.foundry.scenes.scene import Scene, Wish, compose

COLOUR_SHAPES = tuple(
    (colour, shape)
    for colour in ("red", "blue", "green", "yellow", "purple")
    for shape in ("circle", "square", "triangle", "star", "heart")
)
"""Classes of the fine-grained task."""

TAIL_COUNTS = (96, 60, 40, 28, 20, 16)
"""Items of each texture in the task of unbalanced classes."""

_THING_TEMPLATES = ["a {c}", "a photo of a {c}", "an image with a {c} in it", "there is a {c}"]
_COLOUR_TEMPLATES = ["{c} shape", "a photo of one {c} object", "one {c} figure", "there is one {c} shape"]  # fmt: skip
_TEXTURE_TEMPLATES = ["a {c} shape", "a photo of a {c} object", "an image with a {c} figure in it"]
_PHRASE_TEMPLATES = ["{c}", "a photo of {c}", "an image with {c} in it", "a picture of {c}"]
_RETRIEVAL = "retrieval"


@dataclass(frozen=True, slots=True)
class SceneItem:
    """One image to be recognised.

    Attributes:
        image: PNG, 32 x 32.
        gold: Position of its class, or None for retrieval.
        captions: What says so in full, for retrieval; else empty.
        group: What a worst-group metric groups by, or None.
    """

    image: bytes
    gold: int | None
    captions: list[str]
    group: str | None


@dataclass(frozen=True, slots=True)
class SceneTask:
    """A task with its items.

    Attributes:
        name: Of the task.
        group: Heading under which it is shown.
        kind: `classification` or `retrieval`.
        classes: Names of every class, all meaning the same; empty for retrieval.
        templates: Sentences with `{c}` for a class name; empty for retrieval.
        description: One line for people.
        items: In a fixed order.
    """

    name: str
    group: str
    kind: str
    classes: list[list[str]]
    templates: list[str]
    description: str
    items: list[SceneItem]


@dataclass(frozen=True, slots=True)
class _Sketch:
    """An item before it is drawn; `look` is how its image is shifted away from the pool's."""

    scene: Scene
    gold: int | None
    group: str | None = None
    look: str = ""


@dataclass(frozen=True, slots=True)
class _Plan:
    """All of a task but its items, and how to make one from a draw and its number."""

    name: str
    group: str
    size: int
    classes: list[list[str]]
    templates: list[str]
    description: str
    make: Callable[[Draw, int], _Sketch]


def scene_tasks() -> list[SceneTask]:
    """Return every task with its items, in the order in which they are shown."""
    return [
        SceneTask(
            plan.name,
            plan.group,
            _RETRIEVAL if plan.name == _RETRIEVAL else "classification",
            plan.classes,
            plan.templates,
            plan.description,
            [_item(plan, number) for number in range(plan.size)],
        )
        for plan in _plans()
    ]


def leak(draw: Draw) -> tuple[str, bytes, Scene]:
    """Return `task:index` of some item, its image and what it shows."""
    plan = draw.choice(_plans())
    number = draw.below(plan.size)
    return f"{plan.name}:{number}", _item(plan, number).image, _sketch(plan, number)[0].scene


def training_images(per_task: int) -> Iterator[bytes]:
    """Yield images of the tasks' training split, PNG: other draws of the same tasks, and none of the items.

    Args:
        per_task: Images of each task.
    """
    for plan in _plans():
        for number in range(per_task):
            draw = Draw(f"scenes/training/{plan.name}", number)
            yield _drawn(plan.make(draw, number), draw)


def _sketch(plan: _Plan, number: int) -> tuple[_Sketch, Draw]:
    stream = _retrieval_streams()[number] if plan.name == _RETRIEVAL else number
    draw = Draw(f"scenes/suite/{plan.name}", stream)
    return plan.make(draw, number), draw


def _item(plan: _Plan, number: int) -> SceneItem:
    sketch, draw = _sketch(plan, number)
    scene, captions = sketch.scene, []
    if sketch.gold is None:
        captions = [caption(scene, draw, full=True) for _ in range(2)]
    return SceneItem(_drawn(sketch, draw), sketch.gold, captions, sketch.group)


def _drawn(sketch: _Sketch, draw: Draw) -> bytes:
    scene = sketch.scene
    pixels = add_noise(render(scene), draw, 70 if sketch.look == "noisy" else scene.noise)
    if sketch.look == "faint":
        pixels = 96 + pixels // 4
    elif sketch.look == "inverted":
        pixels = 255 - pixels
    return encode_png(clipped(pixels))


def _names(table: dict[str, tuple[str, ...]]) -> list[list[str]]:
    return [list(names) for names in table.values()]


@lru_cache(maxsize=1)
def _plans() -> tuple[_Plan, ...]:
    shapes, textures = _names(SHAPES), _names(TEXTURES)
    fine = [
        [f"{colour} {shape}", f"{COLOURS[colour][-1]} {SHAPES[shape][-1]}"]
        for colour, shape in COLOUR_SHAPES
    ]
    attributes, composition, shift, balance = "attributes", "composition", "shift", "balance"
    thing, texture, phrase = _THING_TEMPLATES, _TEXTURE_TEMPLATES, _PHRASE_TEMPLATES
    return (
        _Plan("shape", attributes, 250, shapes, thing, "the shape of one thing", _shape),
        _Plan("colour", attributes, 252, _names(COLOURS), _COLOUR_TEMPLATES, "the colour of one thing", _colour),
        _Plan("texture", attributes, 240, textures, texture, "the texture of one thing", _texture),
        _Plan("colour_shape", composition, 300, fine, thing, "colour and shape together, of 25", _colour_shape),
        _Plan("count", composition, 240, _counts(), phrase, "how many alike things there are", _count),
        _Plan("relation", composition, 240, _relations(), phrase, "where one of two things stands", _relation),
        _Plan("shape_sketch", shift, 200, shapes, thing, "shapes as outlines, half of them inverted", _outlined),
        _Plan("shape_noisy", shift, 200, shapes, thing, "shapes under heavy noise", _shifted("noisy")),
        _Plan("shape_faint", shift, 200, shapes, thing, "shapes at a quarter of the contrast", _shifted("faint")),
        _Plan("shape_background", balance, 320, shapes, thing, "shapes, grouped by background", _grouped),
        _Plan("texture_tail", balance, sum(TAIL_COUNTS), textures, texture, "textures, some of them rare", _tail),
        _Plan(_RETRIEVAL, _RETRIEVAL, 300, [], [], "full captions to images and back", _described),
    )  # fmt: skip


def _at(names: Sequence[str] | dict[str, tuple[str, ...]], number: int) -> str:
    """Return the names in turn."""
    return tuple(names)[number % len(names)]


def _shape(draw: Draw, number: int) -> _Sketch:
    wish = Wish(shapes=(_at(SHAPES, number),), count=1)
    return _Sketch(compose(draw, wish), number % len(SHAPES))


def _colour(draw: Draw, number: int) -> _Sketch:
    wish = Wish(colours=(_at(COLOURS, number),), count=1)
    return _Sketch(compose(draw, wish), number % len(COLOURS))


def _texture(draw: Draw, number: int) -> _Sketch:
    wish = Wish(texture=_at(TEXTURES, number), count=1)
    return _Sketch(compose(draw, wish), number % len(TEXTURES))


def _colour_shape(draw: Draw, number: int) -> _Sketch:
    gold = number % len(COLOUR_SHAPES)
    colour, shape = COLOUR_SHAPES[gold]
    return _Sketch(compose(draw, Wish(shapes=(shape,), colours=(colour,), count=1)), gold)


def _counts() -> list[list[str]]:
    return [
        ["one shape", "one object", "a single figure"],
        ["two shapes", "two objects", "a pair of figures"],
        ["three shapes", "three objects", "a group of three figures"],
        ["four shapes", "four objects", "a group of four figures"],
    ]


def _count(draw: Draw, number: int) -> _Sketch:
    return _Sketch(compose(draw, Wish(count=1 + number % 4)), number % 4)


_ACTORS = (("red", "circle"), ("blue", "square"))


def _relations() -> list[list[str]]:
    """Return the four captions: the circle is left of, right of, above, below the square."""
    circle, square = (f"a {colour} {shape}" for colour, shape in _ACTORS)
    return [
        [f"{circle} {there} {square}", f"{square} {back} {circle}"]
        for ways, converse in (RELATION_WORDS["left"], RELATION_WORDS["above"])
        for there, back in ((ways[0], converse[0]), (converse[0], ways[0]))
    ]


def _relation(draw: Draw, number: int) -> _Sketch:
    gold = number % 4
    actors = _ACTORS[::-1] if gold % 2 else _ACTORS
    colours, shapes = zip(*actors, strict=True)
    relation = "left" if gold < 2 else "above"
    return _Sketch(compose(draw, Wish(shapes=shapes, colours=colours, relation=relation)), gold)


def _outlined(draw: Draw, number: int) -> _Sketch:
    """Turn a thing into a dark outline on white; every other group of classes is inverted."""
    wish = Wish(shapes=(_at(SHAPES, number),), texture="bordered", count=1, background="light")
    scene = compose(draw, wish)
    things = tuple(replace(one, rgb=(245, 245, 245), second=(20, 20, 20)) for one in scene.things)
    look = "inverted" if number // len(SHAPES) % 2 else "sketch"
    return _Sketch(replace(scene, things=things), number % len(SHAPES), look=look)


def _shifted(look: str) -> Callable[[Draw, int], _Sketch]:
    return lambda draw, number: replace(_shape(draw, number), look=look)


def _grouped(draw: Draw, number: int) -> _Sketch:
    background = _at(BACKGROUNDS, number // len(SHAPES))
    wish = Wish(shapes=(_at(SHAPES, number),), count=1, background=background)
    return _Sketch(compose(draw, wish), number % len(SHAPES), background)


def _tail(draw: Draw, number: int) -> _Sketch:
    gold = bisect_right(tuple(accumulate(TAIL_COUNTS)), number)
    return _Sketch(compose(draw, Wish(texture=_at(TEXTURES, gold), count=1)), gold)


def _described(draw: Draw, number: int) -> _Sketch:
    return _Sketch(compose(draw, Wish()), None)


@lru_cache(maxsize=1)
def _retrieval_streams() -> tuple[int, ...]:
    """Choose scenes no two of which a caption could fit: textures and sizes may go unsaid."""
    plan = _plans()[-1]
    streams: list[int] = []
    seen: set[tuple[object, ...]] = set()
    stream = 0
    while len(streams) < plan.size:
        draw = Draw(f"scenes/suite/{_RETRIEVAL}", stream)
        words = choose(_described(draw, 0).scene, draw, full=True)
        said = (words.shapes, words.colours, words.count, words.relation)
        if said not in seen:
            seen.add(said)
            streams.append(stream)
        stream += 1
    return tuple(streams)
