"""Items that ask about one passage are recognised by what their contexts begin with."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from assay.suite.passages import BEGINNING, passages


def asked(passage: str, question: str) -> dict[str, object]:
    return {"context": f"{passage}\nQ: {question}\nA:", "continuation": " yes"}


def test_questions_about_a_passage_share_its_label() -> None:
    one, two = "Once there was a harbour. " * 20, "The river froze in May. " * 20
    items = [asked(one, "When?"), asked(two, "When?"), asked(one, "Where?"), asked("", "Who?")]
    assert passages(items).tolist() == [0, 1, 0, 2]


def test_an_instruction_that_all_contexts_begin_with_is_no_passage() -> None:
    instruction = "Answer the question about abstract algebra. " * 10
    items = [asked(instruction, f"{n} and {n}?") for n in range(4)]
    assert passages(items).tolist() == [0, 1, 2, 3]
    assert passages(items[:1]).tolist() == [0]
    assert passages([{"text": "a document"}] * 2).tolist() == [0, 1]


@given(st.lists(st.integers(0, 4), min_size=2, max_size=20).filter(lambda w: len(set(w)) > 1))
def test_labels_are_the_passages_whatever_the_order(which: list[int]) -> None:
    texts = [chr(97 + n) * (BEGINNING + 1) for n in range(5)]
    found = passages([asked(texts[n], f"{i}?") for i, n in enumerate(which)])
    assert sorted(set(found.tolist())) == list(range(len(set(which))))
    same = np.equal.outer(which, which)
    assert (np.equal.outer(found, found) == same).all()
