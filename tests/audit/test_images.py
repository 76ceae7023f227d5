"""Images of the suite among selected ones: planted, re-encoded, and look-alikes."""

import io
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from assay.audit.images import ImageIndex, image_index, match_images
from assay.foundry.scenes import scene_tasks, scenes
from assay.signals.clip.fingerprints import (
    HASH_DISTANCE,
    PIXEL_DISTANCE,
    Fingerprints,
    pixel_distance,
    similar_images,
)
from assay.suite.clip.files import load_clip_suite, read_clip_items
from assay.track.load import load


@pytest.fixture(scope="module")
def suite_images() -> list[tuple[str, int, bytes]]:
    return [
        (task.name, number, item.image)
        for task in scene_tasks()
        for number, item in enumerate(task.items)
    ]


@pytest.fixture(scope="module")
def index(suite_images: list[tuple[str, int, bytes]]) -> ImageIndex:
    owners = tuple((task, item) for task, item, _ in suite_images)
    return ImageIndex(owners, Fingerprints.of(image for _, _, image in suite_images))


def encoded(data: bytes, kind: str) -> bytes:
    """Return an image as another site would show it."""
    image = Image.open(io.BytesIO(data)).convert("RGB")
    if kind == "half larger":
        image = image.resize(
            (image.width * 3 // 2, image.height * 3 // 2), Image.Resampling.BICUBIC
        )
    stream = io.BytesIO()
    image.save(stream, "JPEG" if kind == "jpeg" else "PNG", quality=90)
    return stream.getvalue()


@pytest.mark.slow
def test_every_planted_image_of_ten_thousand_pairs_is_found(index: ImageIndex) -> None:
    planted: set[tuple[int, str]] = set()
    images = []
    for row, pair in enumerate(scenes(0, 10_000)):
        images.append(pair.image)
        if pair.truth.leaked_item:
            planted.add((row, pair.truth.leaked_item))
    matches = match_images(Fingerprints.of(images), np.arange(len(images)), index)
    leaks = {(match.row, f"{match.task}:{match.item}") for match in matches}
    assert len(planted) >= 20
    assert len(leaks & planted) / len(planted) >= 0.99
    assert len(leaks & planted) / len(leaks) >= 0.95


@pytest.mark.parametrize(("kind", "least"), [("jpeg", 0.97), ("half larger", 0.99)])
def test_re_encoded_and_rescaled_copies_are_found(
    suite_images: list[tuple[str, int, bytes]], index: ImageIndex, kind: str, least: float
) -> None:
    chosen = suite_images[::10]
    copies = Fingerprints.of(encoded(image, kind) for _, _, image in chosen)
    matches = match_images(copies, np.arange(len(chosen)), index)
    right = {(row, task, item) for row, (task, item, _) in enumerate(chosen)}
    found = {(match.row, match.task, match.item) for match in matches}
    assert {match.how for match in matches} == {"pixels"}
    assert len(found & right) / len(right) >= least
    assert len(found & right) / len(found) >= 0.95


def test_similar_images_agree_with_comparing_all_pairs() -> None:
    originals = [pair.image for pair in scenes(0, 60)]
    copies = [encoded(image, "jpeg") for image in originals[:20]]
    images = Fingerprints.of([*originals, *copies, b"no image"])
    one, other = similar_images(images)
    pairs = {frozenset(pair) for pair in zip(one.tolist(), other.tolist(), strict=True)}
    close = np.bitwise_count(images.hashes[:, None] ^ images.hashes) <= HASH_DISTANCE
    expected = set()
    for i, j in zip(*np.nonzero(np.triu(close, 1)), strict=True):
        gap = pixel_distance(images.thumbs[[i]], images.thumbs[[j]])[0]
        if gap <= PIXEL_DISTANCE and images.decoded[i] and images.decoded[j]:
            expected.add(frozenset((int(i), int(j))))
    assert pairs <= expected
    assert len(pairs) >= 0.9 * len(expected)
    assert sum(frozenset((i, 60 + i)) in pairs for i in range(20)) >= 18


def test_what_is_no_image_matches_nothing_but_its_own_bytes(index: ImageIndex) -> None:
    broken = Fingerprints.of([b"no image", b"no image", b""])
    assert not broken.decoded.any()
    assert match_images(broken, np.arange(3), index) == []
    assert len(similar_images(broken)[0]) == 0


def test_the_index_of_a_suite_on_disk_is_its_images_in_order(tiny_clip_home: Path) -> None:
    loaded = load("tiny-clip", "pico")
    suite = load_clip_suite(loaded.folder / "suites" / "tiny-clip.yaml")
    built = image_index(suite, loaded.suite_folder)
    again = image_index(suite, loaded.suite_folder)
    expected = [
        (task.name, number, image)
        for task in suite.tasks
        for number, item in enumerate(read_clip_items(suite, task, loaded.suite_folder))
        for image in item.images
    ]
    assert built.owners == again.owners == tuple((task, item) for task, item, _ in expected)
    assert np.array_equal(
        built.fingerprints.digests, Fingerprints.of(i for _, _, i in expected).digests
    )
    assert np.array_equal(built.fingerprints.thumbs, again.fingerprints.thumbs)
