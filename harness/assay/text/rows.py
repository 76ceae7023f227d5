"""Rows of tokens in which several continuations branch off one prefix."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Tokens = tuple[int, ...]

SIDE_BY_SIDE_TOKENS = 128
"""Branches of a row take no more tokens than its prefix and so many, or attention would waste time."""


@dataclass(frozen=True, slots=True)
class Row:
    """A prefix and continuations of it.

    Attributes:
        prefix: At least one token.
        branches: Continuations, at least one token each.
    """

    prefix: Tokens
    branches: tuple[Tokens, ...]

    @property
    def length(self) -> int:
        """Inputs of the row: the last token of a continuation is predicted, never an input."""
        return len(self.prefix) + sum(len(branch) - 1 for branch in self.branches)


@dataclass(frozen=True)
class Layout:
    """A batch as arrays: inputs (B, T) and predictions (N,).

    Attributes:
        tokens: Inputs, padded on the right with token 0.
        positions: Of each input in its own text.
        branches: 0 in the prefix, then 1, 2, ...; -1 in the padding, which nothing else sees.
        sources: Flat position in (B, T) whose logits predict each target.
        targets: Tokens to predict, branch after branch.
    """

    tokens: NDArray[np.int64]
    positions: NDArray[np.int64]
    branches: NDArray[np.int64]
    sources: NDArray[np.int64]
    targets: NDArray[np.int64]

    @property
    def is_tree(self) -> bool:
        """Whether some row has a branch beside its first."""
        return bool(self.branches.max() > 1)

    @classmethod
    def of(cls, rows: Sequence[Row]) -> "Layout":
        """Lay rows out, one below the other."""
        width = max(row.length for row in rows)
        tokens = np.zeros((len(rows), width), dtype=np.int64)
        positions = np.zeros_like(tokens)
        branches = np.full_like(tokens, -1)
        sources: list[int] = []
        targets: list[int] = []
        for i, row in enumerate(rows):
            base, end = i * width, len(row.prefix)
            tokens[i, :end], positions[i, :end], branches[i, :end] = row.prefix, range(end), 0
            for number, branch in enumerate(row.branches, start=1):
                start, end = end, end + len(branch) - 1
                tokens[i, start:end] = branch[:-1]
                positions[i, start:end] = range(len(row.prefix), len(row.prefix) + len(branch) - 1)
                branches[i, start:end] = number
                sources += [base + len(row.prefix) - 1, *range(base + start, base + end)]
                targets += branch
        return cls(tokens, positions, branches, np.array(sources), np.array(targets))


def pack(keys: Iterable[tuple[Tokens, Tokens]]) -> Iterator[Row]:
    """Put each different continuation into a row of its prefix, and into a new row where one is full."""
    groups: dict[Tokens, dict[Tokens, None]] = {}
    for prefix, target in keys:
        groups.setdefault(prefix, {})[target] = None
    for prefix, targets in groups.items():
        room = len(prefix) + SIDE_BY_SIDE_TOKENS
        branches: list[Tokens] = []
        taken = 0
        for target in targets:
            if branches and taken + len(target) > room:
                yield Row(prefix, tuple(branches))
                branches, taken = [], 0
            branches.append(target)
            taken += len(target)
        yield Row(prefix, tuple(branches))


def batches(rows: Sequence[Row], batch_tokens: int) -> Iterator[list[Row]]:
    """Cut rows, longest first, into batches of at most `batch_tokens` with their padding."""
    start = 0
    while start < len(rows):
        count = max(1, batch_tokens // rows[start].length)
        yield list(rows[start : start + count])
        start += count
