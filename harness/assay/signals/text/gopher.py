"""The rules of Gopher: quality, and repetition within a document.

Source:
    Rae et al. (2021), https://arxiv.org/abs/2112.11446, section A.1.1 and table A1, in the reading of
    datatrove 0.10 (`GopherQualityFilter`, `GopherRepetitionFilter`), whose decisions these are document by
    document when it is given the same words: WordPunct tokens, where its own come from spaCy.
"""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from assay.signals.columns import Columns, Examples, PerExample
from assay.signals.text.characters import LETTER, LINE_BREAK, PUNCTUATION
from assay.signals.text.layout import Ints, Layout, Spans, compact, hash_of, layout_of, share
from assay.signals.text.repetition import (
    Sequence,
    covered,
    repeated_spans,
    repeats,
    skipping_starts,
    top_occurrence,
)

MIN_WORDS, MAX_WORDS = 50, 100_000
MIN_WORD_LENGTH, MAX_WORD_LENGTH = 3.0, 10.0
MAX_SYMBOLS = 0.1
MAX_BULLET_LINES = 0.9
MAX_ELLIPSIS_LINES = 0.3
MIN_ALPHABETIC_WORDS = 0.8
STOP_WORDS = ("the", "be", "to", "of", "and", "that", "have", "with")
MIN_STOP_WORDS = 2
MAX_REPEATED_LINES = MAX_REPEATED_PARAGRAPHS = 0.3
MAX_REPEATED_LINE_CHARACTERS = MAX_REPEATED_PARAGRAPH_CHARACTERS = 0.2
MAX_TOP_NGRAM = {2: 0.20, 3: 0.18, 4: 0.16}
MAX_REPEATED_NGRAMS = {5: 0.15, 6: 0.14, 7: 0.13, 8: 0.12, 9: 0.11, 10: 0.10}

_FULL_STOP, _ELLIPSIS = ord("."), ord("…")
_BULLETS = (ord("•"), ord("-"))


def _quality(examples: Examples) -> Columns:
    layout = examples.once(layout_of)
    tokens = layout.tokens
    has_other = layout.before((layout.flags & PUNCTUATION) == 0)
    words = tokens[has_other[tokens.stops] > has_other[tokens.starts]]
    letters = layout.before((layout.flags & LETTER) != 0)
    lettered = tokens.docs[letters[tokens.stops] > letters[tokens.starts]]
    lines = split_lines(layout)
    num_lines = layout.per_doc(lines.docs)
    num_tokens, num_words = layout.per_doc(tokens.docs), layout.per_doc(words.docs)
    hashes = layout.per_doc(layout.doc_of(np.flatnonzero(layout.codes == ord("#"))))
    values = {
        "gopher_words": num_words,
        "gopher_word_length": share(layout.per_doc(words.docs, words.lengths), num_words),
        "gopher_hashes": share(hashes, num_tokens),
        "gopher_ellipses": share(count_ellipses(layout), num_tokens),
        "gopher_bullet_lines": share(
            layout.per_doc(lines.docs[starts_with(layout, lines, _BULLETS)]), num_lines
        ),
        "gopher_ellipsis_lines": share(
            layout.per_doc(lines.docs[ends_with_ellipsis(layout, lines)]), num_lines
        ),
        "gopher_alphabetic_words": share(layout.per_doc(lettered), num_tokens),
        "gopher_stop_words": count_different(layout, STOP_WORDS),
    }
    return compact(values, gopher_quality_ok=_quality_ok(values))


def _quality_ok(values: dict[str, NDArray[Any]]) -> NDArray[np.bool_]:
    words, length = values["gopher_words"], values["gopher_word_length"]
    return (
        (words >= MIN_WORDS)
        & (words <= MAX_WORDS)
        & (length >= MIN_WORD_LENGTH)
        & (length <= MAX_WORD_LENGTH)
        & (values["gopher_hashes"] <= MAX_SYMBOLS)
        & (values["gopher_ellipses"] <= MAX_SYMBOLS)
        & (values["gopher_bullet_lines"] <= MAX_BULLET_LINES)
        & (values["gopher_ellipsis_lines"] <= MAX_ELLIPSIS_LINES)
        & (values["gopher_alphabetic_words"] >= MIN_ALPHABETIC_WORDS)
        & (values["gopher_stop_words"] >= MIN_STOP_WORDS)
    )


