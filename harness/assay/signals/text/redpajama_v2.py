"""The quality signals of RedPajama-V2 that need no model and no list of words.

Source:
    Weber et al. (2024), https://arxiv.org/abs/2411.12372, and its code
    (`app/src/core/quality_signals`): raw words are WordPunct tokens; normal words are lower-case, without
    ASCII punctuation, cut at white space, and as long as with their accents taken apart (NFD). Signals of lines,
    which it gives line by line, are their mean over the lines of a document. Left out: perplexity, classifiers,
    importance weights, and what needs the lists of stop words, bad words (LDNOOBW) and bad hosts (UT1).
    `benchmarks/redpajama_signals.py` compares with that code.
"""

import string
import unicodedata
from functools import lru_cache
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from assay.signals.columns import Columns, Examples, PerExample
from assay.signals.text.characters import LETTER, UPPER
from assay.signals.text.gopher import count_ellipses, ends_with_ellipsis, starts_with
from assay.signals.text.layout import Layout, Spans, compact, hash_of, layout_of, share
from assay.signals.text.repetition import (
    Sequence,
    covered,
    repeats,
    top_occurrence,
    within_documents,
)

TOP_NGRAMS = (2, 3, 4)
REPEATED_NGRAMS = (5, 6, 7, 8, 9, 10)

_PUNCTUATION = np.zeros(128, dtype=np.bool_)
_PUNCTUATION[list(string.punctuation.encode())] = True
_BULLETS = tuple(map(ord, "\u2022\u2023\u25b6\u25c0\u25e6\u25a0\u25a1\u25aa\u25ab\u2013"))
_SENTENCE_MARKS = tuple(map(ord, ".!?"))
_LINE_MARKS = tuple(map(ord, ".!?”"))
_JAVASCRIPT = "javascript"


class _Tables(NamedTuple):
    """What every code point is, (0x110000,) each: characters with its accents apart, `str.isnumeric`, a small letter."""

    apart: NDArray[np.int8]
    numeric: NDArray[np.bool_]
    small: NDArray[np.bool_]


@lru_cache(maxsize=1)
def _tables() -> _Tables:
    every = [chr(code) for code in range(0x110000)]
    apart = [len(unicodedata.normalize("NFD", character)) for character in every]
    capital = np.array([*map(str.isupper, every)])
    small = np.array([*map(str.islower, every)]) | np.array([*map(str.istitle, every)])
    numeric = np.array([*map(str.isnumeric, every)])
    return _Tables(np.array(apart, dtype=np.int8), numeric, small & ~capital)


def normalised(layout: Layout) -> Layout:
    """Return the documents in lower case and without ASCII punctuation."""
    codes = layout.codes.copy()
    for code in np.unique(codes[(layout.flags & UPPER) != 0]).tolist():
        lower = chr(code).lower()
        codes[layout.codes == code] = ord(lower) if len(lower) == 1 else code
    kept = ~_PUNCTUATION[np.minimum(codes, 127).astype(np.uint8)] | (codes > 127)
    kept_before = layout.before(kept).astype(np.int64)
    flags = layout.flags[kept]
    return Layout(codes[kept], flags, kept_before[layout.starts], kept_before[layout.stops])


def _signals(examples: Examples) -> Columns:
    layout = examples.once(layout_of)
    plain = normalised(layout)
    words = plain.words
    lengths = _sums(_tables().apart[plain.codes], words)
    sequence = Sequence(plain.hashes(words), lengths, words.docs, len(plain))
    return compact(
        _of_words(layout, plain, sequence)
        | _of_lines(layout)
        | _of_plain_lines(layout, plain, sequence)
        | _of_repetition(sequence)
    )


def _sums(values: NDArray[np.int8], spans: Spans) -> NDArray[np.int64]:
    """Add up values of characters by span, (k,)."""
    before = np.concatenate([[0], np.cumsum(values, dtype=np.int64)])
    return before[spans.stops] - before[spans.starts]


def _joined(lengths: NDArray[np.integer], numbers: NDArray[np.integer]) -> NDArray[np.integer]:
    """Return the characters of so many words with a space between any two."""
    return lengths + np.maximum(numbers - 1, 0)


