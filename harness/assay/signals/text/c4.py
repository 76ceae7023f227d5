"""The rules of C4: which lines it keeps, and which documents.

Source:
    Raffel et al. (2020), https://arxiv.org/abs/1910.10683, section 2.2, in the reading of datatrove 0.10
    (`C4QualityFilter`), whose decisions these are document by document when it is given the same
    sentences. The list of bad words is left out, as there. Sentences here end where `SENTENCE` says.
"""

import re
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np
from numpy.typing import NDArray

from assay.signals.columns import Columns, Examples, PerExample
from assay.signals.text.characters import SPACE
from assay.signals.text.gopher import split_lines
from assay.signals.text.layout import Ints, Layout, Spans, compact, layout_of, share

MIN_SENTENCES = 5
MIN_LINE_WORDS = 3
MAX_WORD_CHARACTERS = 1000
POLICY = (
    b"terms of use",
    b"privacy policy",
    b"cookie policy",
    b"uses cookies",
    b"use of cookies",
    b"use cookies",
)
SENTENCE = re.compile(r".+?(?:[.!?]+[\"'”’)\]]{0,2}(?=\s|$)|$)", re.DOTALL)
"""A sentence of a line: up to terminal punctuation, with at most two closing marks, before white space."""

_CITATION = re.compile(r"\[\d*]|\[edit]|\[citation needed]")
_LINE_ENDS = (".", "?", "!", '"', "'")
_ENDS = np.array([ord(mark) for mark in _LINE_ENDS])
_TERMINAL = np.array([ord(mark) for mark in ".!?"])
_CLOSING = np.array([ord(mark) for mark in "\"'”’)]"])
_FULL_STOP = ord(".")
_LINE_FEED = ord("\n")


@dataclass(frozen=True, eq=False)
class _Lines:
    """The lines of a batch, stripped, and what C4 asks of them.

    Attributes:
        spans: k lines.
        num_words: (k,) words between white space.
        long_word: (k,) whether one of them has more than a thousand characters.
        ended: (k,) whether it ends in terminal punctuation and not in an ellipsis, citations aside.
        sentences: (k,) sentences, citations aside.
        lorem_ipsum: (k,) whether it holds these words.
        javascript: (k,) whether it holds this word.
        bracket: (k,) whether it holds `{`.
        policy: (k,) whether it holds one of the phrases about cookies and policies.
    """

    spans: Spans
    num_words: Ints
    long_word: NDArray[np.bool_]
    ended: NDArray[np.bool_]
    sentences: Ints
    lorem_ipsum: NDArray[np.bool_]
    javascript: NDArray[np.bool_]
    bracket: NDArray[np.bool_]
    policy: NDArray[np.bool_]


def _lines(examples: Examples) -> _Lines:
    layout = examples.once(layout_of)
    spans = layout.stripped(split_lines(layout))
    words = layout.words
    first, last = words.starts.searchsorted(spans.starts), words.starts.searchsorted(spans.stops)
    long_words = words.starts[words.lengths > MAX_WORD_CHARACTERS]
    holds = partial(_holds, layout, spans)
    policy = np.zeros(len(spans), dtype=np.bool_)
    for phrase in POLICY:
        policy |= holds(phrase)
    ended, sentences = _ended(layout, spans), _count_sentences(layout, spans)
    for line in np.flatnonzero(holds(b"[")).tolist():
        text = _text(layout, spans, line)
        if _CITATION.search(text):
            text = _CITATION.sub("", text)
            ended[line] = text.endswith(_LINE_ENDS) and not text.endswith("...")
            sentences[line] = len(SENTENCE.findall(text))
    return _Lines(
        spans=spans,
        num_words=last - first,
        long_word=layout.spans_with(spans, long_words),
        ended=ended,
        sentences=sentences,
        lorem_ipsum=holds(b"lorem ipsum"),
        javascript=holds(b"javascript"),
        bracket=holds(b"{"),
        policy=policy,
    )


def _holds(layout: Layout, spans: Spans, phrase: bytes) -> NDArray[np.bool_]:
    return layout.spans_with(spans, layout.places(phrase))


