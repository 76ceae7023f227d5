"""Signals that take a network: stand-ins for published ones, trained in place on little data.

refclip     trained on clean reference pairs, in the place of OpenAI's CLIP or a data filtering network
selfclip    trained on the very pool that it judges, unfiltered

Each is trained once, with the recipe of the CLIP track's `nano` scale and a budget of its own.
"""

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from assay.canonical import digest_json
from assay.clip.scorer import Scorer, train_scorer
from assay.console import progress
from assay.home import assay_home
from assay.order import drawn_order
from assay.pool import ImageTextPool, build_image_text_pool
from assay.pool.imagetext.images import ImageProblem, decode_image
from assay.pool.imagetext.records import Pair
from assay.pool.uid import uids_to_hex
from assay.signals.clip.alignment import norm_sim
from assay.signals.clip.reference import pair_reference, split_reference
from assay.signals.clip.target import cluster_target, hit_by_target, target_images
from assay.signals.clip.text_in_image import TEXT_DENSITY, fill_text
from assay.signals.columns import Columns, PoolInputs, TrainedModel
from assay.signals.kmeans import spherical_kmeans

if TYPE_CHECKING:
    from PIL import Image

CLUSTERS_AT_LEAST, PAIRS_A_CLUSTER = 64, 100
"""Clusters of images for the image-based rule: as many for a pool's size as DataComp has for `small`."""


