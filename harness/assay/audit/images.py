"""Which selected images are images of the suite."""

import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from assay.artifact import atomic_file, atomic_folder, write_atomic
from assay.audit.embeddings import COPY, shape_embedding
from assay.audit.index_folder import index_folder, open_index, write_manifest
from assay.canonical import canonical_json, digest_json
from assay.signals.clip.fingerprints import (
    FORMAT,
    HASH_DISTANCE,
    PIXEL_DISTANCE,
    Fingerprints,
    pixel_distance,
)
from assay.spec import plain
from assay.suite.clip import ClipSuite
from assay.suite.clip.files import read_clip_items
from assay.suite.clip.lock import data_digest

OWNERS_FILE = "owners.json"
PAIRS_AT_ONCE = 16_000_000

How = Literal["bytes", "pixels", "embedding"]


@dataclass(frozen=True)
class ImageMatch:
    """An image of the suite among the selected ones.

    Attributes:
        row: Of the pair in the pool.
        task: Name of the task.
        item: Position among the task's items.
        how: `bytes` of the same file, `pixels` that show the same, or an `embedding` that says so but for
            colours and left and right.
        distance: Mean absolute difference of both thumbnails, of 255.
    """

    row: int
    task: str
    item: int
    how: How
    distance: float

    @property
    def leaked(self) -> bool:
        """An embedding makes an overlap alone: drawings that are alike have it in common."""
        return self.how != "embedding"


@dataclass(frozen=True, eq=False)
class ImageIndex:
    """Fingerprints of a suite's images.

    Attributes:
        owners: (n,) task and item of each image.
        fingerprints: (n,) of them.
    """

    owners: tuple[tuple[str, int], ...]
    fingerprints: Fingerprints


def image_index(suite: ClipSuite, folder: Path, sealed: Path) -> ImageIndex:
    """Open a suite's image index, building it first where this machine has none.

    Args:
        suite: As sealed.
        folder: Its files, verified.
        sealed: The manifest that the index has to have, where there is such a file.

    Raises:
        SuiteError: If a file is absent or altered, or the index is another than the sealed one.
    """
    path = index_folder(suite.name, [FORMAT, plain(suite), data_digest(suite, folder)])
    what = f"image index of suite {suite.name}"
    open_index(path, what, lambda to: write_index(to, suite, folder), sealed)
    return _load(path)


def _load(path: Path) -> ImageIndex:
    arrays = (np.load(path / f"{name}.npy", allow_pickle=False) for name in _ARRAYS)
    owners = tuple((task, item) for task, item in json.loads((path / OWNERS_FILE).read_bytes()))
    return ImageIndex(owners, Fingerprints(*arrays))


def write_index(path: Path, suite: ClipSuite, folder: Path) -> None:
    """Fingerprint a suite into a new folder."""
    owners: list[tuple[str, int]] = []

    def images() -> Iterator[bytes]:
        for task in suite.tasks:
            for number, item in enumerate(read_clip_items(suite, task, folder)):
                for image in item.images:
                    owners.append((task.name, number))
                    yield image

    found = Fingerprints.of(images())
    with atomic_folder(path) as partial:
        for name in _ARRAYS:
            with atomic_file(partial / f"{name}.npy") as stream:
                np.save(stream, getattr(found, name), allow_pickle=False)
        write_atomic(partial / OWNERS_FILE, canonical_json(owners))
        write_manifest(
            partial, {"format": FORMAT, "suite": digest_json(plain(suite)), "images": len(owners)}
        )


_ARRAYS = ("digests", "hashes", "thumbs", "decoded")


def match_images(
    selected: Fingerprints, rows: NDArray[np.int64], index: ImageIndex
) -> list[ImageMatch]:
    """Find the suite's images among selected ones.

    Equal bytes match. So do images whose perceptual hashes differ in at most `HASH_DISTANCE` of 64 bits
    and whose thumbnails differ by at most `PIXEL_DISTANCE` on average, and those whose thumbnails, as they are or
    mirrored, have a cosine of `COPY` and more without their colours.

    Args:
        selected: Fingerprints of the selected images.
        rows: (n,) their rows in the pool.
        index: The suite's.

    Returns:
        The best match of each pair of an image and an item, by row, task and item.
    """
    best: dict[tuple[int, str, int], ImageMatch] = {}
    for mine, theirs, how in _candidates(selected, index.fingerprints):
        gaps = pixel_distance(selected.thumbs[mine], index.fingerprints.thumbs[theirs])
        for i in np.flatnonzero((gaps <= PIXEL_DISTANCE) | (how != "pixels")):
            task, item = index.owners[theirs[i]]
            key = (int(rows[mine[i]]), task, item)
            best.setdefault(key, ImageMatch(*key, how, float(gaps[i])))
    return [best[key] for key in sorted(best)]


def _candidates(
    selected: Fingerprints, suite: Fingerprints
) -> Iterator[tuple[NDArray[np.int64], NDArray[np.int64], How]]:
    """Yield pairs of equal bytes, then pairs of similar hashes, then pairs of similar embeddings."""
    known: dict[bytes, list[int]] = {}
    for number, digest in enumerate(suite.digests):
        known.setdefault(digest.tobytes(), []).append(number)
    equal = [(i, j) for i, d in enumerate(selected.digests) for j in known.get(d.tobytes(), ())]
    yield *_columns(equal), "bytes"
    if not len(suite):
        return
    block = max(1, PAIRS_AT_ONCE // len(suite))
    for start in range(0, len(selected), block):
        hashes = selected.hashes[start : start + block, None]
        near = np.bitwise_count(hashes ^ suite.hashes) <= HASH_DISTANCE
        near &= selected.decoded[start : start + block, None] & suite.decoded
        mine, theirs = np.nonzero(near)
        yield mine + start, theirs, "pixels"
    shapes = shape_embedding(suite.thumbs).T
    mirrored = shape_embedding(suite.thumbs[:, :, ::-1]).T
    for start in range(0, len(selected), block):
        own = shape_embedding(selected.thumbs[start : start + block])
        mine, theirs = np.nonzero(np.maximum(own @ shapes, own @ mirrored) >= COPY)
        yield mine + start, theirs, "embedding"


def _columns(pairs: Iterable[tuple[int, int]]) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    both = np.array(list(pairs), dtype=np.int64).reshape(-1, 2)
    return both[:, 0], both[:, 1]