def _text(layout: Layout, spans: Spans, line: int) -> str:
    codes = layout.codes[spans.starts[line] : spans.stops[line]]
    return codes.tobytes().decode("utf-32-le", "surrogatepass")


def _ended(layout: Layout, spans: Spans) -> NDArray[np.bool_]:
    ended = np.isin(layout.codes[np.maximum(spans.stops - 1, 0)], _ENDS) & (spans.lengths > 0)
    dots = spans.lengths >= 3
    for back in (1, 2, 3):
        dots &= layout.codes[np.maximum(spans.stops - back, 0)] == _FULL_STOP
    return ended & ~dots


def _count_sentences(layout: Layout, spans: Spans) -> Ints:
    """Return what `SENTENCE` finds in each line: its ends, and one more where text follows the last."""
    marks = np.flatnonzero(_among(np.frombuffer(layout.lowered, np.uint8), _TERMINAL))
    marks = marks[~_among(_following(layout.codes, marks, 1, _LINE_FEED), _TERMINAL)]
    stops = np.full(len(marks), -1, dtype=np.int64)
    open_ = np.ones(len(marks), dtype=np.bool_)
    for after in (1, 2, 3):
        is_space = (_following(layout.flags, marks, after, SPACE) & SPACE) != 0
        here = open_ & is_space & (stops < 0)
        stops[here] = marks[here] + after
        open_ &= _among(_following(layout.codes, marks, after, _LINE_FEED), _CLOSING)
    stops = stops[stops >= 0]
    before = stops.searchsorted(spans.starts, side="right")
    upto = stops.searchsorted(spans.stops, side="right")
    closed = (upto > before) & (np.append(stops, -1)[np.maximum(upto - 1, 0)] == spans.stops)
    return upto - before + (~closed & (spans.lengths > 0))


def _following(values: NDArray[Any], places: Ints, after: int, end: int) -> NDArray[Any]:
    """Return what stands so far after places; `end` after the batch, which ends like any other line."""
    at = places + after
    return np.where(
        at < len(values), values[np.minimum(at, len(values) - 1)], values.dtype.type(end)
    )


def _among(codes: NDArray[Any], wanted: NDArray[np.int64]) -> NDArray[np.bool_]:
    found = codes == wanted[0]
    for code in wanted[1:]:
        found |= codes == code
    return found


def _rules(examples: Examples, terminal: bool) -> tuple[NDArray[np.bool_], Ints, Ints]:
    """Return whether C4 keeps each document, its sentences in kept lines, and the words in those."""
    lines, layout = examples.once(_lines), examples.once(layout_of)
    passing = ~lines.long_word & (lines.num_words >= MIN_LINE_WORDS)
    if terminal:
        passing &= lines.ended
    condemned = passing & (lines.lorem_ipsum | (~lines.javascript & lines.bracket))
    kept = passing & ~lines.javascript & ~lines.policy & ~lines.bracket & ~lines.lorem_ipsum
    docs = lines.spans.docs
    sentences = layout.per_doc(docs[kept], lines.sentences[kept]).astype(np.int64)
    words = layout.per_doc(docs[kept], lines.num_words[kept]).astype(np.int64)
    ok = (sentences >= MIN_SENTENCES) & (layout.per_doc(docs[condemned]) == 0)
    return ok, sentences, words


def _c4(examples: Examples) -> Columns:
    layout = examples.once(layout_of)
    ok, sentences, words = _rules(examples, terminal=True)
    ok_unended, _, _ = _rules(examples, terminal=False)
    values = {
        "c4_sentences": sentences,
        "c4_kept_words": share(words, layout.per_doc(layout.words.docs)),
    }
    return compact(values, c4_ok=ok, c4_unended_ok=ok_unended)


C4 = PerExample(
    name="c4",
    version=1,
    kind="text",
    reads=("text",),
    columns={
        "c4_sentences": "sentences in the lines that C4 keeps",
        "c4_kept_words": "share of words in these lines",
        "c4_ok": "whether C4's rules keep it",
        "c4_unended_ok": "the same without the rule about how lines end, as FineWeb runs it",
    },
    compute=_c4,
)
