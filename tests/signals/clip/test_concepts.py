"""Concepts in captions, beside MetaCLIP's algorithm written out."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from assay.errors import SignalError
from assay.foundry.scenes import ScenesSource
from assay.pool import build_image_text_pool, pool_path
from assay.signals.build import build_signals, want
from assay.signals.clip.concepts import ConceptMatches, concept_list, threshold_of_tail

words = st.lists(
    st.sampled_from(["a", "b", "B", "star", "a,", "star.", "?b", "star`s", "a\tb", "\r\n", ""]),
    max_size=8,
)
captions = st.lists(words.map(" ".join), min_size=1, max_size=12)
CONCEPTS = ["a", "a b", "b star", "star", "star .", "a b star", ","]


def named_by(caption: str) -> set[str]:
    """What MetaCLIP's released `spacing` and `substr_matching` say: an entry between spaces is part of it."""
    puncts_to_wrap = [",", ".", ";", ":", "?", "!", "`"]
    chars_to_space = ["\t", "\n", "\r"]
    spaced = f" {caption} "
    for char in puncts_to_wrap:
        spaced = spaced.replace(char, f" {char} ")
    for char in chars_to_space:
        spaced = spaced.replace(char, " ")
    return {concept for concept in CONCEPTS if f" {concept} " in spaced}


@given(captions)
def test_matching_is_that_of_substrings(captions):
    found = ConceptMatches.of(captions, CONCEPTS)
    for row, caption in enumerate(captions):
        named = np.flatnonzero(found.matrix.toarray()[row])
        assert {CONCEPTS[place] for place in named} == named_by(caption)
        assert found.num[row] == len(named)
    counts = [sum(concept in named_by(one) for one in captions) for concept in CONCEPTS]
    assert found.counts.tolist() == counts


@pytest.mark.parametrize(
    ("caption", "named"),
    [
        ("a star`s tip", {"star"}),
        ("red\tstar here", {"star"}),
        ("red\nstar", {"star"}),
        ("red\r\nstar", {"star"}),
        ("a red-star, a star's tip", set()),
        ("Star stars (star) star\xa0here", set()),
    ],
)
def test_marks_and_ends_of_lines_part_words_and_nothing_else_does(caption, named):
    found = ConceptMatches.of([caption], ["star"])
    assert found.num[0] == len(named)
    assert named_by(caption) & {"star"} == named


@given(captions, st.integers(1, 5))
def test_a_caption_is_kept_if_any_of_its_concepts_draws_it(captions, most):
    found = ConceptMatches.of(captions, CONCEPTS)
    counts = dict(zip(CONCEPTS, found.counts.tolist(), strict=True))
    for row, caption in enumerate(captions):
        missed = 1.0
        for concept in named_by(caption):
            missed *= 1 - min(1, most / counts[concept])
        assert found.keep_probability(most)[row] == pytest.approx(1 - missed, abs=1e-12)
        named = [counts[concept] for concept in named_by(caption)]
        assert found.extreme(np.minimum)[row] == min(named, default=0)
        assert found.extreme(np.maximum)[row] == max(named, default=0)


@given(st.lists(st.integers(0, 30), min_size=1, max_size=20), st.floats(0.01, 1))
def test_the_threshold_is_the_smallest_that_leaves_the_tail_below_it(counts, tail):
    total = sum(counts)
    slow = next(
        (t for t in range(1, 32) if sum(c for c in counts if c < t) >= tail * total - 1e-9), 1
    )
    assert threshold_of_tail(np.array(counts), tail) == (slow if total else 1)


@pytest.fixture(scope="module")
def pool(tmp_path_factory):
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("ASSAY_HOME", str(tmp_path_factory.mktemp("home")))
        yield build_image_text_pool([ScenesSource(300)], pool_path("pairs"), name="pairs")


def test_a_list_of_another_content_is_another_signal(pool, tmp_path):
    file = tmp_path / "nouns.txt"
    file.write_text("star\n\n  two stars \nstar\n")
    assert concept_list(pool, str(file)) == ["star", "two stars"]
    first = want("num_concepts", pool, concepts=str(file), reference="foundry-clip-reference-50")
    column = build_signals(pool, [first], workers=1)[0].column("num_concepts")
    expected = [
        sum(f" {c} " in f" {text} " for c in ("star", "two stars")) for text in pool.captions()
    ]
    assert (column >= np.array(expected)).all()  # punctuation is set apart
    assert column.max() == 2 or column.max() == 1
    file.write_text("heart")
    again = want("num_concepts", pool, concepts=str(file), reference="foundry-clip-reference-50")
    assert again.parameters != first.parameters


def test_lists_are_mined_from_the_reference(pool):
    grams = concept_list(pool, "grams", "foundry-clip-reference-200")
    assert "a" in grams
    assert any(" " in gram for gram in grams)
    assert "stars" in concept_list(pool, "nouns")


@pytest.mark.parametrize("text", ["", "\n \n"])
def test_an_empty_or_missing_list_is_refused_in_a_line(pool, tmp_path, text):
    file = tmp_path / "empty.txt"
    file.write_text(text)
    with pytest.raises(SignalError, match="is empty; give a file"):
        concept_list(pool, str(file))
    with pytest.raises(SignalError, match="cannot be read"):
        concept_list(pool, str(tmp_path / "absent.txt"))
