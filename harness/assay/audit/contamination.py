"""Which selected documents hold which evaluation items, and how much of them.

Two levels. A document OVERLAPS an item where they share a 13-gram, or 50 characters of an item under
13 words: the screen that GPT-3 used, which common phrases pass too. It LEAKS the item where the item
stands in it whole (an item under 13 words: as sentences of its own), or where 80 % of a passage,
question or choice of at least 40 words does: what Llama 2 calls dirty.

Source:
    Brown et al. (2020), appendix C, https://arxiv.org/abs/2005.14165; Touvron et al. (2023), appendix
    A.6, https://arxiv.org/abs/2307.09288.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from assay.audit.ngrams import GRAM_WORDS, SPAN_BYTES, Part, TextIndex
from assay.signals.text.words import Words

LEAK_COVERAGE = 0.8
LONG_WORDS = 40
"""A part of fewer words leaks as a whole or not at all: stories and sums share most of theirs by chance."""

EXCERPT_BYTES = 200


@dataclass(frozen=True)
class Match:
    """An item of the suite in a document.

    Attributes:
        row: Of the document in the pool.
        task: Name of the task.
        item: Position in the item file.
        part: The text of the item that is covered best.
        coverage: Share of that text's words that stand in the document, in (0, 1].
        leaked: Whether it is a leak, or an overlap only.
        span: The document in normal form from the first to the last shared word, at most 200 bytes of it.
    """

    row: int
    task: str
    item: int
    part: Part
    coverage: float
    leaked: bool
    span: str


class Found(Protocol):
    """An item of the suite in an example, of text or of images."""

    @property
    def row(self) -> int:
        """Of the example in the pool."""
        ...

    @property
    def task(self) -> str:
        """Name of the task."""
        ...

    @property
    def item(self) -> int:
        """Position in the task."""
        ...

    @property
    def leaked(self) -> bool:
        """Whether it is a leak, or an overlap only."""
        ...


@dataclass(frozen=True)
class TaskContamination:
    """What of a task stands in the selection.

    Attributes:
        num_items: Items that the scale asks.
        leaked: Of these, items that some selected document leaks.
        overlapping: Of these, items that some selected document leaks or overlaps.
        leaked_fraction: `leaked` of `num_items`.
        overlapping_fraction: `overlapping` of `num_items`.
        documents: Selected documents that leak some of these items.
    """

    num_items: int
    leaked: int
    overlapping: int
    leaked_fraction: float
    overlapping_fraction: float
    documents: int


def find_matches(words: Words, rows: NDArray[np.int64], index: TextIndex) -> list[Match]:
    """Find every item in a batch of documents.

    Args:
        words: The documents'.
        rows: (k,) row of each document.
        index: The suite's.

    Returns:
        The best match of each pair of a document and an item, by row, task and item.
    """
    places, windows = _hits(words, index)
    if not len(places):
        return []
    texts, parts = words.texts[places], windows["part"].astype(np.int64)
    order = np.lexsort((windows["start"], parts, texts))
    places, windows, texts, parts = places[order], windows[order], texts[order], parts[order]
    edges = (np.diff(texts) != 0) | (np.diff(parts) != 0)
    groups = np.flatnonzero(np.append(True, edges))
    covered = _covered(windows, groups)
    stops = np.maximum.reduceat(places + windows["words"], groups)
    best: dict[tuple[int, str, int], Match] = {}
    for number, first in enumerate(groups):
        part = index.parts[parts[first]]
        whole = covered[number] >= part.words
        coverage = min(1.0, covered[number] / part.words)
        leaked = (whole and part.part == "solved") or (
            part.words >= LONG_WORDS and coverage >= LEAK_COVERAGE
        )
        span = words.excerpt(int(places[first]), int(stops[number]), EXCERPT_BYTES)
        row = int(rows[texts[first]])
        match = Match(row, part.task, part.item, part.part, float(coverage), bool(leaked), span)
        key = (row, part.task, part.item)
        if key not in best or _strength(match) > _strength(best[key]):
            best[key] = match
    return [best[key] for key in sorted(best)]


def _strength(match: Match) -> tuple[bool, float]:
    return match.leaked, match.coverage


def _hits(words: Words, index: TextIndex) -> tuple[NDArray[np.int64], NDArray[np.void]]:
    """Return words at which a window of some item starts, and these windows."""
    all_places: list[NDArray[np.int64]] = [np.empty(0, dtype=np.int64)]
    all_windows = [index.windows[:0]]
    for size in index.sizes:
        if size == 0:
            continue
        places, windows = index.look_up(words.grams(size))
        fits = words.within_text(size)[places]
        if size < GRAM_WORDS:
            fits &= words.breaks[places] & words.breaks[places + size]
        all_places.append(places[fits])
        all_windows.append(index.windows[windows[fits]])
    if 0 in index.sizes:
        hashes, starts = words.spans(SPAN_BYTES)
        places, windows = index.look_up(hashes)
        all_places.append(starts[places])
        all_windows.append(index.windows[windows])
    found = np.concatenate(all_windows)
    return np.concatenate(all_places), found


def _covered(windows: NDArray[np.void], groups: NDArray[np.int64]) -> NDArray[np.int64]:
    """Count the words that windows cover, for groups of windows sorted by where they start."""
    starts = windows["start"].astype(np.int64)
    stops = starts + windows["words"]
    group = np.repeat(np.arange(len(groups)), np.diff(groups, append=len(windows)))
    # Lifting each group above all that came before makes one running maximum serve all groups.
    lift = group * (int(stops.max()) + 1)
    before = np.maximum.accumulate(np.append(0, (stops + lift)[:-1])) - lift
    fresh = np.maximum(0, stops - np.maximum(starts, np.maximum(before, 0)))
    return np.add.reduceat(fresh, groups)


def task_contamination(
    matches: Sequence[Found], asked: dict[str, int]
) -> dict[str, TaskContamination]:
    """Count matches by task.

    Args:
        matches: Of all documents.
        asked: Task to the number of its items that the scale asks, the first ones of the file.
    """
    counts: dict[str, TaskContamination] = {}
    for task, num_items in asked.items():
        mine = [match for match in matches if match.task == task and match.item < num_items]
        leaked = len({match.item for match in mine if match.leaked})
        overlapping = len({match.item for match in mine})
        counts[task] = TaskContamination(
            num_items,
            leaked,
            overlapping,
            leaked / num_items,
            overlapping / num_items,
            len({match.row for match in mine if match.leaked}),
        )
    return counts


def flagged_items(matches: Iterable[Found], *, leaked_only: bool) -> dict[str, set[int]]:
    """Return, by task, the items that are leaked, or that are leaked or overlap."""
    flagged: dict[str, set[int]] = {}
    for match in matches:
        if match.leaked or not leaked_only:
            flagged.setdefault(match.task, set()).add(match.item)
    return flagged
