import numpy as np
import pytest

from assay.foundry.draw import Draw
from assay.foundry.scenes.captions import RELATION_WORDS, Words, article, plural, word
from assay.foundry.scenes.concepts import BACKGROUNDS, COLOURS, PALETTE, SHAPES, TEXTURES
from assay.foundry.scenes.font import letters, wrap, write
from assay.foundry.scenes.foreign import TRANSLATIONS, translated
from assay.foundry.scenes.outlines import FULL, outline, texture
from assay.foundry.scenes.render import plain, render
from assay.foundry.scenes.scene import SIDE, Wish, compose


@pytest.mark.parametrize("shape", SHAPES)
def test_shapes_fill_their_box_and_differ(shape: str) -> None:
    mask = outline(shape, 24, 24)
    assert mask.min() == 0
    assert mask.max() == FULL
    assert 0.2 < mask.mean() / FULL < 0.9
    assert mask[2:-2].any(axis=1).all(), "from top to bottom"
    assert mask[:, 4:-4].any(axis=0).all(), "from left to right"
    for rival in set(SHAPES) - {shape}:
        assert np.abs(mask - outline(rival, 24, 24)).mean() / FULL > 0.08, rival


@pytest.mark.parametrize("shape", sorted(SHAPES.keys() - {"crescent"}))
def test_all_shapes_but_the_crescent_are_symmetric(shape: str) -> None:
    # A sample on the very edge may fall to one side alone.
    mask = outline(shape, 24, 20)
    assert np.abs(mask - mask[:, ::-1]).max() <= 2


@pytest.mark.parametrize("name", TEXTURES)
def test_textures_show_two_colours_unless_solid(name: str) -> None:
    share = texture(name, "square", 20, 20, 0)
    assert share.shape == (20, 20)
    assert (share.max() > share.min()) == (name != "solid")


def test_colours_are_far_apart() -> None:
    colours = np.array([PALETTE[name] for name in COLOURS])
    apart = np.abs(colours[:, None] - colours[None]).sum(axis=2)
    assert apart[~np.eye(len(colours), dtype=bool)].min() > 90


@pytest.mark.parametrize("relation", RELATION_WORDS)
def test_things_stand_as_the_relation_says(relation: str) -> None:
    for index in range(50):
        first, second = compose(Draw("test", index), Wish(relation=relation)).things
        if relation == "left":
            assert first.x + first.width / 2 < second.x + second.width / 2 - 5
        elif relation == "above":
            assert first.y + first.height / 2 < second.y + second.height / 2 - 5
        else:
            assert second.x < first.x
            assert first.x + first.width < second.x + second.width
        assert first.shape != second.shape
        assert first.colour != second.colour


@pytest.mark.parametrize("count", [1, 2, 3, 4])
def test_things_can_be_counted(count: int) -> None:
    for index in range(50):
        scene = compose(Draw("test", index), Wish(count=count))
        covered = np.zeros((SIDE, SIDE), dtype=int)
        for thing in scene.things:
            assert 0 <= thing.x <= SIDE - thing.width
            assert 0 <= thing.y <= SIDE - thing.height
            box = outline(thing.shape, thing.width, thing.height) == FULL
            covered[thing.y : thing.y + thing.height, thing.x : thing.x + thing.width] += box
        assert len(scene.things) == scene.count == count
        assert (covered > 1).sum() < 0.1 * (covered > 0).sum()


def test_a_solid_thing_has_its_colour_in_its_middle() -> None:
    wish = Wish(shapes=("circle",), colours=("red",), texture="solid", count=1)
    scene = compose(Draw("test"), wish)
    (thing,) = scene.things
    middle = render(scene)[thing.y + thing.height // 2, thing.x + thing.width // 2]
    assert tuple(middle) == thing.rgb
    assert np.abs(middle - np.array(PALETTE["red"])).max() <= 16


def test_text_is_written_where_it_can_be_read() -> None:
    assert letters("I").tolist() == [[True] * 3, *[[False, True, False]] * 3, [True] * 3]
    assert wrap("a red star on a wall", 31) == ["a red", "star on", "a wall"]
    pixels = plain(40, 12, (255, 255, 255))
    write(pixels, "star", (0, 0, 0))
    assert (pixels == 0).all(axis=2).sum() == letters("star").sum()


def test_every_word_of_a_caption_has_its_translations() -> None:
    for shape in SHAPES:
        for texture_name in TEXTURES:
            for index in range(40):
                draw = Draw(f"{shape}/{texture_name}", index)
                words = Words(
                    (shape, None),
                    (draw.choice(tuple(COLOURS)), None),
                    (texture_name, "dotted"),
                    1,
                    draw.choice(("small", "large")),
                    draw.choice(tuple(RELATION_WORDS)),
                    draw.choice(tuple(BACKGROUNDS)),
                )
                if draw.percent(40):
                    words = Words((shape,), (None,), (None,), draw.between(1, 4), None, None, None)
                text = word(words, draw)
                assert translated(text, draw).split() != text.split()
    assert {len(forms) for forms in TRANSLATIONS.values()} == {3}


def test_articles_and_plurals() -> None:
    assert [article(one) for one in ("orange ring", "object", "red star")] == ["an", "an", "a"]
    assert [plural(one) for one in ("cross", "box", "plus sign", "rhombus")] == [
        "crosses",
        "boxes",
        "plus signs",
        "rhombuses",
    ]
