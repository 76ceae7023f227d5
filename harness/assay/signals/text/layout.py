r"""A batch of documents as arrays: characters, lines, tokens and their hashes, shared by all rules.

Everything is counted in Unicode characters, as Python and the published rules do. Tokens are those of
NLTK's WordPunctTokenizer (3.10): runs of word characters, and runs of what is neither those nor space.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from assay.signals.columns import Columns, Examples
from assay.signals.text.characters import SPACE, WORD, flags_of_characters
from assay.signals.text.words import mix, prefix_sums, windows

Ints = NDArray[np.int64]

_BASE = 0xC2B2AE3D27D4EB4F
_NEW_LINE = 0x0A


@dataclass(frozen=True, eq=False)
class Spans:
    """Pieces of a batch, in order.

    Attributes:
        starts: (k,) first character of each.
        stops: (k,) one after its last.
        docs: (k,) document that it is in.
    """

    starts: Ints
    stops: Ints
    docs: Ints

    def __len__(self) -> int:
        return len(self.starts)

    def __getitem__(self, which: NDArray[Any]) -> "Spans":
        return Spans(self.starts[which], self.stops[which], self.docs[which])

    @property
    def lengths(self) -> Ints:
        """Return the (k,) characters of each."""
        return self.stops - self.starts


@dataclass(frozen=True, eq=False)
class Layout:
    """The characters of a batch, documents separated by a line feed.

    Attributes:
        codes: (c,) code points.
        flags: (c,) bits of `characters`.
        starts: (d,) first character of each document.
        stops: (d,) one after its last.
    """

    codes: NDArray[np.uint32]
    flags: NDArray[np.uint8]
    starts: Ints
    stops: Ints

    @classmethod
    def of(cls, texts: list[str]) -> "Layout":
        """Lay out texts, at least one."""
        joined = "\n".join(texts)
        codes = np.frombuffer(joined.encode("utf-32-le", "surrogatepass"), dtype="<u4")
        lengths = np.fromiter(map(len, texts), np.int64, len(texts))
        stops = np.cumsum(lengths + 1) - 1
        return cls(codes, flags_of_characters()[codes], stops - lengths, stops)

    def __len__(self) -> int:
        return len(self.starts)

    @property
    def num_characters(self) -> Ints:
        """Return the (d,) characters of each document."""
        return self.stops - self.starts

    def doc_of(self, places: Ints) -> Ints:
        """Return the documents that characters, in order, are in."""
        counts = places.searchsorted(self.starts)
        return np.repeat(np.arange(len(self)), np.diff(counts, append=len(places)))

    def per_doc(self, docs: Ints, weights: NDArray[Any] | None = None) -> NDArray[Any]:
        """Count, or add up, by document: (d,)."""
        return np.bincount(docs, weights=weights, minlength=len(self))

    def before(self, mask: NDArray[np.bool_]) -> NDArray[np.int32]:
        """Return how many characters of a kind come before each place, (c + 1,)."""
        counts = np.zeros(len(mask) + 1, dtype=np.int32)
        np.cumsum(mask, out=counts[1:])
        return counts

    @cached_property
    def lowered(self) -> bytes:
        """ASCII characters in lower case, a byte a character; 0xFF for all others."""
        return self.ascii.tobytes().lower()

    @cached_property
    def ascii(self) -> NDArray[np.uint8]:
        """ASCII characters as they are, (c,); 0xFF for all others."""
        other = (self.codes >= 128).view(np.uint8)
        return self.codes.astype(np.uint8) | np.negative(other)

    def places(self, phrase: bytes) -> Ints:
        """Return where a lower-case ASCII phrase starts, found as `bytes.find` finds it, not overlapping."""
        found: list[int] = []
        at = self.lowered.find(phrase)
        while at >= 0:
            found.append(at)
            at = self.lowered.find(phrase, at + len(phrase))
        return np.array(found, dtype=np.int64)

    def spans_with(self, spans: Spans, places: Ints) -> NDArray[np.bool_]:
        """Tell which of the spans, in order and not overlapping, hold one of the places."""
        which = spans.starts.searchsorted(places, side="right") - 1
        held = np.zeros(len(spans), dtype=np.bool_)
        inside = (which >= 0) & (places < spans.stops[np.maximum(which, 0)])
        held[which[inside]] = True
        return held

    def pieces(self, breaks: NDArray[np.bool_]) -> Spans:
        """Return what lies between breaking characters, empty pieces too, as `str.split` does."""
        edges = breaks.copy()
        edges[self.stops[:-1]] = True
        at = np.flatnonzero(edges)
        starts = np.concatenate([[0], at + 1])
        stops = np.concatenate([at, [len(self.codes)]])
        return Spans(starts, stops, self.doc_of(starts))

    @cached_property
    def lines(self) -> Spans:
        """Pieces between line feeds, empty ones too."""
        return self.pieces(self.codes == _NEW_LINE)

    def stripped(self, spans: Spans) -> Spans:
        """Return spans without white space around; what is all white space becomes empty."""
        words = self.words
        first = words.stops.searchsorted(spans.starts, side="right")
        last = words.starts.searchsorted(spans.stops) - 1
        held = np.flatnonzero(first <= last)
        starts, stops = spans.starts.copy(), spans.starts.copy()
        starts[held] = np.maximum(starts[held], words.starts[first[held]])
        stops[held] = np.minimum(spans.stops[held], words.stops[last[held]])
        return Spans(starts, stops, spans.docs)

    @cached_property
    def tokens(self) -> Spans:
        """The tokens of all documents."""
        kinds = np.where(self.flags & SPACE, 0, np.where(self.flags & WORD, 1, 2)).astype(np.int8)
        return self._runs(kinds)

    @cached_property
    def words(self) -> Spans:
        """What `str.split` returns of all documents: runs without white space."""
        return self._runs(((self.flags & SPACE) == 0).astype(np.int8))

    def _runs(self, kinds: NDArray[np.int8]) -> Spans:
        edges = np.flatnonzero(kinds[1:] != kinds[:-1]) + 1
        starts = np.concatenate([[0], edges])[: len(kinds)]
        stops = np.concatenate([edges, [len(kinds)]])[: len(starts)]
        kept = kinds[starts] != 0
        return Spans(starts[kept], stops[kept], self.doc_of(starts[kept]))

    def hashes(self, spans: Spans) -> NDArray[np.uint64]:
        """Return a hash of each span's characters: equal for equal texts, wherever they stand."""
        raw = windows(self._sums, spans.starts, spans.stops, _BASE)
        return mix(raw + spans.lengths.astype(np.uint64))

    @cached_property
    def token_hashes(self) -> NDArray[np.uint64]:
        """Hashes of the tokens."""
        return self.hashes(self.tokens)

    @cached_property
    def _sums(self) -> NDArray[np.uint64]:
        return prefix_sums(self.codes.astype(np.uint64) + np.uint64(1), _BASE)


def hash_of(word: str) -> np.uint64:
    """Return the hash that `Layout.hashes` gives a word."""
    layout = Layout.of([word])
    return layout.hashes(Spans(layout.starts, layout.stops, np.zeros(1, dtype=np.int64)))[0]


def layout_of(examples: Examples) -> Layout:
    """Return the layout of a batch, made once for all signals: `examples.once(layout_of)`."""
    return Layout.of(examples.table.column("text").to_pylist())


def share(part: NDArray[Any], whole: NDArray[Any]) -> NDArray[np.float64]:
    """Return part / whole, 0 where there is no whole."""
    return np.divide(part, whole, out=np.zeros(len(part)), where=np.asarray(whole) > 0)


def compact(values: Mapping[str, NDArray[Any]], **verdict: NDArray[np.bool_]) -> Columns:
    """Return counts as int32, shares as float32, and what the rules made of them as it is."""
    types = {"i": np.int32, "f": np.float32}
    return {
        name: column.astype(types[column.dtype.kind]) for name, column in values.items()
    } | verdict
