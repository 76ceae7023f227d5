"""Target images: training images of the tasks that a model is meant for, which a curator may look at.

A target is `default`, a pool of image-text pairs, or a folder of images. `default` is for `foundry-clip` the
training split that the generator has beside its suite (other draws of the same tasks, none of the items), and
for other pools the images of their reference.
"""

from collections.abc import Iterator, Mapping
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from assay.canonical import digest_bytes
from assay.errors import SignalError
from assay.foundry.scenes.items import training_images
from assay.pool import AnyPool
from assay.signals.clip.reference import DEFAULT, is_embedded, pair_reference, pin_reference
from assay.signals.columns import Setting
from assay.signals.kmeans import nearest

IMAGES_A_TASK = 100
_SUFFIXES = (".jpg", ".jpeg", ".png", ".webp", ".gif", ".bmp")
_GENERATED = "foundry-clip training split"


def target_images(pool: AnyPool, target: str, reference: str) -> Iterator[bytes]:
    """Yield encoded images.

    Args:
        pool: What `default` refers to.
        target: As above.
        reference: Whose images `default` takes.

    Raises:
        SignalError: If there is no such target.
    """
    if target == DEFAULT and is_embedded(pool):
        yield from training_images(IMAGES_A_TASK)
    elif target != DEFAULT and Path(target).is_dir():
        yield from (path.read_bytes() for path in _files(Path(target)))
    else:
        source = pair_reference(pool, reference if target == DEFAULT else target)
        yield from (source.image_bytes(row) for row in range(source.n))


def cluster_target(pool: AnyPool, target: str) -> slice:
    """Return which of the target's images decide about clusters.

    DataComp's rule asks one of its tasks, ImageNet, which names things, and not the 37 others: with images of every
    task nearly every cluster is hit. So of the generated target it takes the first task, `shape`, and of a target
    that was named, all.
    """
    return slice(IMAGES_A_TASK) if target == DEFAULT and is_embedded(pool) else slice(None)


def pin_target(pool: AnyPool, settings: Mapping[str, Setting]) -> Mapping[str, Setting]:
    """Return settings whose `reference` says what it holds, with a digest of the target beside it."""
    pinned = dict(pin_reference(pool, settings))
    target, reference = str(pinned["target"]), str(pinned["reference"])
    if target == DEFAULT and is_embedded(pool):
        return {**pinned, "target_digest": _GENERATED}
    if target != DEFAULT and Path(target).is_dir():
        return {**pinned, "target_digest": digest_bytes(*target_images(pool, target, reference))}
    root = pair_reference(pool, reference if target == DEFAULT else target).root
    return {**pinned, "target_digest": root}


def _files(folder: Path) -> list[Path]:
    found = sorted(path for path in folder.rglob("*") if path.suffix.lower() in _SUFFIXES)
    if not found:
        raise SignalError(
            f"the target folder {folder} has no image ({', '.join(_SUFFIXES)}); name one that has: --set target=FOLDER"
        )
    return found


def hit_by_target(
    vectors: NDArray[np.floating], target: NDArray[np.floating], centroids: NDArray[np.float32]
) -> NDArray[np.bool_]:
    """Tell which vectors lie in a cluster that some target image falls into: DataComp's image-based rule.

    Args:
        vectors: (n, d).
        target: (t, d).
        centroids: (k, d); a vector's cluster is that of the largest dot product.

    Returns:
        (n,).
    """
    hit = np.zeros(len(centroids), dtype=np.bool_)
    hit[nearest(target, centroids)[0]] = True
    return hit[nearest(vectors, centroids)[0]]
