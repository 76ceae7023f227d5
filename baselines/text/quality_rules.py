"""Quality rules: keep what passes the published heuristics of Gopher, C4, FineWeb and RefinedWeb.

Claim:  Heuristics lift raw web text well above random, and model-based filters well above heuristics.
        DCLM 1B-1x, CORE v2: C4 21.1, RefinedWeb 22.6, RedPajama 23.1.
Ranks:  above random
Source: Gopher: Rae et al. 2021, https://arxiv.org/abs/2112.11446, table A1 and section A.1.1.
        C4: Raffel et al. 2020, https://arxiv.org/abs/1910.10683, section 2.2.
        RefinedWeb: Penedo et al. 2023, https://arxiv.org/abs/2306.01116, section G.2.
        FineWeb: Penedo et al. 2024, https://arxiv.org/abs/2406.17557, section 3.6.
Cost:   About half a core-hour for a million documents; no model.
Form:   ids
Needs:  Nothing.

Deviations, all declared: words come from a regular expression, not from a tokenizer of English, and in
lower case; rules that edit a document (C4's and RefinedWeb's lines) drop it instead, where they would
remove more than 5 % of its words, since a submission names documents; no ban lists, no language model.
"""

import operator
import re
import string
from collections import Counter
from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from assay.console import say
from assay.strategy import PoolView

# Gopher, quality
MIN_WORDS, MAX_WORDS = 50, 100_000
MIN_MEAN_WORD_LENGTH, MAX_MEAN_WORD_LENGTH = 3.0, 10.0
MAX_SYMBOLS_PER_WORD = 0.1  # of `#`, and of ellipses
MAX_BULLET_LINES = 0.9
MAX_ELLIPSIS_LINES = 0.3
MIN_ALPHABETIC_WORDS = 0.8
MIN_STOP_WORDS = 2
STOP_WORDS = frozenset({"the", "be", "to", "of", "and", "that", "have", "with"})
# Gopher, repetition: shares of lines or paragraphs, then of characters
MAX_REPEATED_LINES = MAX_REPEATED_PARAGRAPHS = 0.3
MAX_REPEATED_LINE_CHARS = MAX_REPEATED_PARAGRAPH_CHARS = 0.2
MAX_TOP_NGRAM_CHARS = {2: 0.20, 3: 0.18, 4: 0.16}
MAX_REPEATED_NGRAM_CHARS = {5: 0.15, 6: 0.14, 7: 0.13, 8: 0.12, 9: 0.11, 10: 0.10}
# C4
BANNED_TEXTS = ("lorem ipsum", "{")
MIN_SENTENCES = 5
# FineWeb
MIN_LINES_WITH_PUNCTUATION = 0.12
MAX_SHORT_LINES, SHORT_LINE_CHARS = 0.67, 30
MAX_FINEWEB_REPEATED_LINE_CHARS = 0.01
MAX_LINE_FEEDS_PER_WORD = 0.3
# RefinedWeb
MAX_REMOVED_WORDS = 0.05
MAX_UPPERCASE = 0.5

_UPPERCASE = string.ascii_uppercase.encode()
_LETTER = re.compile(r"[^\W\d_]")
_WORD = re.compile(r"[^\W_]+(?:['’][^\W_]+)*")
_SENTENCE_END = re.compile(r"[.!?][\"'”’)]*(?:\s|$)")
_PARAGRAPH = re.compile(r"\n{2,}")
_ELLIPSES = ("...", "…")
_BULLETS = ("•", "-", "*", "●")
_LINE_PUNCTUATION = (".", "'", '"', "!", "?")
# Lines that C4 cuts out, then those of RefinedWeb
_BOILERPLATE = (
    "javascript",
    "terms of use",
    "privacy policy",
    "cookie policy",
    "uses cookies",
    "use of cookies",
    "use cookies",
)
_COUNTER = re.compile(r"\W*\d[\d.,km]*\s+(?:likes?|shares?|comments?|retweets?|views?)\W*")
_CALL_TO_ACTION = re.compile(r"sign.in|log.in|read more|items in cart|share this|subscribe")
_CALL_WORDS = 10
_MULTIPLIER = np.uint64(0x9E3779B97F4A7C15)  # odd, so that no word's number is lost


