"""The two ways from image to tensor, beside open_clip's own."""

from dataclasses import replace

import numpy as np
import open_clip
import pytest
import torch
from PIL import Image

from assay.clip.images import crop_transform, eval_transform, shifted, thumbnail, to_batch
from tiny_clip import tiny_clip_recipe

SHIFT = tiny_clip_recipe().preprocess
CROP = replace(
    SHIFT, augmentation="crop", crop_scale=(0.9, 1.0), crop_ratio=(3 / 4, 4 / 3), max_shift=0
)


def picture(width: int, height: int, seed: int = 0) -> Image.Image:
    pixels = np.random.default_rng(seed).integers(0, 256, (height, width, 3), dtype=np.uint8)
    return Image.fromarray(pixels)


@pytest.mark.parametrize("size", [(32, 32), (40, 60), (300, 200), (9, 31)])
def test_evaluation_sees_what_open_clip_shows(size):
    theirs = open_clip.image_transform(32, is_train=False, mean=SHIFT.mean, std=SHIFT.std)
    assert torch.equal(eval_transform(SHIFT, 32)(picture(*size)), theirs(picture(*size)))


def test_a_hairline_shows_its_middle_in_bounded_memory():
    hairline = Image.new("RGB", (2_000_000, 1), "red")
    hairline.paste("blue", (1_000_000 - 40, 0, 1_000_000 + 40, 1))
    pixels = thumbnail(hairline, SHIFT, 32)
    assert pixels.shape == (32, 32, 3)
    assert (pixels == (0, 0, 255)).all()


def test_transparency_is_the_recipes_in_evaluation_too():
    clear = Image.new("RGBA", (32, 32), (10, 20, 30, 0))
    plain = replace(SHIFT, mean=(0.0,) * 3, std=(1.0,) * 3)
    white = eval_transform(plain, 32)(clear)
    dropped = eval_transform(replace(plain, transparency="drop"), 32)(clear)
    assert white.eq(1).all()
    assert (dropped[:, 0, 0] * 255).round().tolist() == [10, 20, 30]


@pytest.mark.parametrize("size", [(64, 48), (300, 200)])
def test_training_crops_as_open_clip_does(size):
    theirs = open_clip.image_transform(
        32, is_train=True, mean=CROP.mean, std=CROP.std, aug_cfg={"scale": (0.9, 1.0)}
    )
    ours = crop_transform(CROP, 32)
    for seed in range(5):
        torch.manual_seed(seed)
        expected = theirs(picture(*size))
        torch.manual_seed(seed)
        assert torch.equal(to_batch([ours(picture(*size))], 1, CROP)[0], expected)


def test_a_word_that_shifts_by_nothing_gives_what_evaluation_sees():
    image = picture(32, 32)
    still = np.array([SHIFT.max_shift | SHIFT.max_shift << 16], dtype=np.uint64)
    got = shifted(thumbnail(image, SHIFT, 32)[None], still, SHIFT)[0]
    assert torch.allclose(got, eval_transform(SHIFT, 32)(image), atol=1e-6)


def test_shifts_move_the_picture_and_repeat_its_edge():
    pixels = np.zeros((1, 8, 8, 3), dtype=np.uint8)
    pixels[0, 0] = 200
    plain = replace(SHIFT, max_shift=2, mean=(0.0,) * 3, std=(1.0,) * 3)
    down = shifted(pixels, np.array([0], dtype=np.uint64), plain)[0, 0] * 255
    # Word 0 starts the window two pixels above and left of the picture.
    assert down[:3].round().eq(200).all()
    assert down[3:].eq(0).all()


def test_every_shift_is_as_likely_and_a_word_always_does_the_same():
    words = np.random.PCG64(1).random_raw(4000)
    pixels = np.repeat(np.arange(64, dtype=np.uint8).reshape(1, 8, 8, 1), 3, axis=3)
    batch = np.repeat(pixels, 4000, axis=0)
    plain = replace(SHIFT, max_shift=1, mean=(0.0,) * 3, std=(1.0,) * 3)
    corner = (shifted(batch, words, plain)[:, 0, 4, 4] * 255).round()
    values, counts = corner.unique(return_counts=True)
    assert len(values) == 9
    assert counts.min() > 350
    assert torch.equal(shifted(batch, words, plain), shifted(batch, words, plain))


def test_flips_mirror_half_of_the_samples():
    words = np.random.PCG64(2).random_raw(400)
    pixels = np.zeros((400, 4, 4, 3), dtype=np.uint8)
    pixels[:, :, 0] = 255
    flipping = replace(SHIFT, max_shift=0, flip=True, mean=(0.0,) * 3, std=(1.0,) * 3)
    mirrored = shifted(pixels, words, flipping)[:, 0, 0, 3] > 0.5
    assert 150 < int(mirrored.sum()) < 250
