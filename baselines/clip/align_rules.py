"""ALIGN's rules: no model, only counts: of pixels, of words, and of who shares a caption or an image.

Claim:  "Simple frequency-based filtering": 1.8 billion pairs, noisier than curated ones, reach 76.4 % zero-shot
        on ImageNet by scale alone.
Ranks:  no claim
Source: Jia et al. 2021, ALIGN, https://arxiv.org/abs/2102.05918, section 3.
Cost:   Under a minute of one core for a million pairs; no image is read.
Form:   ids
Needs:  Signals caption_length, sizes and copies.

Left out: near-duplicates of evaluation images, which `assay audit` reports, and the filter against
pornography. ALIGN's 100 million frequent words and pairs of words are all there are in a small pool, so rare
is also what occurs only once (`min_count`).
"""

from collections import Counter
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from assay.signals.clip.captions import large_enough
from assay.strategy import PairView


def select(
    pool: PairView,
    *,
    seed: int,
    min_side: int = 200,
    max_aspect: float = 3.0,
    max_captions_of_image: int = 1000,
    max_images_of_caption: int = 10,
    min_words: int = 3,
    max_words: int = 20,
    vocabulary: int = 100_000_000,
    min_count: int = 2,
) -> NDArray[np.void]:
    """Keep the pairs that pass every rule; the seed has nothing to decide."""
    words = pool.signal("caption_words")
    side = pool.signal("min_side")
    kept = large_enough(side > min_side, side) & (pool.signal("aspect_ratio") < max_aspect)
    kept &= pool.signal("image_copies") <= max_captions_of_image
    kept &= pool.signal("caption_copies") <= max_images_of_caption
    kept &= (words >= min_words) & (words <= max_words)
    kept &= ~_has_rare_word(list(pool.captions()), vocabulary, min_count)
    return pool.uids[kept]


def _has_rare_word(captions: list[str], vocabulary: int, min_count: int) -> NDArray[np.bool_]:
    """Tell which captions have a word or pair of words that is not among the frequent ones."""
    counts = Counter(gram for caption in captions for gram in _grams(caption))
    frequent = {gram for gram, count in counts.most_common(vocabulary) if count >= min_count}
    return np.array([not frequent.issuperset(_grams(caption)) for caption in captions])


def _grams(caption: str) -> list[str]:
    words = caption.lower().split()
    return [*words, *(f"{one} {other}" for one, other in pairwise(words))]
