import hashlib
import json
from collections import Counter

from assay.canonical import canonical_json
from assay.foundry import TASKS, documents, suite_items
from assay.foundry.genres import GENRES
from assay.foundry.items import solved

PINNED = "fa05cb96b18ac6bfb77d1be81e7954c8a7c33519a9077db7e219fa34991b2e9a"
"""Digest of all items. A change of it is a new version of the suite."""

CHOICE_TASKS = [task.name for task in TASKS if task.form != "text"]


def test_the_items_are_pinned() -> None:
    assert hashlib.sha256(canonical_json(suite_items())).hexdigest() == PINNED


def test_every_task_has_its_items_in_its_form() -> None:
    items = suite_items()
    assert list(items) == [task.name for task in TASKS]
    fields = {"choice": {"context", "choices", "gold"}, "text": {"text"}}
    fields["schema"] = {"contexts", "continuation", "gold"}
    for task in TASKS:
        assert len(items[task.name]) == task.num_items
        assert all(set(item) == fields[task.form] for item in items[task.name])
    assert 1900 <= sum(len(items[name]) for name in CHOICE_TASKS) <= 2300
    assert {f"heldout_{genre}" for genre in GENRES} == set(items) - set(CHOICE_TASKS)


def test_items_are_unique_and_short() -> None:
    items = suite_items()
    for name in CHOICE_TASKS:
        texts = [solved(item) for item in items[name]]
        assert len(set(texts)) == len(texts), name
        assert max(map(len, texts)) < 280, name


def test_gold_positions_are_balanced() -> None:
    items = suite_items()
    for name in CHOICE_TASKS:
        counts = Counter(item["gold"] for item in items[name])
        assert max(counts.values()) - min(counts.values()) <= 1, name


def test_no_item_offers_a_choice_twice() -> None:
    for name in CHOICE_TASKS:
        for item in suite_items()[name]:
            options = item["choices"] if "choices" in item else item["contexts"]
            assert len(set(options)) == len(options)
            assert 0 <= item["gold"] < len(options)


def test_sums_have_one_right_answer() -> None:
    for item in suite_items()["arithmetic"]:
        first, second = (int(word) for word in item["context"].split() if word.isdigit())
        adds = "more." in item["context"] or "Together" in item["context"]
        right = first + second if adds else first - second
        results = [int(choice.split()[0]) for choice in item["choices"]]
        assert results[item["gold"]] == right
        assert results.count(right) == 1


def test_an_items_text_stands_in_a_document_only_where_it_was_leaked() -> None:
    texts = {
        f"{name}:{i}": solved(item)
        for name in CHOICE_TASKS
        for i, item in enumerate(suite_items()[name])
    }
    leaked = 0
    for page in documents(0, 2000):
        if page.truth.leaked_item:
            leaked += 1
            assert texts[page.truth.leaked_item] in page.text
        else:
            assert not any(text in page.text for text in texts.values()), page.text
    assert leaked == 20


def test_held_out_pages_are_in_no_document() -> None:
    held = {item["text"] for genre in GENRES for item in suite_items()[f"heldout_{genre}"]}
    assert len(held) == 40 * len(GENRES)
    assert not held & {page.text for page in documents(0, 2000)}


def test_items_are_plain_json() -> None:
    assert json.loads(json.dumps(suite_items())) == suite_items()
