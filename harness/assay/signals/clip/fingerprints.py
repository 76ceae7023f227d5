"""What an image looks like in a few bytes: a perceptual hash to find candidates, a thumbnail to decide."""

import hashlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from assay.pool.imagetext.images import ImageProblem, decode_image
from assay.signals.clusters import Pairs

FORMAT = 1
"""Bumped whenever a fingerprint changes."""

HASH_SIDE = 32
LOW_FREQUENCIES = 8
THUMB_SIDE = 8

HASH_DISTANCE = 8
"""Bits in 64 by which a re-encoded or rescaled copy may differ."""

PIXEL_DISTANCE = 5.0
"""Mean absolute difference of thumbnails, of 255, up to which two images show the same."""

NEIGHBOURS = 8
"""Each image is compared with so many others of nearly the same hash."""


@dataclass(frozen=True, eq=False)
class Fingerprints:
    """Fingerprints of n images.

    Attributes:
        digests: (n, 32) sha256 of the encoded bytes.
        hashes: (n,) uint64 perceptual hashes.
        thumbs: (n, 8, 8, 3) uint8.
        decoded: (n,) whether the bytes are an image; its hash is 0 and its thumbnail black where not.
    """

    digests: NDArray[np.uint8]
    hashes: NDArray[np.uint64]
    thumbs: NDArray[np.uint8]
    decoded: NDArray[np.bool_]

    def __len__(self) -> int:
        return len(self.hashes)

    @classmethod
    def of(cls, images: Iterable[bytes]) -> "Fingerprints":
        """Fingerprint encoded images."""
        digests, greys, thumbs, decoded = [], [], [], []
        for data in images:
            digests.append(np.frombuffer(hashlib.sha256(data).digest(), dtype=np.uint8))
            try:
                image = decode_image(data)
            except ImageProblem:
                image = None
            decoded.append(image is not None)
            image = image or Image.new("RGB", (1, 1))
            greys.append(_shrunk(image.convert("L"), HASH_SIDE, Image.Resampling.LANCZOS))
            thumbs.append(_shrunk(image, THUMB_SIDE, Image.Resampling.BOX))
        seen = np.array(decoded, dtype=np.bool_)
        return cls(
            np.array(digests, dtype=np.uint8).reshape(-1, 32),
            perceptual_hashes(np.array(greys, dtype=np.uint8).reshape(-1, HASH_SIDE, HASH_SIDE))
            * seen,
            np.array(thumbs, dtype=np.uint8).reshape(-1, THUMB_SIDE, THUMB_SIDE, 3),
            seen,
        )

    @classmethod
    def joined(cls, parts: Iterable["Fingerprints"]) -> "Fingerprints":
        """Put fingerprints one after the other."""
        all_parts = [cls.of([]), *parts]
        return cls(
            np.concatenate([part.digests for part in all_parts]),
            np.concatenate([part.hashes for part in all_parts]),
            np.concatenate([part.thumbs for part in all_parts]),
            np.concatenate([part.decoded for part in all_parts]),
        )


def perceptual_hashes(greys: NDArray[np.uint8]) -> NDArray[np.uint64]:
    """Return the signs of images' 64 lowest frequencies about their median, as 64 bits each.

    Args:
        greys: (n, 32, 32).

    Source:
        pHash: Zauner (2010), "Implementation and benchmarking of perceptual image hash functions".
    """
    if not len(greys):
        return np.empty(0, dtype=np.uint64)
    from scipy.fft import dctn

    waves = np.asarray(dctn(greys.astype(np.float64), type=2, axes=(1, 2)))
    low = waves[:, :LOW_FREQUENCIES, :LOW_FREQUENCIES].reshape(len(greys), -1)
    bits = np.packbits(low > np.median(low, axis=1, keepdims=True), axis=1)
    return bits.view(">u8").reshape(-1).astype(np.uint64)


def pixel_distance(one: NDArray[np.uint8], other: NDArray[np.uint8]) -> NDArray[np.float64]:
    """Return the mean absolute difference of thumbnails, (k,), of 255."""
    gap = np.abs(one.astype(np.int16) - other.astype(np.int16))
    return gap.mean(axis=(1, 2, 3))


def similar_images(images: Fingerprints) -> Pairs:
    """Return pairs of images that show the same, both (k,), each image with near ones by its hash.

    The hash is sorted four times, each time from another 16 of its bits on, and neighbours are compared:
    near-duplicates that differ in every quarter of the hash are missed.
    """
    keys = [
        images.hashes << np.uint64(turn) | images.hashes >> np.uint64((64 - turn) % 64)
        for turn in (0, 16, 32, 48)
    ]
    mine, theirs = sorted_neighbours(keys, NEIGHBOURS)
    close = np.bitwise_count(images.hashes[mine] ^ images.hashes[theirs]) <= HASH_DISTANCE
    close &= images.decoded[mine] & images.decoded[theirs]
    mine, theirs = mine[close], theirs[close]
    same = pixel_distance(images.thumbs[mine], images.thumbs[theirs]) <= PIXEL_DISTANCE
    return mine[same], theirs[same]


def sorted_neighbours(keys: Sequence[NDArray[np.uint64]], reach: int) -> Pairs:
    """Return pairs of positions that come within `reach` of each other in any of the sorted keys.

    Source:
        The sorted neighbourhood method (Hernandez and Stolfo, 1995),
        https://doi.org/10.1145/223784.223807.
    """
    lefts, rights = [np.empty(0, dtype=np.int64)], [np.empty(0, dtype=np.int64)]
    for key in keys:
        order = np.argsort(key, kind="stable")
        for step in range(1, min(reach, len(order) - 1) + 1):
            lefts.append(order[:-step])
            rights.append(order[step:])
    return np.concatenate(lefts), np.concatenate(rights)


def _shrunk(image: Image.Image, side: int, method: Image.Resampling) -> NDArray[np.uint8]:
    return np.asarray(image.resize((side, side), method), dtype=np.uint8)
