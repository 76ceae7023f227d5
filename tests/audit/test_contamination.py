"""Planted leaks, and what only looks like one."""

from pathlib import Path

import numpy as np
import pytest

from assay.audit.contamination import Match, find_matches, flagged_items, task_contamination
from assay.audit.ngrams import TextIndex, build_index, item_parts, load_index, suite_index
from assay.foundry import documents
from assay.signals.text.words import Words
from assay.suite import Suite, Task
from assay.suite.embedded import embedded_tasks
from assay.suite.files import write_suite

PASSAGE = (
    "Older than the game by twenty three years the regatta between the two schools was the original "
    "source of their rivalry and it is still held every year in June on the river in the eastern part "
    "of the state where the crews of both are among the best of the whole country"
)
ITEMS = {
    "short": ("choice", [{"context": "The pet of Ada is", "choices": ["a cat.", "a dog."], "gold": 0}]),
    "middle": (
        "choice",
        [{"context": "Carl brings 4 apples. He sells 2 of them, and that leaves", "choices": ["2 apples.", "3 apples."],
          "gold": 0}],
    ),
    "wide": (
        "choice",
        [{"context": "The extraordinarily courageous investigator", "choices": ["photographed hippopotamuses.", "x."],
          "gold": 0}],
    ),
    "passage": (
        "exact",
        [{"context": f"Title: Regatta\nBackground: {PASSAGE}.\nQuestion: when is it?\nAnswer:", "continuation": "June"}],
    ),
    "heldout": ("text", [{"text": f"{PASSAGE}. And then something else follows that no document has."}]),
}  # fmt: skip


@pytest.fixture
def index(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> TextIndex:
    monkeypatch.setenv("ASSAY_HOME", str(tmp_path / "home"))
    tasks = {
        name: (items, {"group": "g", "form": form, "normalization": "none"})
        for name, (form, items) in ITEMS.items()
    }
    suite = write_suite("s", 1, tasks, tmp_path / "suite")
    return load_index(suite_index(suite, tmp_path / "suite", tmp_path / "no-seal.json"))


def found(index: TextIndex, text: str) -> dict[str, Match]:
    """Return matches of one document by task; other documents stand around it."""
    words = Words.of(["The pet of Ada", text, "is a cat. Nothing else."])
    matches = find_matches(words, np.array([7, 8, 9]), index)
    assert {match.row for match in matches} <= {8}
    return {match.task: match for match in matches}


@pytest.mark.parametrize(
    ("text", "task", "leaked"),
    [
        ("Some page.\nThe PET of Ada is \u201ca cat\u201d. More.", "short", True),
        ("We know that the pet of Ada is a cat.", "short", None),
        ("The pet of Ada is a cat and a dog.", "short", None),
        ("The pet of Ada is a dog.", "short", None),
        ("x Carl brings 4 apples; he sells 2 of them and that leaves 2 apples, y", "middle", True),
        ("Carl brings 4 apples. He sells 2 of them, and that leaves 2 pears.", "middle", False),
        ("so the extraordinarily courageous investigator photographed it", "wide", False),
        (f"Page. {PASSAGE}! More.", "passage", True),
        (f"Page. {' '.join(PASSAGE.split()[:-8])} elsewhere.", "passage", True),
        (" ".join(PASSAGE.split()[:20]), "passage", False),
        (" ".join(PASSAGE.split()[:12]), "passage", None),
    ],
)
def test_what_is_a_leak_an_overlap_or_nothing(
    index: TextIndex, text: str, task: str, leaked: bool | None
) -> None:
    match = found(index, text).get(task)
    assert (match and match.leaked) == leaked


def test_a_match_says_what_is_shared(index: TextIndex) -> None:
    match = found(index, f"Page. {' '.join(PASSAGE.split()[:20])} elsewhere")["passage"]
    assert match.part == "context"
    assert match.coverage == pytest.approx(20 / (len(PASSAGE.split()) + 1))
    assert match.span == " ".join(PASSAGE.lower().split()[:20])
    assert found(index, f"{PASSAGE}. Bye.")["heldout"].leaked


def test_counts_are_of_items_that_the_scale_asks() -> None:
    matches = [
        Match(row, "t", item, "solved", 1.0, leaked, "")
        for row, item, leaked in ((1, 0, True), (2, 0, True), (2, 1, False), (3, 9, True))
    ]
    counted = task_contamination(matches, {"t": 4, "u": 2})
    assert (counted["t"].leaked, counted["t"].overlapping, counted["t"].documents) == (1, 2, 2)
    assert counted["t"].overlapping_fraction == 0.5
    assert counted["u"].leaked == 0
    assert flagged_items(matches, leaked_only=True) == {"t": {0, 9}}
    assert flagged_items(matches, leaked_only=False) == {"t": {0, 1, 9}}


def test_a_schema_is_solved_by_its_right_context() -> None:
    task = Task("t", "g", "schema", "sha256:", 1)
    item = {"contexts": ["A because", "B because"], "continuation": "she fell.", "gold": 1}
    assert next(item_parts(task, item)) == ("solved", "B because she fell.")


def test_what_many_parts_share_is_the_suites_own_boilerplate(tmp_path: Path) -> None:
    head = "answer the following question with the name of a town in the north of the country"
    items = [{"context": f"{head} number {i}", "continuation": "York"} for i in range(150)]
    suite = write_suite("s", 1, {"t": (items, {"group": "g", "form": "exact"})}, tmp_path / "suite")
    parts, windows = build_index(suite, tmp_path / "suite")
    index = TextIndex(tuple(parts), windows)
    assert find_matches(Words.of([head]), np.array([0]), index) == []
    (match,) = find_matches(Words.of([f"{head} number 7 York"]), np.array([0]), index)
    assert match.item == 7


@pytest.fixture(scope="module")
def foundry(tmp_path_factory: pytest.TempPathFactory) -> tuple[Suite, Path]:
    folder = tmp_path_factory.mktemp("suite") / "foundry-text"
    return write_suite("foundry-text", 1, embedded_tasks(), folder), folder


@pytest.mark.slow
def test_every_planted_leak_of_ten_thousand_documents_is_found(foundry: tuple[Suite, Path]) -> None:
    parts, windows = build_index(*foundry)
    index = TextIndex(tuple(parts), windows)
    planted: set[tuple[int, str]] = set()
    matches: list[Match] = []
    for start in range(0, 10_000, 1_000):
        pages = list(documents(start, start + 1_000))
        rows = np.arange(start, start + len(pages))
        planted |= {
            (int(r), p.truth.leaked_item)
            for r, p in zip(rows, pages, strict=True)
            if p.truth.leaked_item
        }
        matches += find_matches(Words.of([page.text for page in pages]), rows, index)
    leaks = {(match.row, f"{match.task}:{match.item}") for match in matches if match.leaked}
    assert len(planted) == 100
    assert len(leaks & planted) / len(planted) >= 0.99
    assert len(leaks & planted) / len(leaks) >= 0.95
    # The screen alone would not do: common phrases pass it.
    assert len(matches) > 10 * len(leaks)
