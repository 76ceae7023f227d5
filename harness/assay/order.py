"""The order of data: drawn from names alone, the same on every machine and numpy version."""

import hashlib

import numpy as np
from numpy.typing import NDArray


def drawn_words(n: int, *names: object) -> NDArray[np.uint64]:
    """Return n uniform 64-bit words that depend on the names alone.

    The raw output of PCG64, whose stream numpy guarantees for ever (it does not promise that of
    `Generator.permutation` or `Generator.integers`).
    """
    text = "\0".join(str(name) for name in names)
    seed = int.from_bytes(hashlib.sha256(text.encode()).digest()[:16], "little")
    return np.random.PCG64(seed).random_raw(n)


def drawn_order(n: int, *names: object) -> NDArray[np.int64]:
    """Return a permutation of `range(n)` that depends on the names alone."""
    return np.argsort(drawn_words(n, *names), kind="stable")
