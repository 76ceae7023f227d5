"""SQuAD and DROP against real documents: what a hashed index finds is what searching the text finds."""

import json
import re
import unicodedata
from pathlib import Path

import numpy as np
import pytest
import zstandard

from assay.audit.contamination import Match, find_matches
from assay.audit.ngrams import TextIndex, build_index
from assay.signals.text.words import Words
from assay.suite.files import write_suite

REAL = Path(__file__).parents[2] / ".." / "shared" / "data" / "text"
PASSAGES = {
    "squad_bpb": re.compile(r"Background: (.*?)\nQuestion:", re.S),
    "drop_bpb": re.compile(r"Passage: (.*?)\nQuestion:", re.S),
}

pytestmark = [
    pytest.mark.realdata,
    pytest.mark.slow,
    pytest.mark.skipif(not REAL.is_dir(), reason="real data is not here"),
]


def lines(path: Path) -> list[dict]:
    with zstandard.open(path, "rt", encoding="utf-8") as stream:
        return [json.loads(line) for line in stream]


def gold(record: dict) -> str:
    """Return the first answer; DROP has some that are lists of spans."""
    answer = record["choices"][0]
    return answer if isinstance(answer, str) else ", ".join(answer)


def plain(text: str) -> list[str]:
    return re.findall(r"[^\W_]+", unicodedata.normalize("NFKC", text).lower())


def test_real_overlaps_are_those_of_a_plain_search(tmp_path: Path) -> None:
    records = {task: lines(REAL / "eval" / f"{task}.jsonl.zst") for task in PASSAGES}
    tasks = {
        task: (
            [{"context": one["query"], "continuation": gold(one)} for one in rows],
            {"group": "g", "form": "exact"},
        )
        for task, rows in records.items()
    }
    suite = write_suite("s", 1, tasks, tmp_path / "suite")
    parts, windows = build_index(suite, tmp_path / "suite")
    index = TextIndex(tuple(parts), windows)
    grams: dict[str, set[tuple[str, int]]] = {}
    for task, rows in records.items():
        for item, one in enumerate(rows):
            found = PASSAGES[task].search(one["query"])
            assert found
            words = plain(found[1])
            for start in range(len(words) - 12):
                grams.setdefault(" ".join(words[start : start + 13]), set()).add((task, item))
    searched: set[tuple[int, str, int]] = set()
    matches: list[Match] = []
    # Two of twelve shards: they hold some of the overlaps, and plain Python takes its time.
    texts = [
        one["text"] for shard in (0, 5) for one in lines(REAL / f"pool/shard_{shard:08d}.jsonl.zst")
    ]
    for start in range(0, len(texts), 500):
        batch = texts[start : start + 500]
        matches += find_matches(Words.of(batch), start + np.arange(len(batch)), index)
    for row, text in enumerate(texts):
        words = plain(text)
        for start in range(len(words) - 12):
            for task, item in grams.get(" ".join(words[start : start + 13]), ()):
                searched.add((row, task, item))
    found = {(match.row, match.task, match.item) for match in matches}
    assert len(searched) > 5
    assert searched <= found
    # What is found besides is in the question or the title, or is the passage's seam with its label.
    for row, task, item in found - searched:
        whole = " ".join(plain(f"{records[task][item]['query']} {gold(records[task][item])}"))
        words = plain(texts[row])
        assert any(" ".join(words[i : i + 13]) in whole for i in range(len(words) - 12))
