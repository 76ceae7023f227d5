"""What several signals of a batch share, computed once, and what it costs each of them."""

import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, TypeVar

T = TypeVar("T")


@dataclass(frozen=True)
class _Made:
    """A shared value.

    Attributes:
        value: What was made.
        seconds: Processor time that making it took, without what it was made of.
        uses: Itself, and what it was made of.
    """

    value: Any
    seconds: float
    uses: frozenset[Any]


class Shared:
    """Values by the functions that make them.

    A list that reads one signal rests on all that the signal took, whoever happened to be first: so what was
    found ready is charged to each, once.
    """

    def __init__(self):
        """Start with nothing made."""
        self._made: dict[Any, _Made] = {}
        self._touched: set[Any] = set()
        self._fresh: set[Any] = set()

    def once(self, make: Callable[..., T], *arguments: Any) -> T:
        """Return `make(*arguments)`, computed the first time."""
        if make not in self._made:
            outside, self._touched = self._touched, {make}
            started, before = time.process_time(), self._total(self._made)
            value = make(*arguments)
            inner = self._total(self._made) - before
            seconds = time.process_time() - started - inner
            self._made[make] = _Made(value, seconds, frozenset(self._touched))
            self._touched = outside
            self._fresh.add(make)
        found = self._made[make]
        self._touched |= found.uses
        return found.value

    def ready_seconds(self) -> float:
        """Return what was found ready since the last call took, in processor seconds."""
        seconds = self._total(self._touched - self._fresh)
        self._touched, self._fresh = set(), set()
        return seconds

    def _total(self, makes: Any) -> float:
        return sum(self._made[make].seconds for make in makes)
