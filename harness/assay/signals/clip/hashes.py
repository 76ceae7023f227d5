"""Signals of duplicated images: what an image looks like in a few bytes, and the clusters that come of it."""

import numpy as np

from assay.pool import ImageTextPool
from assay.signals.clip.fingerprints import THUMB_SIDE, Fingerprints, similar_images
from assay.signals.clusters import cluster, clusters_of
from assay.signals.columns import Columns, Examples, PerExample, PoolInputs, WholePool

_THUMB_SHAPE = (THUMB_SIDE, THUMB_SIDE, 3)


def _hash(examples: Examples) -> Columns:
    pool = examples.pool
    assert isinstance(pool, ImageTextPool)
    places = (examples.table.column(name).to_pylist() for name in ("file", "offset", "length"))
    found = Fingerprints.of(pool.stored_image(*place) for place in zip(*places, strict=True))
    return {
        "perceptual_hash": found.hashes,
        "thumbnail": found.thumbs.reshape(len(found), -1),
        "decoded": found.decoded,
    }


IMAGE_HASH = PerExample(
    name="image_hash",
    version=1,
    kind="image-text",
    reads=("file", "offset", "length"),
    columns={
        "perceptual_hash": "signs of the 64 lowest frequencies of the image; 0 where it cannot be decoded",
        "thumbnail": "the image at 8 x 8 pixels, RGB",
        "decoded": "whether the image can be decoded",
    },
    compute=_hash,
)


def _duplicates(inputs: PoolInputs) -> Columns:
    thumbs = np.asarray(inputs.signal("thumbnail")).reshape(-1, *_THUMB_SHAPE)
    images = Fingerprints(
        digests=np.empty((len(thumbs), 0), dtype=np.uint8),
        hashes=np.asarray(inputs.signal("perceptual_hash")),
        thumbs=thumbs,
        decoded=np.asarray(inputs.signal("decoded")),
    )
    found = clusters_of(cluster(len(images), similar_images(images)))
    return {"image_cluster": found.first, "image_cluster_size": found.size.astype(np.int32)}


IMAGE_DUPLICATES = WholePool(
    name="image_duplicates",
    version=1,
    kind="image-text",
    columns={
        "image_cluster": "lowest row of the cluster of images that look the same",
        "image_cluster_size": "images of that cluster, at least 1",
    },
    compute=_duplicates,
    needs=("thumbnail", "perceptual_hash", "decoded"),
)