def _repetition(examples: Examples) -> Columns:
    layout = examples.once(layout_of)
    chars = layout.num_characters
    paragraphs = _parts(layout, layout.stripped(_documents(layout)), 2)
    lines = _parts(layout, _documents(layout), 1)
    values: dict[str, NDArray[Any]] = {}
    limits: dict[str, float] = {}
    for kind, parts, most, most_chars in (
        ("line", lines, MAX_REPEATED_LINES, MAX_REPEATED_LINE_CHARACTERS),
        ("paragraph", paragraphs, MAX_REPEATED_PARAGRAPHS, MAX_REPEATED_PARAGRAPH_CHARACTERS),
    ):
        count, repeated_chars = repeated_spans(layout, parts)
        values[f"gopher_repeated_{kind}s"] = share(count, layout.per_doc(parts.docs))
        values[f"gopher_repeated_{kind}_characters"] = share(repeated_chars, chars)
        limits |= {
            f"gopher_repeated_{kind}s": most,
            f"gopher_repeated_{kind}_characters": most_chars,
        }
    tokens = layout.tokens
    words = Sequence(layout.token_hashes, tokens.lengths, tokens.docs, len(layout))
    for found in repeats(words, max(MAX_REPEATED_NGRAMS)):
        if found.n in MAX_TOP_NGRAM:
            name, limits[f"gopher_top_{found.n}gram"] = (
                f"gopher_top_{found.n}gram",
                MAX_TOP_NGRAM[found.n],
            )
            start, count = top_occurrence(words, found)
            values[name] = share(count * _joined_length(words, start, found.n), chars)
        else:
            name = f"gopher_repeated_{found.n}grams"
            limits[name] = MAX_REPEATED_NGRAMS[found.n]
            values[name] = share(covered(words, skipping_starts(found), found.n), chars)
    ok = chars > 0
    for name, most in limits.items():
        ok &= values[name] <= most
    return compact(values, gopher_repetition_ok=ok)


def _joined_length(words: Sequence, start: Ints, n: int) -> Ints:
    """Return the characters of the n-gram at `start`, joined by spaces; of a document's first where -1.

    A document of fewer than n words has none.
    """
    first = words.docs.searchsorted(np.arange(words.num_docs))
    at = np.where(start < 0, first, start)
    ends = np.concatenate([[0], np.cumsum(words.lengths)])
    fits = at + n <= words.docs.searchsorted(np.arange(words.num_docs), side="right")
    at = np.where(fits, at, 0)
    stop = np.minimum(at + n, len(words.keys))
    return np.where(fits, ends[stop] - ends[at] + n - 1, 0)


def _documents(layout: Layout) -> Spans:
    return Spans(layout.starts, layout.stops, np.arange(len(layout)))


def _parts(layout: Layout, documents: Spans, least: int) -> Spans:
    """Cut documents at runs of at least so many line feeds, as `re.split` does, empty ends included."""
    feeds = np.flatnonzero(layout.codes == ord("\n"))
    docs = layout.doc_of(feeds) if len(feeds) else feeds
    inside = (feeds >= documents.starts[docs]) & (feeds < documents.stops[docs])
    feeds, docs = feeds[inside], docs[inside]
    new = np.ones(len(feeds), dtype=np.bool_)
    new[1:] = (np.diff(feeds) > 1) | (np.diff(docs) > 0)
    first = np.flatnonzero(new)
    sizes = np.diff(first, append=len(feeds))
    cut = first[sizes >= least]
    sizes = sizes[sizes >= least]
    starts = np.concatenate([documents.starts, feeds[cut] + sizes])
    stops = np.concatenate([documents.stops, feeds[cut]])
    return Spans(
        np.sort(starts, kind="stable"),
        np.sort(stops, kind="stable"),
        np.sort(np.concatenate([documents.docs, docs[cut]]), kind="stable"),
    )