def select(pool: PoolView, *, seed: int, fraction: float = 1.0) -> NDArray[np.void]:
    """Keep the documents that break no rule, or a random fraction of those."""
    broken: list[str | None] = [None] * pool.n
    for rows, batch in pool.scan():
        for row, text in zip(rows.tolist(), batch["text"].to_pylist(), strict=True):
            if row >= 0:
                broken[row] = broken_rule(text)
    kept = np.flatnonzero([rule is None for rule in broken])
    counts = Counter(rule for rule in broken if rule).most_common()
    broke = ", ".join(f"{rule} {count:,}" for rule, count in counts)
    say(f"kept {len(kept):,} of {pool.n:,}" + (f"; first rule broken: {broke}" if broke else ""))
    order = np.argsort(np.random.PCG64(seed).random_raw(len(kept)), kind="stable")
    return pool.uids[kept[order[: round(fraction * len(kept))]]]


def broken_rule(text: str) -> str | None:
    """Return the first rule that a document breaks, cheap rules first, or None."""
    lowered = text.lower()
    words = _WORD.findall(lowered)
    lines = [stripped for line in text.split("\n") if (stripped := line.strip())]
    if not MIN_WORDS <= len(words) <= MAX_WORDS:
        return "gopher_length"
    return (
        _broken_word_rule(text, lowered, words)
        or _broken_line_rule(lowered, words, lines)
        or _broken_repetition_rule(text, lines)
        or _broken_ngram_rule(len(text), words)
    )


def _broken_word_rule(text: str, lowered: str, words: list[str]) -> str | None:
    mean_length = sum(map(len, words)) / len(words)
    if not MIN_MEAN_WORD_LENGTH <= mean_length <= MAX_MEAN_WORD_LENGTH:
        return "gopher_word_length"
    limit = MAX_SYMBOLS_PER_WORD * len(words)
    if text.count("#") > limit or sum(map(text.count, _ELLIPSES)) > limit:
        return "gopher_symbols"
    tokens = lowered.split()
    num_lettered = sum(map(operator.ne, tokens, text.upper().split()))  # what has letters has case
    if num_lettered < MIN_ALPHABETIC_WORDS * len(tokens):
        return "gopher_alphabetic"
    if len(STOP_WORDS.intersection(words)) < MIN_STOP_WORDS:
        return "gopher_stop_words"
    if any(banned in lowered for banned in BANNED_TEXTS):
        return "c4_banned"
    if len(_SENTENCE_END.findall(text)) < MIN_SENTENCES:
        return "c4_sentences"
    return None


def _broken_line_rule(lowered: str, words: list[str], lines: list[str]) -> str | None:
    if _share(lines, lambda line: line.startswith(_BULLETS)) > MAX_BULLET_LINES:
        return "gopher_bullets"
    if _share(lines, lambda line: line.endswith(_ELLIPSES)) > MAX_ELLIPSIS_LINES:
        return "gopher_ellipsis_lines"
    if _share(lines, lambda line: line.endswith(_LINE_PUNCTUATION)) < MIN_LINES_WITH_PUNCTUATION:
        return "fineweb_punctuation"
    if _share(lines, lambda line: len(line) <= SHORT_LINE_CHARS) > MAX_SHORT_LINES:
        return "fineweb_short_lines"
    if lowered.count("\n") > MAX_LINE_FEEDS_PER_WORD * len(words):
        return "fineweb_line_feeds"
    phrases = [phrase for phrase in _BOILERPLATE if phrase in lowered]
    removed = sum(len(line.split()) for line in lines if _is_cut_out(line, phrases))
    return "refinedweb_lines" if removed > MAX_REMOVED_WORDS * len(words) else None


def _share(lines: list[str], holds: Callable[[str], bool]) -> float:
    return sum(map(holds, lines)) / len(lines)


