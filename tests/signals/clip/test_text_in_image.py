"""Words in images: what was planted is found, what was not is mostly left alone."""

import io
from pathlib import Path
from zipfile import ZipFile

import numpy as np
import pytest
from PIL import Image, ImageDraw

from assay.foundry.scenes import scenes
from assay.signals.clip.text_in_image import TEXT_DENSITY, fill_text, text_density

PHOTOS = Path(__file__).parents[3] / ".." / "shared" / "data" / "clip" / "images.zip"


@pytest.fixture(scope="module")
def planted() -> list[tuple[str, Image.Image]]:
    """Pairs that the threshold was not chosen on."""
    return [
        (pair.truth.defect or "", Image.open(io.BytesIO(pair.image)).convert("RGB"))
        for pair in scenes(30_000, 31_000)
    ]


def test_recall_and_precision_on_planted_text(planted):
    found = np.array([text_density(image) >= TEXT_DENSITY for _, image in planted])
    defect = np.array([name for name, _ in planted])
    rendered, stamped = defect == "rendered_text", defect == "watermark"
    assert found[rendered].mean() >= 0.98
    assert found[stamped].mean() >= 0.6
    assert (rendered | stamped)[found].mean() >= 0.75


@pytest.mark.realdata
@pytest.mark.skipif(not PHOTOS.is_file(), reason="real data is not here")
def test_few_photographs_are_taken_for_text():
    with ZipFile(PHOTOS) as photos:
        names = [name for name in photos.namelist() if name.startswith("train/")][::50]
        images = [Image.open(io.BytesIO(photos.read(name))).convert("RGB") for name in names]
    assert len(images) > 200
    assert np.mean([text_density(image) >= TEXT_DENSITY for image in images]) < 0.1


def test_painting_over_takes_the_text_and_leaves_other_images_as_they_are(planted):
    for defect, image in planted:
        filled = fill_text(image)
        assert filled.size == image.size
        if text_density(image) < TEXT_DENSITY:
            assert filled is image
        elif defect == "rendered_text":
            assert text_density(filled) < text_density(image)


def drawn(image: Image.Image, top: int, ink: str = "black") -> Image.Image:
    """Draw a line of words."""
    ImageDraw.Draw(image).text((10, top), "FREE SHIPPING NOW", ink, font_size=12)
    return image


def test_each_stretch_of_text_gets_the_colour_of_its_own_border():
    image = Image.new("RGB", (160, 120), "white")
    image.paste("red", (0, 60, 160, 120))
    filled = np.asarray(fill_text(drawn(drawn(image, 20), 86, "white")))
    assert (filled[:60] == (255, 255, 255)).all()
    assert (filled[60:] == (255, 0, 0)).all()


def test_text_at_one_edge_takes_nothing_from_the_edge_across():
    image = Image.new("RGB", (160, 120), "white")
    image.paste("black", (0, 100, 160, 120))
    filled = np.asarray(fill_text(drawn(image, 0)))
    assert (filled[:100] == 255).all()
    assert (filled[100:] == 0).all()


def test_an_image_of_nothing_but_text_gets_its_mean():
    stripes = np.zeros((8, 20, 3), dtype=np.uint8)
    stripes[:, ::2] = 200
    assert np.unique(np.asarray(fill_text(Image.fromarray(stripes)))).tolist() == [100]


@pytest.mark.parametrize("size", [12, 24, 48])
def test_letters_of_many_sizes_are_seen_on_a_larger_picture(size):
    image = Image.new("RGB", (400, 200), "white")
    assert text_density(image) == 0
    ImageDraw.Draw(image).text((10, 60), "FREE SHIPPING NOW", "black", font_size=size)
    assert text_density(image) >= 0.3


@pytest.mark.parametrize("shape", [(1, 1), (4, 300), (300, 4), (16, 16)])
def test_an_image_without_room_for_a_word_has_none(shape):
    assert text_density(Image.new("RGB", shape)) == 0
