import re

import numpy as np
import pytest

from assay.errors import SuiteError
from assay.suite.continuation import CONTINUATION_WORDS, continuation_items, heldout_tasks
from assay.suite.files import write_suite
from assay.suite.items import check_items

RNG = np.random.default_rng(2)
WORDS = [
    "amber",
    "birch",
    "cedar",
    "delta",
    "ember",
    "fjord",
    "grove",
    "haven",
    "inlet",
    "jetty",
    "knoll",
    "larch",
]


def sentence():
    words = RNG.choice(WORDS, size=RNG.integers(6, 14)).tolist()
    return " ".join(words).capitalize() + RNG.choice([".", "!", "?", ".\n", ".\n\n"])


DOCUMENTS = [" ".join(sentence() for _ in range(RNG.integers(8, 30))) for _ in range(40)]


def test_items_are_of_the_form_choice_with_four_choices():
    items = continuation_items(DOCUMENTS, 0, 30)
    check_items("choice", items, "t")
    assert len(items) == 30
    assert {len(item["choices"]) for item in items} == {4}
    assert len({item["gold"] for item in items}) == 4


def test_the_gold_follows_its_context_in_one_document_and_no_other_choice_does():
    texts = [" ".join(document.split()) for document in DOCUMENTS]
    for item in continuation_items(DOCUMENTS, 0, 60):
        context = " ".join(item["context"].split())
        joined = [f"{context} {' '.join(choice.split())}" for choice in item["choices"]]
        homes = [{i for i, text in enumerate(texts) if join in text} for join in joined]
        assert homes[item["gold"]]
        assert all(not home for n, home in enumerate(homes) if n != item["gold"])


def test_distractors_are_true_continuations_from_three_different_other_documents():
    for item in continuation_items(DOCUMENTS, 0, 200):
        (home,) = (i for i, text in enumerate(DOCUMENTS) if item["context"] in text)
        sources = [
            next(i for i, text in enumerate(DOCUMENTS) if choice in text)
            for n, choice in enumerate(item["choices"])
            if n != item["gold"]
        ]
        assert len({home, *sources}) == 4


def test_contexts_end_with_a_sentence_or_a_line():
    for item in continuation_items(DOCUMENTS, 0, 40):
        assert re.search(r"[.!?]$", item["context"])
        assert len(item["choices"][item["gold"]].split()) == CONTINUATION_WORDS


def test_the_length_of_a_choice_does_not_give_it_away():
    """By length, the right answer is at every rank equally often, ranks shared where lengths tie."""
    shares = np.zeros(4)
    items = continuation_items(DOCUMENTS, 0, 300)
    for item in items:
        lengths = np.array([len(choice) for choice in item["choices"]])
        own = lengths[item["gold"]]
        first, ties = (lengths < own).sum(), (lengths == own).sum()
        shares[first : first + ties] += 1 / ties
    assert len(items) > 250
    assert all(0.18 < share < 0.32 for share in shares / len(items))


def test_same_arguments_same_items_and_another_seed_other_items():
    assert continuation_items(DOCUMENTS, 0, 20) == continuation_items(DOCUMENTS, 0, 20)
    assert continuation_items(DOCUMENTS, 0, 20) != continuation_items(DOCUMENTS, 1, 20)
    assert continuation_items(DOCUMENTS, 0, 20) == continuation_items(DOCUMENTS, 0, 40)[:20]


@pytest.mark.parametrize(
    "documents",
    [[], DOCUMENTS[:3], ["word " * 500] * 9, ["Too short. Really."] * 9, ["漢字。" * 400] * 9],
)
def test_documents_that_cannot_be_continued_make_no_items(documents):
    assert continuation_items(documents, 0, 10) == []


def test_copies_of_documents_never_put_the_right_answer_in_twice():
    items = continuation_items(DOCUMENTS[:2] * 10, 0, 100)
    assert items
    assert all(len(set(item["choices"])) == 4 for item in items)


def test_every_domain_becomes_two_tasks(tmp_path, capsys):
    domains = {"wiki": DOCUMENTS[:20], "news": DOCUMENTS[20:], "peps": DOCUMENTS[:3]}
    tasks = heldout_tasks(domains, seed=0, count=15)
    assert sorted(tasks) == [
        "continuation_news", "continuation_wiki", "heldout_news", "heldout_peps", "heldout_wiki",
    ]  # fmt: skip
    assert "'peps': too few long documents" in capsys.readouterr().err
    suite = write_suite("private", 1, tasks, tmp_path / "s")
    assert {task.form for task in suite.tasks if task.group == "heldout"} == {"text"}
    assert [task.num_items for task in suite.tasks] == [15, 15, 20, 20, 3]


def test_no_domain_with_continuations_is_refused():
    with pytest.raises(SuiteError, match="no domain has 4 documents"):
        heldout_tasks({"peps": DOCUMENTS[:3]})
