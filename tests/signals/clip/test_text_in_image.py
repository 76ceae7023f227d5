"""Words in images: what was planted is found, what was not is mostly left alone."""

import io

import numpy as np
import pytest
from PIL import Image, ImageDraw

from assay.foundry.scenes import scenes
from assay.signals.clip.text_in_image import TEXT_DENSITY, fill_text, text_density


@pytest.fixture(scope="module")
def planted() -> list[tuple[str, Image.Image]]:
    """Pairs that the threshold was not chosen on."""
    return [
        (pair.truth.defect or "", Image.open(io.BytesIO(pair.image)).convert("RGB"))
        for pair in scenes(20_000, 21_000)
    ]


def test_recall_and_precision_on_planted_text(planted):
    found = np.array([text_density(image) >= TEXT_DENSITY for _, image in planted])
    defect = np.array([name for name, _ in planted])
    rendered, stamped = defect == "rendered_text", defect == "watermark"
    assert found[rendered].mean() >= 0.98
    assert found[stamped].mean() >= 0.6
    assert (rendered | stamped)[found].mean() >= 0.75


def test_painting_over_takes_the_text_and_leaves_other_images_as_they_are(planted):
    for defect, image in planted:
        filled = fill_text(image)
        assert filled.size == image.size
        if text_density(image) < TEXT_DENSITY:
            assert filled is image
        elif defect == "rendered_text":
            assert text_density(filled) < text_density(image)


@pytest.mark.parametrize("size", [12, 24, 48])
def test_letters_of_many_sizes_are_seen_on_a_larger_picture(size):
    image = Image.new("RGB", (400, 200), "white")
    assert text_density(image) == 0
    ImageDraw.Draw(image).text((10, 60), "FREE SHIPPING NOW", "black", font_size=size)
    assert text_density(image) >= 0.3


@pytest.mark.parametrize("shape", [(1, 1), (4, 300), (300, 4), (16, 16)])
def test_an_image_without_room_for_a_word_has_none(shape):
    assert text_density(Image.new("RGB", shape)) == 0
