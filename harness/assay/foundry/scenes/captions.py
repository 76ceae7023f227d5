"""Captions of scenes: noun phrases of varying detail in sentences of many forms."""

from dataclasses import dataclass, replace

from assay.foundry.draw import Draw
from assay.foundry.scenes.concepts import (
    BACKGROUNDS,
    COLOURS,
    SHAPES,
    TEXTURE_PHRASES,
    TEXTURES,
)
from assay.foundry.scenes.scene import Scene

NOUNS = ("shape", "object", "figure")
"""What a thing is called whose shape is not named."""

NUMBERS: dict[int, tuple[str, ...]] = {
    1: ("one", "a single"),
    2: ("two", "a pair of"),
    3: ("three", "a group of three"),
    4: ("four", "a group of four"),
}
"""Number words by number."""

RELATION_WORDS: dict[str, tuple[tuple[str, ...], tuple[str, ...]]] = {
    "left": (("to the left of", "on the left of"), ("to the right of", "on the right of")),
    "above": (("above", "over"), ("below", "under")),
    "inside": (("inside", "in"), ("around",)),
}
"""How captions name a relation, and the same seen from the other side."""

SIZES = {"small": ("small", "little"), "large": ("large", "big")}

_FRAMES = (
    *("{np}", "{np}", "a photo of {np}", "an image of {np}", "a picture of {np}"),
    *("there {is} {np}", "there {is} {np} in the picture", "here {is} {np}", "{np} in a photo"),
    *("an image with {np} in it", "{this} {is} {np}", "a drawing of {np}", "{np} can be seen"),
)


@dataclass(frozen=True, slots=True)
class Words:
    """What a caption says; None where it keeps silent.

    Attributes:
        shapes: Of the first and, if it is mentioned, of the second thing.
        colours: Likewise.
        textures: Likewise.
        count: Alike things.
        size: `small` or `large`.
        relation: Of the two things, one of `scene.RELATIONS`.
        background: A key of `BACKGROUNDS`.
    """

    shapes: tuple[str | None, ...]
    colours: tuple[str | None, ...]
    textures: tuple[str | None, ...]
    count: int
    size: str | None
    relation: str | None
    background: str | None

    @property
    def detail(self) -> int:
        """Return how many facts the caption states."""
        said = (*self.shapes, *self.colours, *self.textures, self.size, self.relation)
        return sum(word is not None for word in said) + (self.count > 1)


def choose(scene: Scene, draw: Draw, full: bool = False) -> Words:
    """Choose what to say of a scene: everything but the background, or what comes to mind."""
    pair = 2 if scene.relation and (full or draw.percent(90)) else 1
    # Who names only one of two different things names the one in front.
    things = scene.things[:pair]
    shapes, colours, textures = [], [], []
    for thing in things:
        shape = full or draw.percent(88)
        shapes.append(thing.shape if shape else None)
        colours.append(thing.colour if full or not shape or draw.percent(80) else None)
        named = full or draw.percent(70 if thing.texture != "solid" else 8)
        textures.append(thing.texture if named and (thing.texture != "solid" or not full) else None)
    relation = scene.relation if pair == 2 and (full or draw.percent(85)) else None
    background = not full and draw.percent(14)
    return Words(
        tuple(shapes),
        tuple(colours),
        tuple(textures),
        scene.count,
        scene.size if full or draw.percent(50) else None,
        relation,
        scene.background if background else None,
    )


def falsify(words: Words, scene: Scene, draw: Draw) -> Words:
    """Change one thing that a caption says of a scene's first thing: colour, shape, number or relation."""
    kinds = [
        kind
        for kind, said in (
            ("colours", words.colours[0]),
            ("shapes", words.shapes[0]),
            ("count", words.count > 1),
            ("relation", words.relation in ("left", "above")),
        )
        if said
    ]
    kind = draw.choice(kinds)
    if kind == "count":
        return replace(words, count=2 + (words.count - 1 + draw.below(2)) % 3)
    if kind == "relation":
        # Told from the other side: what stood on the left now stands on the right.
        return replace(
            words,
            shapes=words.shapes[::-1],
            colours=words.colours[::-1],
            textures=words.textures[::-1],
        )
    # What is true of the other thing would not be wrong.
    if kind == "colours":
        absent = [name for name in COLOURS if all(name != one.colour for one in scene.things)]
        return replace(words, colours=(draw.choice(absent), *words.colours[1:]))
    absent = [name for name in SHAPES if all(name != one.shape for one in scene.things)]
    return replace(words, shapes=(draw.choice(absent), *words.shapes[1:]))


def word(words: Words, draw: Draw) -> str:
    """Put into a sentence what a caption is to say."""
    phrase = _noun_phrase(words, 0, draw)
    if len(words.shapes) == 2:
        phrase = _two(phrase, _noun_phrase(words, 1, draw), words.relation, draw)
    # "There are two stars", but "there is a pair of stars" and "there is a star and a circle".
    many = words.count > 1 and not phrase.startswith("a ")
    if words.background:
        phrase += f" {draw.choice(BACKGROUNDS[words.background])}"
    number = ("are", "these") if many else ("is", "this")
    text = draw.choice(_FRAMES).format(np=phrase, **{"is": number[0], "this": number[1]})
    if draw.percent(25):
        text = text[0].upper() + text[1:]
    return text + "." if draw.percent(20) else text


def caption(scene: Scene, draw: Draw, full: bool = False) -> str:
    """Return a true caption."""
    return word(choose(scene, draw, full), draw)


def _two(first: str, second: str, relation: str | None, draw: Draw) -> str:
    if relation is None:
        return f"{first} and {second}" if draw.percent(50) else f"{second} and {first}"
    ways, converse = RELATION_WORDS[relation]
    if draw.percent(50):
        return f"{first} {draw.choice(ways)} {second}"
    return f"{second} {draw.choice(converse)} {first}"


def _noun_phrase(words: Words, place: int, draw: Draw) -> str:
    shape, colour, texture = words.shapes[place], words.colours[place], words.textures[place]
    adjectives, after = [], ""
    if words.size and place == 0:
        adjectives.append(draw.choice(SIZES[words.size]))
    if texture in TEXTURE_PHRASES and draw.percent(20):
        after = f" {draw.choice(TEXTURE_PHRASES[texture])}"
    elif texture:
        adjectives.append(_name(TEXTURES[texture], draw))
    if colour:
        adjectives.append(_name(COLOURS[colour], draw))
    noun = _name(SHAPES[shape], draw) if shape else draw.choice(NOUNS)
    count = words.count
    phrase = " ".join((*adjectives, noun if count == 1 else plural(noun)))
    if count > 1 or draw.percent(12):
        return f"{draw.choice(NUMBERS[count])} {phrase}{after}"
    return f"{article(phrase)} {phrase}{after}"


def _name(names: tuple[str, ...], draw: Draw) -> str:
    """Choose a name; the first is the commonest by far."""
    return names[0] if draw.percent(70) else draw.choice(names)


def article(phrase: str) -> str:
    """Return `a` or `an`."""
    return "an" if phrase[0] in "aeio" else "a"


def plural(noun: str) -> str:
    """Return a noun of `NOUNS` or `SHAPES` in the plural."""
    return noun + ("es" if noun.endswith(("s", "x")) else "s")
