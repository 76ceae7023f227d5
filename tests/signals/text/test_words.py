"""Hashed words against plain Python on the same texts."""

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from assay.signals.text.words import Words, normal_form

TEXTS = st.lists(st.text(alphabet="aB9 .\n\u00e9\u201c\u3002,\x00", max_size=40), max_size=6)


def windows(texts: list[str], size: int) -> list[tuple[str, ...]]:
    """Return every run of words within a text."""
    found = []
    for text in texts:
        words = normal_form(text).split()
        found += [tuple(words[i : i + size]) for i in range(len(words) - size + 1)]
    return found


def test_the_normal_form_is_lower_case_words_and_single_spaces() -> None:
    assert (
        normal_form("H\u00c9llo,  \u201cWorld\u201d \u2014 it\u2019s \u2460\u3002Fine_x")
        == "h\u00e9llo world it s 1 fine x"
    )
    assert normal_form("\uff21\uff22\uff23 na\u0131\u0308ve") == normal_form("abc na\u0131\u0308ve")
    assert normal_form(" .\n") == ""


@settings(max_examples=60)
@given(TEXTS, st.integers(1, 5))
def test_grams_are_equal_where_and_only_where_the_words_are(texts: list[str], size: int) -> None:
    words = Words.of(texts)
    hashes = words.grams(size)[words.within_text(size)].tolist()
    expected = windows(texts, size)
    assert len(hashes) == len(expected)
    by_words: dict[tuple[str, ...], int] = {}
    for window, value in zip(expected, hashes, strict=True):
        assert by_words.setdefault(window, value) == value
    assert len(set(by_words.values())) == len(by_words)


@settings(max_examples=60)
@given(TEXTS, st.integers(1, 12))
def test_spans_are_bytes_of_one_text_from_the_start_of_a_word(
    texts: list[str], length: int
) -> None:
    words = Words.of(texts)
    hashes, places = words.spans(length)
    expected = []
    for text in texts:
        data = normal_form(text).encode()
        starts = [i for i in range(len(data)) if data[i] != 32 and (i == 0 or data[i - 1] == 32)]
        expected += [data[i : i + length] for i in starts if i + length <= len(data)]
    assert len(hashes) == len(expected)
    assert len(set(hashes.tolist())) == len(set(expected))
    for place, span in zip(places, expected, strict=True):
        start = int(words.starts[place])
        assert words.data[start : start + length].tobytes() == span


def test_a_hash_does_not_depend_on_what_stands_before() -> None:
    alone, after = Words.of(["the old baker"]), Words.of(["x" * 70_000, "so: the old baker"])
    assert alone.grams(3)[0] == after.grams(3)[-1]
    assert alone.spans(8)[0][0] == after.spans(8)[0][-2]


def test_breaks_are_ends_of_sentences_lines_and_texts() -> None:
    words = Words.of(["One two. Three, four\nfive", "six \u3002 seven"])
    assert words.breaks.tolist() == [True, False, True, False, True, True, True, True]
    assert np.array_equal(words.texts, [0, 0, 0, 0, 0, 1, 1])