def _of_words(layout: Layout, plain: Layout, words: Sequence) -> dict[str, NDArray[np.generic]]:
    tokens = layout.tokens
    num_tokens, num_words = layout.per_doc(tokens.docs), layout.per_doc(words.docs)
    is_letter = (layout.flags & LETTER) != 0
    tables = _tables()
    no_letter = ~_holds(layout, is_letter & (layout.codes < 128), tokens)
    all_caps = _holds(layout, (layout.flags & UPPER) != 0, tokens)
    all_caps &= ~_holds(layout, tables.small[layout.codes], tokens)
    symbols = count_ellipses(layout) + _count(layout, layout.codes == ord("#"))
    sentences = layout.pieces(np.isin(layout.codes, _SENTENCE_MARKS))
    in_words = is_letter | tables.numeric[layout.codes] | (layout.codes == ord("_"))
    spoken = _holds(layout, in_words, sentences)
    braces = _count(layout, (layout.codes == ord("{")) | (layout.codes == ord("}")))
    lengths = layout.per_doc(words.docs, words.lengths)
    different, entropy = _diversity(words)
    return {
        "rps_doc_num_sentences": layout.per_doc(sentences.docs[spoken]),
        "rps_doc_word_count": num_words,
        "rps_doc_mean_word_length": share(lengths, num_words),
        "rps_doc_symbol_to_word_ratio": share(symbols, num_tokens),
        "rps_doc_frac_no_alph_words": share(layout.per_doc(tokens.docs[no_letter]), num_tokens),
        "rps_doc_frac_all_caps_words": share(layout.per_doc(tokens.docs[all_caps]), num_tokens),
        "rps_doc_frac_unique_words": share(different, num_words),
        "rps_doc_unigram_entropy": entropy,
        "rps_doc_lorem_ipsum": share(_lorem_ipsum(plain), _joined(lengths, num_words)),
        "rps_doc_curly_bracket": share(braces, layout.num_characters),
    }


def _holds(layout: Layout, mask: NDArray[np.bool_], spans: Spans) -> NDArray[np.bool_]:
    """Tell which spans have a character of a kind, (k,)."""
    before = layout.before(mask)
    return before[spans.stops] > before[spans.starts]


def _lorem_ipsum(plain: Layout) -> NDArray[np.int64]:
    """Count words that end in `lorem` before one that begins with `ipsum`, in each document."""
    words = plain.words
    ends = np.isin(words.stops, plain.places(b"lorem") + len(b"lorem"))
    begins = np.isin(words.starts, plain.places(b"ipsum"))
    pairs = np.flatnonzero(ends[:-1] & begins[1:] & (words.docs[:-1] == words.docs[1:]))
    return plain.per_doc(words.docs[pairs])


def _count(layout: Layout, mask: NDArray[np.bool_]) -> NDArray[np.int64]:
    return layout.per_doc(layout.doc_of(np.flatnonzero(mask)))


def _diversity(words: Sequence) -> tuple[NDArray[np.integer], NDArray[np.floating]]:
    """Return the different words of each document, and the entropy of their frequencies in nats."""
    keys = within_documents(words.keys, words.docs)
    _, first, counts = np.unique(keys, return_index=True, return_counts=True)
    docs = words.docs[first]
    totals = np.bincount(words.docs, minlength=words.num_docs)
    shares = counts / totals[docs]
    terms = -shares * np.log(shares)
    different = np.bincount(docs, minlength=words.num_docs)
    entropy = np.bincount(docs, terms, minlength=words.num_docs).astype(np.float64)
    return different, entropy


def _of_lines(layout: Layout) -> dict[str, NDArray[np.generic]]:
    lines = _lines(layout)
    marks = np.isin(layout.codes[np.maximum(layout.stripped(lines).stops - 1, 0)], _LINE_MARKS)
    capitals = layout.before((layout.flags & UPPER) != 0)
    # The line feed belongs to the line, there, and the last line may have none.
    line_feeds = lines.stops < layout.stops[lines.docs]
    values = {
        "rps_doc_frac_lines_end_with_ellipsis": ends_with_ellipsis(layout, lines),
        "rps_lines_ending_with_terminal_punctution_mark": marks
        & (layout.stripped(lines).lengths > 0),
        "rps_lines_start_with_bulletpoint": starts_with(layout, lines, _BULLETS),
        "rps_lines_uppercase_letter_fraction": share(
            capitals[lines.stops] - capitals[lines.starts], lines.lengths + line_feeds
        ),
    }
    return _means(layout, lines, layout.per_doc(lines.docs), values)


