"""Signals of clusters: images that an encoder without labels sees as alike."""

import numpy as np

from assay.signals.columns import Columns, PoolInputs, WholePool
from assay.signals.kmeans import nearest, spherical_kmeans
from assay.signals.semdedup import closest_before


def _clusters(inputs: PoolInputs) -> Columns:
    images = np.nan_to_num(inputs.signal("imgenc_image"))
    wanted = int(inputs.parameters["num_clusters"]) or round(len(images) ** 0.5)
    centroids = spherical_kmeans(images, max(1, wanted), seed=0)
    labels, cosines = nearest(images, centroids)
    return {
        "imgenc_cluster": labels,
        "imgenc_centroid_cosine": cosines,
        "imgenc_semdedup_similarity": closest_before(images, labels, cosines),
    }


IMAGE_CLUSTERS = WholePool(
    name="image_clusters",
    version=1,
    kind="image-text",
    columns={
        "imgenc_cluster": "k-means cluster of the image's embedding; by default as many as the pool's root",
        "imgenc_centroid_cosine": "cosine with the cluster's centroid",
        "imgenc_semdedup_similarity": "largest cosine with an image that SemDeDup keeps before it",
    },
    compute=_clusters,
    parameters={"num_clusters": 0},
    needs=("imgenc_image",),
    trains=True,
)
