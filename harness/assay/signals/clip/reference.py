"""Reference pairs: what a small network is trained on that is to judge others.

A reference is the name, folder or URL of a pool of image-text pairs; `foundry-clip-reference-N` is generated
at first use. `default` is that of 4,000 pairs for `foundry-clip`, and for another pool NAME the pool
NAME-reference.
"""

import re
from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from assay.errors import PoolError, SignalError
from assay.foundry.scenes import ScenesSource, reference_scenes
from assay.order import drawn_order
from assay.pool import AnyPool, ImageTextPool, build_image_text_pool, load_pool, pool_path
from assay.signals.columns import Setting

DEFAULT = "default"
EMBEDDED_DEFAULT = "foundry-clip-reference-4000"
TRIED_PAIRS = 500
"""Pairs that a network is tried on; of a reference that was not generated, at most a tenth is kept for that."""
_KEPT_SHARE = 10

_EMBEDDED = re.compile(r"foundry-clip-reference-([1-9]\d*)")


def is_embedded(pool: AnyPool) -> bool:
    """Tell whether a pool is of the package's own generator alone."""
    return {source.name for source in pool.manifest.sources} == {"foundry-clip"}


def pair_reference(pool: AnyPool, name: str) -> ImageTextPool:
    """Open a reference for a pool; the package's own are generated at first use.

    Args:
        pool: What `default` refers to.
        name: As above, perhaps with @ and the beginning of its root.

    Raises:
        SignalError: If there is none of that name, it holds text, or its root is another.
    """
    name, _, root = name.partition("@")
    if name == DEFAULT:
        name = EMBEDDED_DEFAULT if is_embedded(pool) else f"{pool.name}-reference"
    found = _open(name, pool)
    short = found.root.removeprefix("sha256:")[:12]
    if root and root != short:
        raise SignalError(
            f"the reference {name} has root {short}..., and {root}... was asked for; name it without @"
        )
    return found


def split_reference(
    reference: ImageTextPool,
) -> tuple[NDArray[np.int64], list[tuple[str, bytes]]]:
    """Return what to train a network on, and what to try it on, which is as clean and not among the first.

    A generated reference is trained on whole, and tried on further pairs of its stream. Of another, some pairs are
    kept from training.

    Returns:
        (k,) rows to train on, rising; and captions with encoded images to try, none if the reference has under 10.
    """
    rows = np.arange(reference.n)
    if _EMBEDDED.fullmatch(reference.name):
        further = reference_scenes(reference.n, reference.n + TRIED_PAIRS)
        return rows, [(pair.caption, pair.image) for pair in further]
    count = min(TRIED_PAIRS, reference.n // _KEPT_SHARE)
    kept = np.sort(drawn_order(reference.n, "kept from training", reference.root)[:count])
    tried = [(reference.caption(row), reference.image_bytes(row)) for row in kept.tolist()]
    return np.delete(rows, kept), tried


def pin_reference(pool: AnyPool, settings: Mapping[str, Setting]) -> Mapping[str, Setting]:
    """Return settings whose `reference` says what it holds: NAME@ and the beginning of its root."""
    given = str(settings["reference"])
    found = pair_reference(pool, given)
    name = found.name if given == DEFAULT else given.partition("@")[0]
    return {**settings, "reference": f"{name}@{found.root.removeprefix('sha256:')[:12]}"}


def _open(name: str, pool: AnyPool) -> ImageTextPool:
    embedded = _EMBEDDED.fullmatch(name)
    if embedded and not (pool_path(name) / "pool.json").is_file():
        source = ScenesSource(int(embedded[1]), reference=True)
        return build_image_text_pool([source], pool_path(name), name=name, licence="CC0-1.0")
    try:
        found = load_pool(name)
    except PoolError:
        raise SignalError(
            f"there is no pool {name!r} to take for the reference; build one of clean pairs: assay pool build "
            f"SRC... --kind image-text --name {pool.name}-reference, or name one: --set reference=POOL"
        ) from None
    if not isinstance(found, ImageTextPool):
        raise SignalError(
            f"the reference pool {name!r} holds text; name one of image-text pairs, see: assay pools"
        )
    return found
