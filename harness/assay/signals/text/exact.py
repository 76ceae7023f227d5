"""Exact duplicates: documents with the same words in the same order, whatever their case and punctuation."""

import hashlib
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from assay.signals.text.words import Words


def content_keys(texts: Sequence[str], words: Words) -> NDArray[np.uint64]:
    """Return (n,) keys that are equal where the normal form of the texts is.

    64 bits of BLAKE2b: among ten million documents, two different ones share a key with probability 3e-6.
    A text without a single word has its bytes hashed instead.

    Args:
        texts: The documents.
        words: Theirs; `Words` says what the normal form is.
    """
    numbers = np.arange(len(texts))
    firsts = words.texts.searchsorted(numbers)
    lasts = words.texts.searchsorted(numbers, side="right")
    data = words.data.tobytes()
    digests = []
    for text, first, last in zip(texts, firsts.tolist(), lasts.tolist(), strict=True):
        if first == last:
            part = b"\x00" + text.encode("utf-8", "replace")
        else:
            part = data[words.starts[first] : words.stops[last - 1]]
        digests.append(hashlib.blake2b(part, digest_size=8).digest())
    return np.frombuffer(b"".join(digests), dtype="<u8").astype(np.uint64)