def _is_cut_out(line: str, phrases: list[str]) -> bool:
    """Return whether C4 (given its phrases) or RefinedWeb would cut this line out."""
    lowered = line.lower()
    if any(phrase in lowered for phrase in phrases):
        return True
    num_words = line.count(" ") + 1
    if num_words <= _CALL_WORDS:
        if num_words == 1 or _CALL_TO_ACTION.search(lowered) or _COUNTER.fullmatch(lowered):
            return True
        if lowered == line and not _LETTER.search(line):
            return True
    encoded = line.encode()
    num_lower = len(encoded.translate(None, delete=_UPPERCASE))
    return len(encoded) - num_lower > MAX_UPPERCASE * len(encoded)


def _broken_repetition_rule(text: str, lines: list[str]) -> str | None:
    if len(lines) == 1:
        return None
    count, chars = _repeated(lines)
    if count > MAX_REPEATED_LINES * len(lines) or chars > MAX_REPEATED_LINE_CHARS * len(text):
        return "gopher_repeated_lines"
    if chars > MAX_FINEWEB_REPEATED_LINE_CHARS * len(text):
        return "fineweb_repeated_lines"
    paragraphs = _PARAGRAPH.split(text.strip())
    count, chars = _repeated(paragraphs)
    if count > MAX_REPEATED_PARAGRAPHS * len(
        paragraphs
    ) or chars > MAX_REPEATED_PARAGRAPH_CHARS * len(text):
        return "gopher_repeated_paragraphs"
    return None


def _repeated(parts: list[str]) -> tuple[int, int]:
    """Return how many parts, and of how many characters, equal an earlier one."""
    different = set(parts)
    return len(parts) - len(different), sum(map(len, parts)) - sum(map(len, different))


def _broken_ngram_rule(text_chars: int, words: list[str]) -> str | None:
    """Check n-grams, as numbers: the same words in a row give the same number."""
    number_of = {word: number for number, word in enumerate(words)}
    numbers = np.fromiter(map(number_of.__getitem__, words), np.uint64, len(words))
    chars = np.fromiter(map(len, words), np.int64, len(words))
    ends = np.concatenate(([0], np.cumsum(chars + 1)))  # each word with the space after it
    ngrams = numbers
    for n in range(2, 11):
        ngrams = ngrams[:-1] * _MULTIPLIER + numbers[n - 1 :]
        order = np.argsort(ngrams, kind="stable")
        is_repeat = np.diff(ngrams[order]) == 0
        if n in MAX_TOP_NGRAM_CHARS:
            top_chars = _top_ngram_chars(n, order, is_repeat, ends)
            if top_chars > MAX_TOP_NGRAM_CHARS[n] * text_chars:
                return f"gopher_top_{n}gram"
            continue
        repeated = _covered_chars(n, order[1:][is_repeat], chars)
        if repeated > MAX_REPEATED_NGRAM_CHARS[n] * text_chars:
            return f"gopher_repeated_{n}gram"
        if repeated <= MAX_REPEATED_NGRAM_CHARS[10] * text_chars:
            return None  # longer repeated n-grams lie within these, and their limits are not lower
    return None


def _top_ngram_chars(
    n: int, order: NDArray[np.intp], is_repeat: NDArray[np.bool_], ends: NDArray[np.int64]
) -> int:
    """Return the characters that the most frequent n-gram takes up."""
    firsts = np.flatnonzero(np.concatenate(([True], ~is_repeat)))
    counts = np.diff(firsts, append=len(order))
    top = int(np.argmax(counts))
    start = order[firsts[top]]
    return int(counts[top] * (ends[start + n] - ends[start] - 1))


def _covered_chars(n: int, starts: NDArray[np.intp], chars: NDArray[np.int64]) -> int:
    """Return the characters of words that lie in an n-gram seen before, each counted once."""
    if not len(starts):
        return 0
    depth = np.bincount(starts, minlength=len(chars) + 1)
    depth -= np.bincount(starts + n, minlength=len(chars) + 1)
    return int(chars[np.cumsum(depth[:-1]) > 0].sum())
