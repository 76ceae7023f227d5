import pytest
from hypothesis import given
from hypothesis import strategies as st

from assay.canonical import digest_bytes
from assay.errors import SuiteError
from assay.suite.items import check_items, items_from_bytes, items_to_bytes

GOOD = {
    "choice": {"context": "", "choices": ["a", "b"], "gold": 1},
    "schema": {"contexts": ["a", "b"], "continuation": "c", "gold": 0},
    "exact": {"context": "a", "continuation": "b"},
    "text": {"text": "a"},
}


@pytest.mark.parametrize("form", GOOD)
def test_a_good_item_passes(form):
    check_items(form, [GOOD[form]], "t")


@pytest.mark.parametrize(
    ("form", "change", "said"),
    [
        ("choice", {"gold": 2}, "gold must be a position in choices, 0 to 1, got 2"),
        ("choice", {"gold": -1}, "gold must be"),
        ("choice", {"gold": True}, "gold must be"),
        ("choice", {"gold": "1"}, "gold must be"),
        ("choice", {"choices": ["a"]}, "two or more"),
        ("choice", {"choices": ["a", " "]}, "more than white space"),
        ("choice", {"choices": ["a", 7]}, "more than white space"),
        ("choice", {"context": " \n"}, "context must be empty or hold"),
        ("choice", {"context": None}, "context must be"),
        ("schema", {"contexts": "ab"}, "contexts must be a list"),
        ("schema", {"continuation": ""}, "continuation must hold"),
        ("exact", {"context": ""}, "context must hold"),
        ("exact", {"continuation": "  "}, "continuation must hold"),
        ("text", {"text": ""}, "text is empty"),
        ("text", {"text": ["a"]}, "text is empty"),
        ("text", {"extra": 1}, "has the keys"),
    ],
)
def test_an_item_that_cannot_be_scored_is_refused_by_number(form, change, said):
    with pytest.raises(SuiteError, match=f"t item 1: .*{said}"):
        check_items(form, [GOOD[form], {**GOOD[form], **change}], "t")


def test_an_item_that_is_no_object_is_refused():
    with pytest.raises(SuiteError, match="t item 0"):
        check_items("text", ["a"], "t")  # type: ignore[list-item]


def test_no_items_are_refused():
    with pytest.raises(SuiteError, match="no items"):
        check_items("text", [], "t")


def test_half_a_surrogate_pair_is_refused():
    with pytest.raises(SuiteError, match=r"surrogate pair after .*ab"):
        items_to_bytes([{"text": "ab\ud800c"}])


@given(st.lists(st.fixed_dictionaries({"text": st.text(st.characters(codec="utf-8"))}), max_size=6))
def test_any_text_comes_back_whatever_line_ends_it_holds(items):
    data = items_to_bytes(items)
    assert data.count(b"\n") == len(items)
    assert items_from_bytes(data, digest_bytes(data), "f", "") == items


def test_a_line_that_is_no_json_is_named():
    data = b'{"text":"a"}\n{"text":\n'
    with pytest.raises(SuiteError, match="f:2: not a JSON object"):
        items_from_bytes(data, digest_bytes(data), "f", "fetch it again")
