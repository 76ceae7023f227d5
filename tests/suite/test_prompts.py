import pytest
from hypothesis import given
from hypothesis import strategies as st

from assay.suite import Task
from assay.suite.prompts import EXAMPLE_DELIMITER, preamble

ITEMS = [{"context": f"Q{i}:", "choices": [f"a{i}", f"b{i}"], "gold": i % 2} for i in range(20)]


def task(form="choice", shots=5, name="t", delimiter=" "):
    return Task(name, "g", form, "sha256:0", 20, shots=shots, delimiter=delimiter)


def shown(text):
    return text.removesuffix(EXAMPLE_DELIMITER).split(EXAMPLE_DELIMITER)


def test_no_shots_are_an_empty_text():
    assert preamble(task(shots=0), ITEMS, 3) == ""


@given(st.integers(0, 19), st.integers(1, 19))
def test_an_item_is_never_among_its_own_solved_examples(index, shots):
    examples = shown(preamble(task(shots=shots), ITEMS, index))
    assert len(set(examples)) == shots
    assert not any(example.startswith(f"Q{index}:") for example in examples)


@given(st.integers(0, 19))
def test_a_repetition_of_the_item_is_never_shown_either(index):
    items = [*ITEMS[:3], *[ITEMS[7]] * 17]
    examples = shown(preamble(task(shots=3), items, index))
    if index >= 3:
        assert sorted(examples) == ["Q0: a0", "Q1: b1", "Q2: a2"]


def test_prompts_depend_on_nothing_but_task_items_and_index():
    first = [preamble(task(), ITEMS, i) for i in range(20)]
    assert [preamble(task(), ITEMS, i) for i in reversed(range(20))] == first[::-1]
    assert len(set(first)) == 20
    assert preamble(task(name="other"), ITEMS, 0) != first[0]


def test_the_draws_are_pinned_across_machines_and_versions():
    assert preamble(task(shots=3), ITEMS, 0) == "Q16: a16\nQ17: b17\nQ10: a10\n"


def test_every_other_item_is_drawn_equally_often():
    counts = [0] * 200
    items = [{"context": str(i), "choices": ["x", "y"], "gold": 0} for i in range(200)]
    for index in range(200):
        for example in shown(preamble(task(shots=20), items, index)):
            counts[int(example.split()[0])] += 1
    assert sum(counts) == 200 * 20
    assert max(counts) < 40
    assert min(counts) > 5


@pytest.mark.parametrize(
    ("form", "item", "expected"),
    [
        ("choice", {"context": "c", "choices": ["x", "y"], "gold": 1}, "c y\n"),
        ("schema", {"contexts": ["c", "d"], "continuation": "x", "gold": 1}, "d x\n"),
        ("exact", {"context": "c", "continuation": "x"}, "c x\n"),
    ],
)
def test_a_solved_example_ends_with_its_gold_answer(form, item, expected):
    asked = {**item, "context": "other"} if "context" in item else {**item, "continuation": "z"}
    assert preamble(task(form, shots=1), [asked, item], 0) == expected