def refclip_columns(inputs: PoolInputs) -> Columns:
    """Judge a pool by a network of its reference: see `REFCLIP`."""
    pool, settings = pairs_of(inputs), inputs.parameters
    reference = pair_reference(pool, settings["reference"])
    rows, tried = split_reference(reference)
    if (noise := settings["reference_noise"]) > 0:
        reference = _poisoned(reference, rows, pool, noise, settings["seed"])
        rows = np.arange(reference.n)
    scorer = _scorer(inputs, reference, rows, tried)
    image, text = _embedded(scorer, pool)
    masked = image.copy()
    written = np.flatnonzero(np.asarray(inputs.signal("text_density")) >= TEXT_DENSITY)
    masked[written] = scorer.embed_images(
        fill_text(one) if one else None for one in read_images(pool, written)
    )
    target = scorer.embed_images(
        _decoded(data) for data in target_images(pool, settings["target"], settings["reference"])
    )
    clustered = _decodable(target[cluster_target(pool, settings["target"])])
    target = _decodable(target)
    seen = np.nan_to_num(image)
    number = max(CLUSTERS_AT_LEAST, pool.n // PAIRS_A_CLUSTER)
    centroids = spherical_kmeans(seen, number, seed=settings["seed"])
    return {
        "ref_image": image.astype(np.float16),
        "ref_text": text.astype(np.float16),
        "clip_score": _cosines(image, text),
        "ref_masked_score": _cosines(masked, text),
        "ref_temperature": np.full(pool.n, scorer.temperature, dtype=np.float32),
        "target_similarity": norm_sim(seen, target, order=np.inf),
        "target_norm": norm_sim(seen, target, order=2),
        "target_cluster_hit": hit_by_target(seen, clustered, centroids),
    }


def selfclip_columns(inputs: PoolInputs) -> Columns:
    """Judge a pool by a network of that pool: see `SELFCLIP`."""
    pool = pairs_of(inputs)
    scorer = _scorer(inputs, pool, np.arange(pool.n), tried=[])
    image, text = _embedded(scorer, pool)
    return {
        "self_image": image.astype(np.float16),
        "self_text": text.astype(np.float16),
        "self_score": _cosines(image, text),
    }


def recall(scorer: Scorer, pairs: Sequence[tuple[str, bytes]]) -> float | None:
    """Return the share of images whose caption comes first among those of all pairs, None without pairs.

    That a network filters well and that it retrieves well are two things, so one is reported beside the other.
    """
    if not pairs:
        return None
    captions = np.array([caption for caption, _ in pairs])
    images = scorer.embed_images(_decoded(image) for _, image in pairs)
    first = captions[(images @ scorer.embed_texts(captions.tolist()).T).argmax(axis=1)]
    return float(((first == captions) & ~np.isnan(images[:, 0])).mean())


def pairs_of(inputs: PoolInputs) -> ImageTextPool:
    """Return the pool of a signal of image-text pairs."""
    assert isinstance(inputs.pool, ImageTextPool), "a signal of kind image-text"
    return inputs.pool


def _scorer(
    inputs: PoolInputs,
    reference: ImageTextPool,
    rows: NDArray[np.int64],
    tried: Sequence[tuple[str, bytes]],
) -> Scorer:
    """Train and try, or take what an earlier signal left, which costs this one the same."""
    settings = inputs.parameters
    samples_seen, seed = settings["samples_seen"], settings["seed"]
    scorer = train_scorer(reference, rows, samples_seen=samples_seen, seed=seed)
    if scorer.ready:
        inputs.found_ready(scorer.cpu_seconds)
    accuracy = recall(scorer, tried)
    inputs.rests_on(
        TrainedModel(scorer.weights, reference.root, len(rows), accuracy, tried_on=len(tried))
    )
    return scorer


def _embedded(
    scorer: Scorer, pool: ImageTextPool
) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    images = scorer.embed_images(read_images(pool, np.arange(pool.n)))
    return images, scorer.embed_texts(pool.captions())


def _decodable(vectors: NDArray[np.float32]) -> NDArray[np.float32]:
    return vectors[~np.isnan(vectors[:, 0])]


def _cosines(images: NDArray[np.float32], texts: NDArray[np.float32]) -> NDArray[np.float32]:
    return np.einsum("nd,nd->n", images, texts)


def read_images(pool: ImageTextPool, rows: NDArray[np.int64]) -> "Iterator[Image.Image | None]":
    """Yield the images of rows as RGB, None for one that cannot be decoded, with a progress bar."""
    with progress("reading images", len(rows), "images") as bar:
        for row in rows:
            yield _decoded(pool.image_bytes(int(row)))
            bar.update()


def _decoded(data: bytes) -> "Image.Image | None":
    try:
        return decode_image(data)
    except ImageProblem:
        return None


class _Poisoned:
    """A reference some of whose pairs are random ones of the pool instead.

    Attributes:
        name: For the manifest of the pool that is built of it.
        size: Pairs.
        done: Pairs read by the running `records`.
        unit: `pairs`.
    """

    unit = "pairs"

    def __init__(
        self,
        reference: ImageTextPool,
        rows: NDArray[np.int64],
        pool: ImageTextPool,
        share: float,
        seed: int,
    ):
        self.name = f"{reference.name} with {share:.2%} of {pool.name}"
        self.size, self.done = len(rows), 0
        count = min(round(share * self.size), pool.n)
        own = rows[drawn_order(self.size, "poisoned reference, kept", seed)[: self.size - count]]
        others = drawn_order(pool.n, "poisoned reference, taken", seed)[:count]
        self._places = [(reference, row) for row in own] + [(pool, row) for row in others]
        self.fingerprint = digest_json([reference.root, len(rows), pool.root, share, seed, "drawn"])

    def records(self, start: int) -> Iterator[tuple[int, Pair]]:
        """Yield pairs from place `start` on."""
        for place, (pool, row) in enumerate(self._places[start:], start):
            self.done = place
            uid = bytes.fromhex(uids_to_hex(pool.uids[row : row + 1])[0])
            yield place, Pair(pool.caption(row), pool.image_bytes(row), uid)


def _poisoned(
    reference: ImageTextPool,
    rows: NDArray[np.int64],
    pool: ImageTextPool,
    share: float,
    seed: int,
) -> ImageTextPool:
    """Build these rows of a reference with a share of them replaced, or open what an earlier call left."""
    source = _Poisoned(reference, rows, pool, share, seed)
    folder = assay_home() / "scorers" / f"poisoned-{source.fingerprint[7:19]}"
    return build_image_text_pool([source], folder, name=folder.name)
