"""A pool's documents in batches of bounded size, for signals that read all of them."""

from collections.abc import Iterable, Iterator

import numpy as np
from numpy.typing import NDArray

from assay.signals.columns import PoolInputs

BATCH_CHARACTERS = 1_000_000
"""A longer document makes a batch of its own."""


def documents_of(inputs: PoolInputs, what: str) -> Iterator[tuple[NDArray[np.int64], list[str]]]:
    """Yield (k,) rows and their k texts in storage order, each row once."""
    for rows, batch in inputs.scan(("text",), what):
        kept = rows >= 0
        texts = [text for text, keep in zip(batch["text"].to_pylist(), kept, strict=True) if keep]
        start, kept_rows = 0, rows[kept]
        for part in batched(texts):
            yield kept_rows[start : start + len(part)], part
            start += len(part)


def batched(texts: Iterable[str]) -> Iterator[list[str]]:
    """Cut texts into lists of bounded size."""
    part: list[str] = []
    size = 0
    for text in texts:
        if part and size + len(text) > BATCH_CHARACTERS:
            yield part
            part, size = [], 0
        part.append(text)
        size += len(text)
    if part:
        yield part
