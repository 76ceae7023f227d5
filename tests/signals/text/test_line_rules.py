"""RefinedWeb's lines and RedPajama-V2's signals, against the definitions written out slowly."""

import re
import string
import unicodedata
from collections import Counter

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from assay.signals.text.redpajama_v2 import REDPAJAMA_V2
from assay.signals.text.refinedweb import REFINEDWEB
from text_rules import REAL, compute, real_texts

nltk_tokenize = pytest.importorskip("nltk.tokenize")

COUNTER = re.compile(
    r"^\W*\d(?:,|\.|\d)*(?:K|k|M|m|B|b)?\s+(?:likes|shares|comments|retweets|reposts|quotes|bookmarks|upvotes|"
    r"downvotes|downloads|views|followers)\W*$"
)

PARTS = [
    "The boats go out. ", "SALE NOW ON ", "12", "345 likes", "3k views", "\n", "\n\n", "Word", " ", "3 Items in Cart ", "Sign-in",
    "read more...", "Read More...\n", "1.2M followers!", "-", "\u2022 one", "\u2013 two", "...", "\u2026", "#", "{", "}", "?", "don't ",
    "lorem ipsum ", "Lorem, Ipsum", "\u00c9t\u00e9 ", "\u00df", "a b a b ", "one two three four five six seven ", "!\u201d", "_", "\u0660",
    "JavaScript ", "\u00bd ", "lorem\n ipsum", "\u4e09", "\t", "U\u4e09 ",
]  # fmt: skip
pages = st.lists(st.sampled_from(PARTS), max_size=40).map("".join)


def removed_words(text: str) -> float:
    """RefinedWeb's rules for lines, as DCLM writes them, each on the whole document."""
    removed = 0
    for line in text.split("\n"):
        words = len(line.split())
        share = {
            kind: sum(map(kind, line)) / max(len(line), 1) for kind in (str.isupper, str.isdigit)
        }
        if (
            words == 1
            or share[str.isupper] > 0.5
            or share[str.isdigit] > 1 - 1e-6
            or COUNTER.search(line.lower())
        ):
            removed += words
        elif words <= 10:
            lowered = line.lower()
            removed += 3 * ("items in cart" in lowered) + lowered.startswith("sign-in")
            removed += 2 * lowered.endswith("read more...")
    return removed / max(len(text.split()), 1)


def normal(text: str) -> str:
    text = text.translate(str.maketrans("", "", string.punctuation)).lower()
    return unicodedata.normalize("NFD", re.sub(r"\s+", " ", text.strip()))


def redpajama(text: str) -> dict[str, float]:
    """RedPajama-V2's signals by their definitions."""
    raw = nltk_tokenize.wordpunct_tokenize(text)
    plain = normal(text)
    words = plain.split()
    lines = re.findall(r"[^\n]*\n|[^\n]+$", text)
    plain_lines = [normal(line) for line in lines]
    counts, chars = Counter(words), max(sum(map(len, words)), 1)
    shares = np.array(list(counts.values())) / max(len(words), 1)

    def mean(values):
        return sum(values) / max(len(values), 1)

    found = {
        "rps_doc_num_sentences": len(re.findall(r"\b[^.!?]+[.!?]*", text)),
        "rps_doc_word_count": len(words),
        "rps_doc_mean_word_length": mean([len(word) for word in words]),
        "rps_doc_symbol_to_word_ratio": sum(map(text.count, ("#", "...", "\u2026"))) / max(len(raw), 1),
        "rps_doc_frac_no_alph_words": mean([not re.search("[a-zA-Z]", word) for word in raw]),
        "rps_doc_frac_all_caps_words": mean([word.isupper() for word in raw]),
        "rps_doc_frac_unique_words": len(counts) / max(len(words), 1),
        "rps_doc_unigram_entropy": float(-(shares * np.log(shares)).sum()),
        "rps_doc_lorem_ipsum": plain.count("lorem ipsum") / max(len(plain), 1),
        "rps_doc_curly_bracket": (text.count("{") + text.count("}")) / max(len(text), 1),
        "rps_doc_frac_lines_end_with_ellipsis": mean([line.rstrip().endswith(("...", "\u2026")) for line in lines]),
        "rps_lines_ending_with_terminal_punctution_mark": mean([line.rstrip().endswith((".", "!", "?", "\u201d")) for line in lines]),
        "rps_lines_start_with_bulletpoint": mean([line.lstrip().startswith(("\u2022", "\u2013")) for line in lines]),
        "rps_lines_num_words": mean([len(line.split()) for line in plain_lines]),
        "rps_lines_uppercase_letter_fraction": mean([sum(map(str.isupper, line)) / len(line) for line in lines]),
        "rps_lines_numerical_chars_fraction": mean([sum(map(str.isnumeric, line)) / max(len(line), 1) for line in plain_lines]),
        "rps_lines_javascript_counts": mean([line.split().count("javascript") for line in plain_lines]),
    }  # fmt: skip
    for n in range(2, 11):
        ngrams = Counter(tuple(words[i : i + n]) for i in range(len(words) - n + 1))
        if n < 5:
            top, count = max(ngrams.items(), key=lambda item: item[1], default=((), 0))
            value = sum(map(len, top)) * count / chars if count > 1 else 0.0
            found[f"rps_doc_frac_chars_top_{n}gram"] = value
        else:
            inside = {
                k
                for i in range(len(words) - n + 1)
                if ngrams[tuple(words[i : i + n])] > 1
                for k in range(i, i + n)
            }
            found[f"rps_doc_frac_chars_dupe_{n}grams"] = sum(len(words[k]) for k in inside) / chars
    return found


def compare(texts: list[str]) -> None:
    ours = compute(REDPAJAMA_V2, texts)
    for i, text in enumerate(texts):
        for name, value in redpajama(text).items():
            assert ours[name][i] == pytest.approx(value, rel=1e-5, abs=1e-7), (name, text[:200])


@settings(max_examples=60)
@given(st.lists(pages, min_size=1, max_size=3))
def test_redpajamas_signals_are_their_definitions(texts):
    compare(texts)


@settings(max_examples=60)
@given(st.lists(pages, min_size=1, max_size=3))
def test_refinedwebs_lines_are_cut_out_as_dclm_does(texts):
    found = compute(REFINEDWEB, texts)["refinedweb_removed_words"]
    assert found == pytest.approx([removed_words(text) for text in texts], rel=1e-6)


def test_a_document_of_counters_and_calls_is_dropped():
    prose = "The harbour lies at the mouth of a slow brown river.\n" * 3
    texts = [prose, prose + "345 likes\n12 shares", prose + "Read more...", prose + "MENU"]
    kept = compute(REFINEDWEB, texts)["refinedweb_lines_ok"]
    assert kept.tolist() == [True, False, False, True]


@pytest.mark.realdata
@pytest.mark.skipif(not REAL.is_dir(), reason="real data is not here")
def test_the_definitions_hold_on_real_documents():
    texts = [text for text in real_texts(300) if text.isascii()]
    assert len(texts) > 50
    compare(texts)
    found = compute(REFINEDWEB, texts)["refinedweb_removed_words"]
    assert found == pytest.approx([removed_words(text) for text in texts], rel=1e-6)
