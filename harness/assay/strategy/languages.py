"""Captions in a language, by the model that a strategy's user has."""

import numpy as np
from numpy.typing import NDArray

from assay.strategy.view import PairView


def in_language(pool: PairView, language: str, model: str) -> NDArray[np.bool_]:
    """Return which captions are in a language, (n,).

    Args:
        pool: What a strategy sees.
        language: Its ISO 639 code.
        model: A fastText model's file, such as lid.176.bin; "" for py3langid.

    Raises:
        SignalError: If there is no such file, or a package is not installed.
    """
    if model:
        return pool.signal("fasttext_language", model=model) == language
    return pool.signal("language") == language
