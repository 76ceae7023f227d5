"""Which items ask about the same passage: they are one draw of evidence, not several."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from assay.suite.items import Item

BEGINNING = 200
"""Characters in which the contexts of two items have to agree; no question is so long."""


def passages(items: Sequence[Item]) -> NDArray[np.int64]:
    """Label each item of a task by the passage that its context begins with.

    What all contexts begin with, an instruction, is no passage. Neither is a shorter context.

    Args:
        items: Of one task, of any form.

    Returns:
        (n,) labels from 0; items without a passage have one of their own.
    """
    contexts = [item.get("context", "") for item in items]
    skipped = _shared_beginning(contexts) if len(contexts) > 1 else 0
    labels: dict[str | int, int] = {}
    found = []
    for number, context in enumerate(contexts):
        told = context[skipped:]
        key = told[:BEGINNING] if len(told) > BEGINNING else number
        found.append(labels.setdefault(key, len(labels)))
    return np.array(found, dtype=np.int64)


def _shared_beginning(texts: list[str]) -> int:
    """Return how many characters all texts begin with: the first and the last in order share the fewest."""
    first, last = min(texts), max(texts)
    differ = (i for i, (a, b) in enumerate(zip(first, last, strict=False)) if a != b)
    return next(differ, min(len(first), len(last)))
