"""The quality signals of RedPajama-V2 that need no model and no list of words.

Source:
    Weber et al. (2024), https://arxiv.org/abs/2411.12372, and its code
    (`app/src/core/quality_signals`): raw words are WordPunct tokens; normal words are lower-case, without
    ASCII punctuation, cut at white space. Signals of lines, which it gives line by line, are their mean over
    the lines of a document. Left out: perplexity, classifiers, importance weights, and what needs the lists
    of stop words, bad words (LDNOOBW) and bad hosts (UT1). Accents are left as they stand, where it takes
    them apart (NFD).
"""

import string

import numpy as np
from numpy.typing import NDArray

from assay.signals.columns import Columns, Examples, PerExample
from assay.signals.text.characters import DIGIT, LETTER, UPPER, WORD
from assay.signals.text.gopher import count_ellipses, ends_with_ellipsis, starts_with
from assay.signals.text.layout import Layout, Spans, compact, layout_of, share
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
    sequence = Sequence(plain.hashes(words), words.lengths, words.docs, len(plain))
    return compact(
        _of_words(layout, plain, sequence) | _of_lines(layout, plain) | _of_repetition(sequence)
    )


def _of_words(layout: Layout, plain: Layout, words: Sequence) -> dict[str, NDArray[np.generic]]:
    tokens = layout.tokens
    num_tokens, num_words = layout.per_doc(tokens.docs), layout.per_doc(words.docs)
    is_letter = (layout.flags & LETTER) != 0
    ascii_letters, letters = (
        layout.before(is_letter & (layout.codes < 128)),
        layout.before(is_letter),
    )
    capitals = layout.before((layout.flags & UPPER) != 0)
    no_letter = ascii_letters[tokens.stops] == ascii_letters[tokens.starts]
    num_capitals = capitals[tokens.stops] - capitals[tokens.starts]
    all_caps = (num_capitals > 0) & (num_capitals == letters[tokens.stops] - letters[tokens.starts])
    symbols = count_ellipses(layout) + _count(layout, layout.codes == ord("#"))
    sentences = layout.pieces(np.isin(layout.codes, _SENTENCE_MARKS))
    in_words = layout.before((layout.flags & WORD) != 0)
    spoken = in_words[sentences.stops] > in_words[sentences.starts]
    braces = _count(layout, (layout.codes == ord("{")) | (layout.codes == ord("}")))
    ipsum = plain.per_doc(plain.doc_of(plain.places(b"lorem ipsum")))
    different, entropy = _diversity(words)
    return {
        "rps_doc_num_sentences": layout.per_doc(sentences.docs[spoken]),
        "rps_doc_word_count": num_words,
        "rps_doc_mean_word_length": share(layout.per_doc(words.docs, words.lengths), num_words),
        "rps_doc_symbol_to_word_ratio": share(symbols, num_tokens),
        "rps_doc_frac_no_alph_words": share(layout.per_doc(tokens.docs[no_letter]), num_tokens),
        "rps_doc_frac_all_caps_words": share(layout.per_doc(tokens.docs[all_caps]), num_tokens),
        "rps_doc_frac_unique_words": share(different, num_words),
        "rps_doc_unigram_entropy": entropy,
        "rps_doc_lorem_ipsum": share(ipsum, plain.num_characters),
        "rps_doc_curly_bracket": share(braces, layout.num_characters),
    }


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


def _of_lines(layout: Layout, plain: Layout) -> dict[str, NDArray[np.generic]]:
    lines = _lines(layout)
    plain_lines = _lines(plain)
    num_lines = layout.per_doc(lines.docs)
    marks = np.isin(layout.codes[np.maximum(layout.stripped(lines).stops - 1, 0)], _LINE_MARKS)
    ended = marks & (layout.stripped(lines).lengths > 0)
    capitals = layout.before((layout.flags & UPPER) != 0)
    digits = plain.before((plain.flags & DIGIT) != 0)
    words = plain.words.starts
    per_line = {
        "rps_doc_frac_lines_end_with_ellipsis": ends_with_ellipsis(layout, lines),
        "rps_lines_ending_with_terminal_punctution_mark": ended,
        "rps_lines_start_with_bulletpoint": starts_with(layout, lines, _BULLETS),
        # The line feed belongs to the line, there.
        "rps_lines_uppercase_letter_fraction": share(
            capitals[lines.stops] - capitals[lines.starts], lines.lengths + 1
        ),
    }
    per_plain_line = {
        "rps_lines_num_words": words.searchsorted(plain_lines.stops)
        - words.searchsorted(plain_lines.starts),
        "rps_lines_numerical_chars_fraction": share(
            digits[plain_lines.stops] - digits[plain_lines.starts], plain_lines.lengths
        ),
    }
    return {
        name: share(layout.per_doc(docs, values), num_lines)
        for docs, columns in ((lines.docs, per_line), (plain_lines.docs, per_plain_line))
        for name, values in columns.items()
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
    version=1,
    kind="text",
    reads=("text",),
    columns={
        "rps_doc_num_sentences": "sentences",
        "rps_doc_word_count": "normal words",
        "rps_doc_mean_word_length": "mean characters of those",
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
        "rps_lines_numerical_chars_fraction": "share of digits in a normal line, mean over lines",
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
