"""Texts as arrays of hashed words: what n-gram overlap and near-duplicate search are made of.

Normal form: NFKC, lower case, runs of letters and digits separated by single spaces. All hashes are
polynomials modulo 2^64 under fixed odd bases, brought to any window by prefix sums, then mixed; the same
on every machine. They find candidates among honest texts and are no defence against made-up collisions.
"""

import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property, lru_cache

import numpy as np
from numpy.typing import NDArray

FORMAT = 1
"""Bumped whenever a hash changes."""

_BYTE_BASE = 0x9E3779B97F4A7C15
_WORD_BASE = 0xD1342543DE82EF95
_SEPARATOR = b"\x00"
_ALNUM = np.zeros(256, dtype=np.bool_)
_ALNUM[list(b"abcdefghijklmnopqrstuvwxyz0123456789")] = True
_ALNUM[0x80:] = True
_BREAK = np.zeros(256, dtype=np.bool_)
_BREAK[list(b".!?\n\x00")] = True
_SPACE = 0x20


@dataclass(frozen=True, eq=False)
class Words:
    """The words of a batch of texts, in order.

    Attributes:
        data: (b,) normal form as UTF-8, texts separated by a space like words.
        starts: (w,) first byte of each word.
        stops: (w,) one after its last byte.
        texts: (w,) number of the text that it is in.
        breaks: (w + 1,) whether a sentence, line or text ends before the word; true at the end.
        hashes: (w,) uint64.
    """

    data: NDArray[np.uint8]
    starts: NDArray[np.int64]
    stops: NDArray[np.int64]
    texts: NDArray[np.int64]
    breaks: NDArray[np.bool_]
    hashes: NDArray[np.uint64]

    def __len__(self) -> int:
        return len(self.starts)

    @classmethod
    def of(cls, texts: Sequence[str]) -> "Words":
        """Normalise and cut texts."""
        raw = np.frombuffer(_SEPARATOR.join(_fold(text) for text in texts), dtype=np.uint8)
        inside = _ALNUM[raw]
        ends = _BREAK[raw]
        if len(raw) and int(raw.max()) >= 0x80:
            _blank_punctuation(raw, inside, ends)
        starts, stops = runs(inside)
        breaks = np.ones(len(starts) + 1, dtype=np.bool_)
        seen = np.concatenate([[0], np.cumsum(ends, dtype=np.int64)])
        breaks[1:-1] = seen[starts[1:]] > seen[stops[:-1]]
        numbers = np.flatnonzero(raw == 0).searchsorted(starts)
        keep = inside.copy()
        keep[1:] |= inside[:-1]
        data = np.where(inside, raw, np.uint8(_SPACE))[keep]
        starts, stops = runs(inside[keep])
        sums = prefix_sums(data.astype(np.uint64) + np.uint64(1), _BYTE_BASE)
        hashes = mix(windows(sums, starts, stops, _BYTE_BASE))
        return cls(data, starts, stops, numbers.astype(np.int64), breaks, hashes)

    def grams(self, size: int) -> NDArray[np.uint64]:
        """Return the hashes of all runs of `size` words, (w - size + 1,); see `within_text`."""
        count = max(0, len(self) - size + 1)
        first = np.arange(count)
        found = windows(self._word_sums, first, first + size, _WORD_BASE)
        return mix(found + np.uint64(size))

    def within_text(self, size: int) -> NDArray[np.bool_]:
        """Tell which runs of `size` words lie in a single text, (w - size + 1,)."""
        count = max(0, len(self) - size + 1)
        return self.texts[:count] == self.texts[size - 1 : size - 1 + count]

    def spans(self, length: int) -> tuple[NDArray[np.uint64], NDArray[np.int64]]:
        """Hash the `length` bytes of normal form from the start of each word.

        Returns:
            Hashes, and the number of the word that each starts at; words too near the end of their
            text have none.
        """
        last = self.texts.searchsorted(self.texts, side="right") - 1
        text_stop = self.stops[last]
        words = np.flatnonzero(self.starts + length <= text_stop)
        starts = self.starts[words]
        hashes = windows(self._byte_sums, starts, starts + length, _BYTE_BASE)
        return mix(hashes ^ np.uint64(length << 32)), words

    def excerpt(self, word: int, stop: int, most: int) -> str:
        """Return words [word, stop) as text, at most `most` bytes of it."""
        first = int(self.starts[word])
        last = min(int(self.stops[stop - 1]), first + most)
        return self.data[first:last].tobytes().decode("utf-8", "ignore")

    @cached_property
    def _word_sums(self) -> NDArray[np.uint64]:
        return prefix_sums(self.hashes, _WORD_BASE)

    @cached_property
    def _byte_sums(self) -> NDArray[np.uint64]:
        return prefix_sums(self.data.astype(np.uint64) + np.uint64(1), _BYTE_BASE)


def mix(values: NDArray[np.uint64]) -> NDArray[np.uint64]:
    """Spread every bit over all of them.

    Source:
        The finaliser of SplitMix64 (Steele, Lea, Flood, 2014), https://doi.org/10.1145/2660193.2660195.
    """
    values = (values ^ (values >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    values = (values ^ (values >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return values ^ (values >> np.uint64(31))


def normal_form(text: str) -> str:
    """Return the normal form of one text."""
    return Words.of([text]).data.tobytes().decode("utf-8").strip()


def _fold(text: str) -> bytes:
    if not text.isascii():
        text = unicodedata.normalize("NFKC", text)
    return text.lower().encode("utf-8", "replace").replace(_SEPARATOR, b" ")


def _blank_punctuation(
    raw: NDArray[np.uint8], inside: NDArray[np.bool_], ends: NDArray[np.bool_]
) -> None:
    """Take U+00A0-U+00BF, U+2000-U+207F and U+3000-U+303F out of words: dashes, quotes, bullets."""
    after = np.append(raw[1:], np.uint8(0))
    for lead, least, most, size in (
        (0xC2, 0xA0, 0xBF, 2),
        (0xE2, 0x80, 0x81, 3),
        (0xE3, 0x80, 0x80, 3),
    ):
        found = np.flatnonzero((raw == lead) & (after >= least) & (after <= most))
        for offset in range(size):
            inside[found + offset] = False
        if lead == 0xE3:
            ends[found[raw[found + 2] == 0x82]] = True  # the full stop of Chinese and Japanese


def runs(inside: NDArray[np.bool_]) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Return where runs of true start and stop."""
    edges = np.flatnonzero(np.diff(inside, prepend=False, append=False))
    return edges[::2].astype(np.int64), edges[1::2].astype(np.int64)


def prefix_sums(values: NDArray[np.uint64], base: int) -> NDArray[np.uint64]:
    """Return sums of `values[i] * base**i` before each place, (n + 1,)."""
    sums = np.zeros(len(values) + 1, dtype=np.uint64)
    np.cumsum(values * _powers(base, _room(len(values)))[: len(values)], out=sums[1:])
    return sums


def windows(
    sums: NDArray[np.uint64], starts: NDArray[np.int64], stops: NDArray[np.int64], base: int
) -> NDArray[np.uint64]:
    """Return the polynomial of each window as if it stood at place 0."""
    inverse = _powers(pow(base, -1, 1 << 64), _room(len(sums)))
    return (sums[stops] - sums[starts]) * inverse[starts]


def _room(length: int) -> int:
    return 1 << max(16, length.bit_length())


@lru_cache(maxsize=16)
def _powers(base: int, count: int) -> NDArray[np.uint64]:
    powers = np.full(count, base, dtype=np.uint64)
    powers[0] = 1
    return np.cumprod(powers)
