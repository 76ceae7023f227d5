"""Concepts that captions name: lists of them, matching, and how balanced sampling weighs a caption.

A list is a file with a concept a line, or one of
- `nouns`: what the package's generator draws, in singular and plural; for other pools the words of the
  captions of their reference;
- `grams`: words and pairs of words that occur at least 3 times in the captions of the reference.

Source:
    Xu et al. (2023), MetaCLIP, https://arxiv.org/abs/2309.16671, algorithm 1.
"""

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from assay.errors import SignalError
from assay.foundry.scenes.captions import NOUNS, plural
from assay.foundry.scenes.concepts import SHAPES
from assay.pool import AnyPool
from assay.signals.clip.reference import DEFAULT, is_embedded, pair_reference

if TYPE_CHECKING:
    from scipy.sparse import csr_array

LEAST_GRAMS = 3
"""Occurrences from which a word or pair of words of the reference is a concept."""

_SPACED = str.maketrans({mark: f" {mark} " for mark in ",.;:?!`"} | dict.fromkeys("\t\n\r", " "))


def concept_list(pool: AnyPool, name: str, reference: str = DEFAULT) -> list[str]:
    """Return different concepts, sorted.

    Args:
        pool: Whose captions they are for.
        name: `nouns`, `grams`, or the path of a file.
        reference: Whose captions lists are mined from.

    Raises:
        SignalError: If there is no such file or reference, or nothing in it.
    """
    if name == "nouns" and is_embedded(pool):
        nouns = [*NOUNS, *(name for names in SHAPES.values() for name in names)]
        found = {*nouns, *map(plural, nouns)}
    elif name in ("nouns", "grams"):
        found = _mined(pair_reference(pool, reference).captions(), name)
    else:
        found = set(_lines(Path(name)))
    if not found:
        raise SignalError(
            f"the list of concepts {name!r} is empty; give a file with a concept a line: --set concepts=FILE"
        )
    return sorted(found)


def _mined(captions: Iterable[str], name: str) -> set[str]:
    counts: Counter[str] = Counter()
    for caption in captions:
        words = caption.translate(_SPACED).split()
        counts.update(words)
        if name == "grams":
            counts.update(f"{one} {other}" for one, other in pairwise(words))
    least = LEAST_GRAMS if name == "grams" else 1
    return {gram for gram, count in counts.items() if count >= least}


def _lines(path: Path) -> Iterator[str]:
    try:
        lines = path.read_text(encoding="utf-8").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise SignalError(
            f"the list of concepts {str(path)!r} cannot be read ({error}); give `nouns`, `grams` or a file with a "
            "concept a line"
        ) from None
    return (line.strip() for line in lines if line.strip())


@dataclass(frozen=True, eq=False)
class ConceptMatches:
    """Which captions name which concepts.

    Attributes:
        matrix: (captions, concepts) 1 where it does.
        counts: (concepts,) captions that name each.
    """

    matrix: "csr_array"
    counts: NDArray[np.int64]

    @classmethod
    def of(cls, captions: Iterable[str], concepts: Sequence[str]) -> "ConceptMatches":
        """Match by MetaCLIP's rule: a concept, with spaces around it, is part of the caption.

        Each of , . ; : ? ! ` is a word of its own, tabs and ends of lines are spaces; case counts.
        """
        from scipy.sparse import csr_array

        number = {concept: place for place, concept in enumerate(concepts)}
        assert len(number) == len(concepts), "concepts are different"
        sizes = sorted({concept.count(" ") + 1 for concept in concepts})
        starts, found = [0], []
        for caption in captions:
            words = caption.translate(_SPACED).split(" ")
            grams = (
                " ".join(words[place : place + size])
                for size in sizes
                for place in range(len(words) - size + 1)
            )
            found += sorted({number[gram] for gram in grams if gram in number})
            starts.append(len(found))
        ones = np.ones(len(found), dtype=np.float64)
        shape = (len(starts) - 1, len(concepts))
        matrix = csr_array((ones, np.array(found, np.int64), np.array(starts, np.int64)), shape)
        return cls(matrix, np.bincount(found, minlength=len(concepts)).astype(np.int64))

    @property
    def num(self) -> NDArray[np.int32]:
        """Return how many concepts each caption names, (n,)."""
        return np.diff(self.matrix.indptr).astype(np.int32)

    def extreme(self, function: np.ufunc) -> NDArray[np.int64]:
        """Return `np.minimum` or `np.maximum` of the counts of what each caption names; 0 for none."""
        found = np.zeros(len(self.num), dtype=np.int64)
        some = self.num > 0
        if some.any():
            named = self.counts[self.matrix.indices]
            found[some] = function.reduceat(named, self.matrix.indptr[:-1][some])
        return found

    def keep_probability(self, most: float) -> NDArray[np.float64]:
        """Return MetaCLIP's probability of keeping each caption, (n,).

        Each concept that it names draws with probability min(1, most / count); one success is enough.
        """
        chance = np.minimum(1.0, most / np.maximum(self.counts, 1))
        with np.errstate(divide="ignore"):
            missed = self.matrix @ np.maximum(np.log1p(-chance), -1e6)
        return 1.0 - np.exp(missed)


def threshold_of_tail(counts: NDArray[np.integer], tail: float) -> int:
    """Return MetaCLIP's t: the smallest count such that concepts below it hold at least this share.

    Args:
        counts: (m,) captions that name each concept.
        tail: Share of all matches in [0, 1]; t = 20,000 of MetaCLIP's 400M pairs leaves about 0.06.
    """
    rising = np.sort(counts[counts > 0])
    if not len(rising):
        return 1
    reached = np.searchsorted(np.cumsum(rising), tail * rising.sum() - 1e-9)
    return int(rising[min(int(reached), len(rising) - 1)]) + 1
