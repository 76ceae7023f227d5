"""Which example has which defect, and which examples are copies of which: planned block by block.

A plan depends on nothing but the number of its block, so any example's place in it can be had
without the others; uids are hashes, so blocks cannot be seen in a pool.
"""

from collections.abc import Mapping
from functools import lru_cache
from itertools import accumulate
from typing import NamedTuple

from assay.foundry.draw import Draw

BLOCK = 1000
"""Examples are planned in blocks of so many; every block has every defect at exactly its rate."""

LARGEST_CLUSTER = 24
"""No original has more copies than this, exact and near ones together."""

_COPIES = tuple(accumulate(10_000 // (k * k) for k in range(1, LARGEST_CLUSTER + 1)))
"""Running weights of having 1, 2, 3, ... copies: a heavy tail, falling with the square."""

_COPYING = ("near_duplicate", "exact_duplicate")


class Slot(NamedTuple):
    """One example's part in the plan.

    Attributes:
        defect: Name of its first defect, or "" for a clean example.
        cluster: Index of the example that this is a copy of; its own index otherwise.
        cluster_size: Examples of that cluster, the original included.
    """

    defect: str
    cluster: int
    cluster_size: int


class Layout:
    """The plan of one pool."""

    def __init__(self, stream: str, rates: Mapping[str, int]):
        """Plan nothing yet.

        Args:
            stream: Name of the draws; pools of different names are planned independently.
            rates: Defect to its examples of a block; what is left is clean.
        """
        self._stream = stream
        self._rates = rates
        self._plan = lru_cache(maxsize=64)(self._draw_plan)

    def slot(self, index: int) -> Slot:
        """Return the part that an example plays."""
        return self._plan(index // BLOCK)[index % BLOCK]

    def _draw_plan(self, block: int) -> tuple[Slot, ...]:
        draw = Draw(self._stream, block)
        kinds = [name for name, rate in self._rates.items() for _ in range(rate)]
        kinds += [""] * (BLOCK - len(kinds))
        draw.shuffle(kinds)
        start = block * BLOCK
        slots = [Slot(kind, start + place, 1) for place, kind in enumerate(kinds)]
        copies = [place for place, kind in enumerate(kinds) if kind in _COPYING]
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
