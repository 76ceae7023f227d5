"""Which pair has which defect, and which pairs are copies of which: planned block by block.

A plan depends on nothing but the number of its block, so any pair's place in it can be had without
the others; uids are hashes, so blocks cannot be seen in a pool.
"""

from functools import lru_cache
from itertools import accumulate
from typing import NamedTuple

from assay.foundry.draw import Draw
from assay.foundry.scenes.defects import BLOCK, COPYING, DEFECTS

LARGEST_CLUSTER = 24
"""No original has more copies than this, exact and near ones together."""

_COPIES = tuple(accumulate(10_000 // (k * k) for k in range(1, LARGEST_CLUSTER + 1)))
"""Running weights of having 1, 2, 3, ... copies: a heavy tail, falling with the square."""


class Slot(NamedTuple):
    """One pair's part in the plan.

    Attributes:
        defect: Name of its first defect, or "" for a clean pair.
        cluster: Index of the pair whose scene this is a copy of; its own index otherwise.
        cluster_size: Pairs of that cluster, the original included.
    """

    defect: str
    cluster: int
    cluster_size: int


@lru_cache(maxsize=64)
def _plan(block: int) -> tuple[Slot, ...]:
    draw = Draw("scenes/layout", block)
    kinds = [defect.name for defect in DEFECTS for _ in range(defect.per_mille)]
    kinds += [""] * (BLOCK - len(kinds))
    draw.shuffle(kinds)
    start = block * BLOCK
    slots = [Slot(kind, start + place, 1) for place, kind in enumerate(kinds)]
    copies = [place for place, kind in enumerate(kinds) if kind in COPYING]
    originals = [place for place, kind in enumerate(kinds) if not kind]
    draw.shuffle(copies)
    draw.shuffle(originals)
    while copies:
        count = min(len(copies), 1 + draw.weighted(_COPIES))
        original = originals.pop()
        for place in (original, *copies[:count]):
            slots[place] = Slot(kinds[place], start + original, count + 1)
        del copies[:count]
    return tuple(slots)


def slot(index: int) -> Slot:
    """Return the part that a pair plays."""
    return _plan(index // BLOCK)[index % BLOCK]
