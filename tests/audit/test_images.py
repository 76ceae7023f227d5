"""Images of the suite among selected ones: planted, re-encoded, and look-alikes."""

import io
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from assay.audit.embeddings import shape_embedding
from assay.audit.images import ImageIndex, image_index, match_images
from assay.audit.index_folder import sealed_manifest
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
    leaks = {(match.row, f"{match.task}:{match.item}") for match in matches if match.leaked}
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
    found = {(match.row, match.task, match.item) for match in matches if match.leaked}
    assert {match.how for match in matches} <= {"pixels", "embedding"}
    assert len(found & right) / len(right) >= least
    assert len(found & right) / len(found) >= 0.95


def recoloured(data: bytes, kind: str) -> bytes:
    """Return an image in another light, mirrored or both."""
    pixels = np.asarray(Image.open(io.BytesIO(data)).convert("RGB"))
    if "dark" in kind:
        gains = np.random.default_rng(len(data)).uniform(0.6, 1.0, 3)
        pixels = np.rint(pixels * gains).astype(np.uint8)
    if "mirrored" in kind:
        pixels = pixels[:, ::-1]
    stream = io.BytesIO()
    Image.fromarray(pixels).save(stream, "PNG")
    return stream.getvalue()


@pytest.mark.slow
@pytest.mark.parametrize(
    ("kind", "least"), [("mirrored", 0.99), ("dark", 0.95), ("dark and mirrored", 0.95)]
)
def test_mirrored_and_recoloured_copies_among_many_scenes_overlap(
    suite_images: list[tuple[str, int, bytes]], index: ImageIndex, kind: str, least: float
) -> None:
    chosen = suite_images[::10]
    others = [pair.image for pair in scenes(0, 4_000) if not pair.truth.leaked_item]
    images = [*(recoloured(image, kind) for _, _, image in chosen), *others]
    matches = match_images(Fingerprints.of(images), np.arange(len(images)), index)
    planted = {(row, task, item) for row, (task, item, _) in enumerate(chosen)}
    found = {(match.row, match.task, match.item) for match in matches}
    assert len(found & planted) / len(planted) >= least
    flagged = {match.row for match in matches}
    assert sum(row < len(chosen) for row in flagged) / len(flagged) >= 0.95


def test_no_light_moves_an_embedding_and_one_colour_has_none() -> None:
    thumbs = np.random.default_rng(0).integers(60, 200, (5, 8, 8, 3)).astype(np.uint8)
    lit = np.rint(thumbs * np.array([0.5, 1.2, 0.9]) + 4).astype(np.uint8)
    cosines = shape_embedding(thumbs) @ shape_embedding(lit).T
    assert np.diag(cosines) == pytest.approx(np.ones(5), abs=1e-3)
    assert np.abs(cosines - np.diag(np.diag(cosines))).max() < 0.5
    flat = np.full((1, 8, 8, 3), 200, dtype=np.uint8)
    assert not shape_embedding(flat).any()


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
    sealed = sealed_manifest(loaded.folder, suite.name)
    built = image_index(suite, loaded.suite_folder, sealed)
    again = image_index(suite, loaded.suite_folder, sealed)
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
