"""Named pseudo-random draws that are the same on every machine, Python and numpy version."""

import hashlib
import struct
from bisect import bisect_right
from collections.abc import MutableSequence, Sequence
from typing import TypeVar

T = TypeVar("T")

_WORDS = 256
_UNPACK = struct.Struct(f"<{_WORDS}I").unpack


class Draw:
    """A stream of uniform 32-bit words: SHAKE-256 of a name, an index and a block counter.

    Everything is integer arithmetic on those words, so there is nothing that a platform, a maths
    library or a new version could round differently. A draw below n has a bias of at most n / 2**32.

    Args:
        name: What the numbers are for, such as `world`; different names are independent streams.
        index: Which of the streams of that name.
    """

    __slots__ = ("_block", "_key", "_words")

    def __init__(self, name: str, index: int = 0):
        self._key = f"assay/{name}/{index}/".encode("ascii")
        self._block = 0
        self._words = iter(())

    def _refill(self) -> int:
        raw = hashlib.shake_256(self._key + str(self._block).encode("ascii")).digest(4 * _WORDS)
        self._block += 1
        self._words = iter(_UNPACK(raw))
        return next(self._words)

    def below(self, bound: int) -> int:
        """Return an integer in [0, bound), for a bound of at most 2**32."""
        word = next(self._words, None)
        if word is None:
            word = self._refill()
        return (word * bound) >> 32

    def between(self, low: int, high: int) -> int:
        """Return an integer in [low, high], both ends included."""
        return low + self.below(high - low + 1)

    def fraction(self) -> float:
        """Return a float in [0, 1), a multiple of 2**-32 and so exact."""
        return self.below(1 << 32) / (1 << 32)

    def percent(self, share: int) -> bool:
        """Return True with a probability of `share` in a hundred."""
        return self.below(100) < share

    def choice(self, options: Sequence[T]) -> T:
        """Return one of the options, all equally likely."""
        return options[self.below(len(options))]

    def weighted(self, cumulative: Sequence[int]) -> int:
        """Return a position, with a probability proportional to its step in `cumulative`.

        Args:
            cumulative: Running sums of integer weights, the last at most 2**32.
        """
        return bisect_right(cumulative, self.below(cumulative[-1]))

    def shuffle(self, items: MutableSequence[T]) -> None:
        """Permute in place, every order equally likely (Fisher and Yates)."""
        for i in range(len(items) - 1, 0, -1):
            j = self.below(i + 1)
            items[i], items[j] = items[j], items[i]

    def sample(self, options: Sequence[T], count: int) -> list[T]:
        """Return `count` different positions' options, in random order."""
        assert count <= len(options), "a sample cannot be larger than what it is drawn from"
        pool = list(options)
        for i in range(count):
            j = i + self.below(len(pool) - i)
            pool[i], pool[j] = pool[j], pool[i]
        return pool[:count]

    def raw(self, length: int) -> bytes:
        """Return `length` uniform bytes, apart from the stream of words."""
        tag = self._key + b"raw/" + str(self._block).encode("ascii")
        self._block += 1
        return hashlib.shake_256(tag).digest(length)
