"""Every rule of quality_rules: a document that keeps all of them, and one damage a rule."""

from collections import Counter

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from assay.strategy import load_strategy

MODULE = load_strategy("quality_rules", "text").select.__globals__
broken_rule = MODULE["broken_rule"]

SENTENCES = [
    "The harbour lies at the mouth of a slow brown river.",
    "Every morning the boats go out before the sun is up.",
    "They come back with herring, cod and a little mackerel.",
    "Children wait on the stones and count the masts.",
    "In winter that street is empty, and the nets hang in the sheds.",
    "Old men say they have seen worse storms than this one.",
    "Nobody asks them when, because nobody would believe it.",
    "A new pier was built with money from the capital.",
    "It leans a little already, to be honest.",
    "Still, the view from its end is worth the walk.",
]
GOOD = "\n".join(SENTENCES)


def test_plain_prose_is_kept():
    assert broken_rule(GOOD) is None


@pytest.mark.parametrize(
    ("rule", "text"),
    [
        ("gopher_length", " ".join(SENTENCES[:3])),
        ("gopher_word_length", GOOD + " " + "supercalifragilisticexpialidocious " * 50 + " a" * 5 + "."),
        ("gopher_word_length", "a b to c d of e f " * 20 + ". a. b. c. d. e."),
        ("gopher_symbols", GOOD + " # " * 30),
        ("gopher_symbols", GOOD.replace(" ", "... ", 20)),
        ("gopher_alphabetic", GOOD + " 12 34 56 78 90 ==" * 10),
        ("gopher_stop_words", "Boats return loaded. Nets dry slowly. Gulls scream above. " * 8),
        ("c4_banned", GOOD.replace("capital", "lorem ipsum")),
        ("c4_banned", GOOD + "\nfunction () { return 1; }."),
        ("c4_sentences", GOOD.replace(".", ",", 7).replace("\n", " ")),
        ("gopher_bullets", "\n".join("- " + sentence for sentence in SENTENCES)),
        ("gopher_ellipsis_lines", GOOD.replace(".\n", "...\n", 5)),
        ("fineweb_punctuation", "\n".join(s.replace(".", "") + " so" for s in SENTENCES) + ". A. B. C. D. E."),
        ("fineweb_short_lines", GOOD + "".join(f"\nNumber {w} was seen." for w in "abcdefghijklmnopqrstuvwx")),
        ("fineweb_line_feeds", GOOD.replace("\n", "\n" * 5)),
        ("refinedweb_lines", GOOD + "\nWe use cookies to make this site a better place for you and us all."),
        ("refinedweb_lines", GOOD + "\nTHE BEST NETS AND ROPES IN TOWN AT OUR SHOP."),
        ("refinedweb_lines", GOOD + "".join(f"\n{i} likes" for i in range(4))),
        ("refinedweb_lines", GOOD + "\nSign in to read the rest.\nSubscribe for more of that."),
        ("fineweb_repeated_lines", GOOD + "\n" + SENTENCES[0]),
        ("gopher_repeated_lines", GOOD + "\n" + "\n".join(SENTENCES[:5])),
        ("gopher_top_2gram", GOOD.replace("\n", " ") + " fishing harbour" * 14 + "."),
        ("gopher_repeated_5gram", GOOD.replace("\n", " ") + " " + " ".join(SENTENCES[:3])),
    ],
)  # fmt: skip
def test_each_damage_breaks_its_rule(rule, text):
    assert broken_rule(text) == rule


words = st.lists(st.sampled_from(["a", "bb", "ccc", "dddd"]), min_size=11, max_size=60)


@given(words, st.integers(2, 4))
def test_the_top_ngram_is_the_most_frequent_one(tokens, n):
    ngrams = Counter(" ".join(tokens[i : i + n]) for i in range(len(tokens) - n + 1))
    highest = max(ngrams.values())
    sizes = {len(ngram) * highest for ngram, count in ngrams.items() if count == highest}
    order, is_repeat, ends, _ = numbered(tokens, n)
    assert MODULE["_top_ngram_chars"](n, order, is_repeat, ends) in sizes


@given(words, st.integers(5, 10))
def test_repeated_ngrams_cover_each_character_once(tokens, n):
    seen: set[tuple[str, ...]] = set()
    covered: set[int] = set()
    for i in range(len(tokens) - n + 1):
        ngram = tuple(tokens[i : i + n])
        if ngram in seen:
            covered.update(range(i, i + n))
        seen.add(ngram)
    order, is_repeat, _, chars = numbered(tokens, n)
    expected = sum(len(tokens[i]) for i in covered)
    assert MODULE["_covered_chars"](n, order[1:][is_repeat], chars) == expected


def numbered(tokens: list[str], n: int):
    """Number n-grams the slow way."""
    names: dict[tuple[str, ...], int] = {}
    numbers = [
        names.setdefault(tuple(tokens[i : i + n]), len(names)) for i in range(len(tokens) - n + 1)
    ]
    order = np.argsort(numbers, kind="stable")
    chars = np.array([len(token) for token in tokens])
    ends = np.concatenate(([0], np.cumsum(chars + 1)))
    return order, np.diff(np.array(numbers)[order]) == 0, ends, chars


@given(st.text(max_size=2000))
def test_any_text_is_judged_without_failing(text):
    assert broken_rule(text) is None or isinstance(broken_rule(text), str)


@given(st.lists(st.sampled_from([*SENTENCES, "\n", " ", "- x", "..."]), max_size=60))
def test_any_page_is_judged_the_same_twice(parts):
    text = "".join(parts)
    assert broken_rule(text) == broken_rule(text)