def split_lines(layout: Layout) -> Spans:
    """Return the lines of `str.splitlines`; a carriage return before a line feed stays in its line."""
    breaks = (layout.flags & LINE_BREAK) != 0
    returns = np.flatnonzero(layout.codes[:-1] == ord("\r"))
    breaks[returns[layout.codes[returns + 1] == ord("\n")]] = False
    lines = layout.pieces(breaks)
    last = np.append(lines.docs[1:] != lines.docs[:-1], True)
    return lines[~(last & (lines.lengths == 0))]


def count_ellipses(layout: Layout) -> Ints:
    """Return how often `...` or `…` stands in each document, not overlapping: (d,)."""
    at = np.flatnonzero(layout.codes == _FULL_STOP)
    first = np.flatnonzero(np.diff(at, prepend=-2) > 1)
    threes = np.diff(first, append=len(at)) // 3
    signs = np.flatnonzero(layout.codes == _ELLIPSIS)
    dots = layout.per_doc(layout.doc_of(at[first]), threes).astype(np.int64)
    return dots + layout.per_doc(layout.doc_of(signs))


def starts_with(layout: Layout, lines: Spans, characters: tuple[int, ...]) -> NDArray[np.bool_]:
    """Tell which lines start with one of the characters, white space aside."""
    stripped = layout.stripped(lines)
    first = np.minimum(stripped.starts, len(layout.codes) - 1)
    return (stripped.lengths > 0) & np.isin(layout.codes[first], characters)


def ends_with_ellipsis(layout: Layout, lines: Spans) -> NDArray[np.bool_]:
    """Tell which lines end in `...` or `…`, white space aside."""
    stripped = layout.stripped(lines)
    sign = layout.codes[np.maximum(stripped.stops - 1, 0)] == _ELLIPSIS
    dots = np.ones(len(lines), dtype=np.bool_)
    for back in (1, 2, 3):
        dots &= layout.codes[np.maximum(stripped.stops - back, 0)] == _FULL_STOP
    return ((stripped.lengths >= 1) & sign) | ((stripped.lengths >= 3) & dots)


def count_different(layout: Layout, words: tuple[str, ...]) -> Ints:
    """Return how many of the words stand in each document, each counted once: (d,)."""
    short = np.flatnonzero(layout.tokens.lengths <= max(map(len, words)))
    hashes, docs = layout.token_hashes[short], layout.tokens.docs[short]
    return sum(
        ((layout.per_doc(docs[hashes == hash_of(word)]) > 0).astype(np.int64) for word in words),
        np.zeros(len(layout), dtype=np.int64),
    )


QUALITY = PerExample(
    name="gopher_quality",
    version=1,
    kind="text",
    reads=("text",),
    columns={
        "gopher_words": "words that are more than punctuation",
        "gopher_word_length": "mean characters of those",
        "gopher_hashes": "`#` per word, punctuation counted as words",
        "gopher_ellipses": "`...` and `…` per word, punctuation counted as words",
        "gopher_bullet_lines": "share of lines that start with • or -",
        "gopher_ellipsis_lines": "share of lines that end in an ellipsis",
        "gopher_alphabetic_words": "share of words with a letter, punctuation counted as words",
        "gopher_stop_words": "how many of the, be, to, of, and, that, have, with are there",
        "gopher_quality_ok": "whether Gopher's quality rules keep it",
    },
    compute=_quality,
)

REPETITION = PerExample(
    name="gopher_repetition",
    version=1,
    kind="text",
    reads=("text",),
    columns={
        "gopher_repeated_lines": "share of lines that equal an earlier one",
        "gopher_repeated_line_characters": "their share of characters",
        "gopher_repeated_paragraphs": "share of paragraphs that equal an earlier one",
        "gopher_repeated_paragraph_characters": "their share of characters",
        **{
            f"gopher_top_{n}gram": f"share of characters of the most frequent {n}-gram"
            for n in MAX_TOP_NGRAM
        },
        **{
            f"gopher_repeated_{n}grams": f"share of characters in {n}-grams that were there before"
            for n in MAX_REPEATED_NGRAMS
        },
        "gopher_repetition_ok": "whether Gopher's repetition rules keep it",
    },
    compute=_repetition,
)
