"""Signals of captions, and of the sizes that came with their images; languages are in a file of their own."""

from collections import Counter

import numpy as np
from numpy.typing import NDArray

from assay.errors import SignalError
from assay.pool import AnyPool, ImageTextPool
from assay.signals.columns import Columns, Examples, PerExample, PoolInputs, WholePool


def captions_of(pool: AnyPool) -> list[str]:
    """Return all captions in row order."""
    assert isinstance(pool, ImageTextPool), "a signal of kind image-text"
    return list(pool.captions())


def _length(examples: Examples) -> Columns:
    captions = examples.table.column("text").to_pylist()
    return {
        "caption_words": np.array([len(caption.split()) for caption in captions], dtype=np.int32),
        "caption_characters": np.array([len(caption) for caption in captions], dtype=np.int32),
    }


CAPTION_LENGTH = PerExample(
    name="caption_length",
    version=1,
    kind="image-text",
    reads=("text",),
    columns={
        "caption_words": "pieces of the caption between white space",
        "caption_characters": "Unicode characters of the caption",
    },
    compute=_length,
)


def _copies(inputs: PoolInputs) -> Columns:
    captions = captions_of(inputs.pool)
    images = inputs.pool.column("image_sha256").to_pylist()
    same_caption, same_image = Counter(captions), Counter(images)
    return {
        "caption_copies": np.array([same_caption[caption] for caption in captions], np.int32),
        "image_copies": np.array([same_image[image] for image in images], np.int32),
    }


COPIES = WholePool(
    name="copies",
    version=1,
    kind="image-text",
    columns={
        "caption_copies": "pairs with exactly this caption, at least 1",
        "image_copies": "pairs with exactly this image file, at least 1",
    },
    compute=_copies,
)


def _sizes(inputs: PoolInputs) -> Columns:
    noted = {"original_width", "original_height"} <= set(inputs.pool.column_names)
    width, height = (
        _numbers(inputs.pool, name)
        for name in (("original_width", "original_height") if noted else ("width", "height"))
    )
    short, long = np.minimum(width, height), np.maximum(width, height)
    short[~(short > 0)] = np.nan
    return {"min_side": short, "aspect_ratio": long / short}


def _numbers(pool: AnyPool, name: str) -> NDArray[np.float64]:
    return np.asarray(pool.column(name).to_numpy(zero_copy_only=False), dtype=np.float64)


def large_enough(kept: NDArray[np.bool_], sides: NDArray[np.floating]) -> NDArray[np.bool_]:
    """Return which images a limit on `min_side` keeps, as given, if that is any.

    Raises:
        SignalError: If none is, as where a pool's images were scaled down and nobody noted what they had been.
    """
    known = sides[~np.isnan(sides)]
    if kept.any() or not len(known):
        return kept
    usual = int(np.median(known))
    raise SignalError(
        f"no image is as large as the rule wants: half of the shorter sides have {usual} pixels or fewer, the longest "
        f"{int(known.max())}; where images were scaled down, so must be the limit: --set min_side={usual - 1}"
    )


SIZES = WholePool(
    name="sizes",
    version=1,
    kind="image-text",
    columns={
        "min_side": "shorter side in pixels: of the image as found, where that was noted, else as stored",
        "aspect_ratio": "longer side over shorter, at least 1; missing where no size was noted",
    },
    compute=_sizes,
)