def _of_plain_lines(
    layout: Layout, plain: Layout, words: Sequence
) -> dict[str, NDArray[np.generic]]:
    lines = _lines(plain)
    # A last line of punctuation alone is empty here, and counts as a line all the same.
    num_lines = layout.per_doc(_lines(layout).docs)
    first, last = (plain.words.starts.searchsorted(edge) for edge in (lines.starts, lines.stops))
    lengths = np.concatenate([[0], np.cumsum(words.lengths, dtype=np.int64)])
    scripts = np.concatenate([[0], np.cumsum(words.keys == hash_of(_JAVASCRIPT))])
    numerals = _sums(_tables().numeric[plain.codes].view(np.int8), lines)
    characters = _joined(lengths[last] - lengths[first], last - first)
    values = {
        "rps_lines_num_words": last - first,
        "rps_lines_numerical_chars_fraction": share(numerals, characters),
        "rps_lines_javascript_counts": scripts[last] - scripts[first],
    }
    return _means(plain, lines, num_lines, values)


def _means(
    layout: Layout, lines: Spans, num_lines: NDArray[np.integer], values: dict[str, NDArray[Any]]
) -> dict[str, NDArray[np.generic]]:
    """Return the means over so many lines of each document."""
    return {
        name: share(layout.per_doc(lines.docs, column), num_lines)
        for name, column in values.items()
    }


def _lines(layout: Layout) -> Spans:
    """Return lines between line feeds, without the empty one after a last line feed."""
    lines = layout.lines
    last = np.append(lines.docs[1:] != lines.docs[:-1], True)
    return lines[~(last & (lines.lengths == 0))]


def _of_repetition(words: Sequence) -> dict[str, NDArray[np.generic]]:
    chars = np.bincount(words.docs, words.lengths, minlength=words.num_docs)
    ends = np.concatenate([[0], np.cumsum(words.lengths)])
    values: dict[str, NDArray[np.generic]] = {}
    for found in repeats(words, max(REPEATED_NGRAMS)):
        if found.n in TOP_NGRAMS:
            start, count = top_occurrence(words, found)
            first = np.maximum(start, 0)
            last = np.minimum(first + found.n, len(words.keys))
            length = np.where(start < 0, 0, ends[last] - ends[first])
            values[f"rps_doc_frac_chars_top_{found.n}gram"] = share(count * length, chars)
        else:
            inside = covered(words, found.starts, found.n)
            values[f"rps_doc_frac_chars_dupe_{found.n}grams"] = share(inside, chars)
    return values


REDPAJAMA_V2 = PerExample(
    name="redpajama_v2",
    version=2,
    kind="text",
    reads=("text",),
    columns={
        "rps_doc_num_sentences": "sentences",
        "rps_doc_word_count": "normal words",
        "rps_doc_mean_word_length": "mean characters of those, accents apart",
        "rps_doc_symbol_to_word_ratio": "`#` and ellipses per raw word",
        "rps_doc_frac_no_alph_words": "share of raw words without an ASCII letter",
        "rps_doc_frac_all_caps_words": "share of raw words whose letters are capitals",
        "rps_doc_frac_unique_words": "different words over words",
        "rps_doc_unigram_entropy": "entropy of the words in nats",
        "rps_doc_lorem_ipsum": "`lorem ipsum` per character",
        "rps_doc_curly_bracket": "curly brackets per character",
        "rps_doc_frac_lines_end_with_ellipsis": "share of lines that end in an ellipsis",
        "rps_lines_ending_with_terminal_punctution_mark": "share of lines that end in . ! ? ” (spelt as published)",
        "rps_lines_start_with_bulletpoint": "share of lines that start with a bullet point",
        "rps_lines_uppercase_letter_fraction": "share of capitals in a line, mean over lines",
        "rps_lines_num_words": "normal words in a line, mean over lines",
        "rps_lines_numerical_chars_fraction": "share of numerals in a normal line, mean over lines",
        "rps_lines_javascript_counts": "normal words `javascript` in a line, mean over lines",
        **{
            f"rps_doc_frac_chars_top_{n}gram": f"share of characters of the most frequent {n}-gram"
            for n in TOP_NGRAMS
        },
        **{
            f"rps_doc_frac_chars_dupe_{n}grams": f"share of characters in {n}-grams that repeat"
            for n in REPEATED_NGRAMS
        },
    },
    compute=_signals,
)
