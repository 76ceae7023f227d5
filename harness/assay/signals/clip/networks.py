"""Signals that take a network, which layers above this one train: imported when one is computed."""

from assay.signals.clip.reference import DEFAULT
from assay.signals.clip.target import pin_target
from assay.signals.columns import WholePool, later

SAMPLES_SEEN = 64_000
"""Budget of each network: about a minute on one CPU."""

REFCLIP = WholePool(
    name="refclip",
    version=4,
    kind="image-text",
    columns={
        "ref_image": "image embedding by a network trained on the reference, length 1; missing: no image",
        "ref_text": "caption embedding by that network, length 1",
        "clip_score": "cosine of both: the CLIP score of that network, whatever scores came with the pool",
        "ref_masked_score": "the same, after words in the image were filled in",
        "ref_temperature": "of that network's softmax, the same for all",
        "target_similarity": "largest cosine, in size, of the image with an image of the target",
        "target_norm": "root of the sum of squared cosines with all images of the target",
        "target_cluster_hit": "whether an image of the target, of the embedded one's task `shape`, falls into the same cluster",
    },
    compute=later("assay.clip.stand_ins", "refclip_columns"),
    parameters={
        "reference": DEFAULT,
        "reference_noise": 0.0,
        "target": DEFAULT,
        "samples_seen": SAMPLES_SEEN,
        "seed": 0,
    },
    needs=("text_density",),
    pin=pin_target,
    trains=True,
)

SELFCLIP = WholePool(
    name="selfclip",
    version=2,
    kind="image-text",
    columns={
        "self_image": "image embedding by a network trained on this pool, unfiltered; missing: no image",
        "self_text": "caption embedding by that network",
        "self_score": "cosine of both",
    },
    compute=later("assay.clip.stand_ins", "selfclip_columns"),
    parameters={"samples_seen": SAMPLES_SEEN, "seed": 0},
    trains=True,
)

IMGENC = WholePool(
    name="imgenc",
    version=2,
    kind="image-text",
    columns={
        "imgenc_image": "image embedding by a network that learnt from this pool's images alone, length 1"
    },
    compute=later("assay.clip.imgenc", "imgenc_columns"),
    parameters={"samples_seen": SAMPLES_SEEN, "seed": 0},
    trains=True,
)
