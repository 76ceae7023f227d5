"""The hashed index of a suite's texts: which 13-grams and 50-character spans would give an item away.

A suite's index follows from its item files alone. It is built at first use and kept under
`$ASSAY_HOME/indexes`; the manifest of an embedded suite's is sealed beside the suite.
"""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from assay.artifact import atomic_file, atomic_folder, write_atomic
from assay.audit.index_folder import index_folder, open_index, write_manifest
from assay.canonical import canonical_json, digest_json
from assay.signals.text.words import FORMAT, Words
from assay.spec import plain
from assay.suite import Suite, Task
from assay.suite.files import read_items
from assay.suite.items import Item

GRAM_WORDS = 13
"""GPT-3's n (Brown et al., 2020, appendix C), https://arxiv.org/abs/2005.14165."""

SPAN_BYTES = 50
"""Of items under `GRAM_WORDS` words; characters, counted as bytes of UTF-8."""

MIN_WORDS = 3
"""A shorter item is in every other document."""

TEMPLATE_PARTS = 100
"""A window that so many parts share is the suite's own boilerplate and says nothing of any item."""

TEXTS_AT_ONCE = 1000
PARTS_FILE, WINDOWS_FILE = "parts.json", "windows.npy"

Part = Literal["solved", "context", "choice"]
"""`solved`: context and gold answer together. `context`: a line of a context, such as a passage or a
question. `choice`: an answer to choose from."""

WINDOW_DTYPE = np.dtype(
    [("hash", "<u8"), ("part", "<u4"), ("start", "<u4"), ("words", "<u2"), ("size", "<u2")]
)
"""A window: its hash, the part that it is of, first word there, words that it covers, and its kind:
a number of words, or 0 for a span of `SPAN_BYTES`."""


@dataclass(frozen=True)
class IndexedPart:
    """A text of an item.

    Attributes:
        task: Name of the task.
        item: Position in the item file.
        part: Which of the item's texts it is.
        words: In it.
    """

    task: str
    item: int
    part: Part
    words: int


@dataclass(frozen=True, eq=False)
class TextIndex:
    """A suite's windows, ready to be looked up.

    Attributes:
        parts: Texts of items.
        windows: (n,) `WINDOW_DTYPE`, sorted by hash.
    """

    parts: tuple[IndexedPart, ...]
    windows: NDArray[np.void]

    @cached_property
    def hashes(self) -> NDArray[np.uint64]:
        """The (n,) hashes, sorted."""
        return np.ascontiguousarray(self.windows["hash"])

    @cached_property
    def sizes(self) -> list[int]:
        """Kinds of window that occur."""
        return np.unique(self.windows["size"]).tolist()

    @cached_property
    def _bits(self) -> int:
        return min(27, max(16, (32 * len(self.windows)).bit_length()))

    @cached_property
    def _present(self) -> NDArray[np.bool_]:
        table = np.zeros(1 << self._bits, dtype=np.bool_)
        table[self.hashes >> np.uint64(64 - self._bits)] = True
        return table

    def look_up(self, hashes: NDArray[np.uint64]) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        """Return pairs of positions, in `hashes` and in `windows`, that have the same hash."""
        # Nearly all miss: a table of first bits is some twenty times faster than a binary search.
        maybe = np.flatnonzero(self._present[hashes >> np.uint64(64 - self._bits)])
        left = self.hashes.searchsorted(hashes[maybe], side="left")
        right = self.hashes.searchsorted(hashes[maybe], side="right")
        counts = right - left
        first = np.repeat(left - (np.cumsum(counts) - counts), counts)
        return np.repeat(maybe, counts), first + np.arange(counts.sum())


def suite_index(suite: Suite, folder: Path, sealed: Path) -> Path:
    """Return the folder of a suite's index, building it first where this machine has none.

    Args:
        suite: As sealed.
        folder: Its item files, verified.
        sealed: The manifest that the index has to have, where there is such a file.

    Raises:
        SuiteError: If an item file is absent or altered, or the index is another than the sealed one.
    """
    rules = [FORMAT, GRAM_WORDS, SPAN_BYTES, MIN_WORDS, TEMPLATE_PARTS]
    path = index_folder(suite.name, [*rules, plain(suite)])
    what = f"n-gram index of suite {suite.name}"
    open_index(path, what, lambda to: write_index(to, suite, folder), sealed)
    return path


def load_index(path: Path) -> TextIndex:
    """Open an index's folder."""
    rows = json.loads((path / PARTS_FILE).read_bytes())
    windows = np.load(path / WINDOWS_FILE, mmap_mode="r", allow_pickle=False).view(np.ndarray)
    return TextIndex(tuple(IndexedPart(*row) for row in rows), windows)


def write_index(path: Path, suite: Suite, folder: Path) -> None:
    """Hash a suite into a new folder."""
    parts, windows = build_index(suite, folder)
    with atomic_folder(path) as partial:
        rows = [[part.task, part.item, part.part, part.words] for part in parts]
        write_atomic(partial / PARTS_FILE, canonical_json(rows))
        with atomic_file(partial / WINDOWS_FILE) as stream:
            np.save(stream, windows, allow_pickle=False)
        about = {
            "format": FORMAT,
            "suite": digest_json(plain(suite)),
            "gram_words": GRAM_WORDS,
            "span_bytes": SPAN_BYTES,
            "parts": len(parts),
            "windows": len(windows),
        }
        write_manifest(partial, about)


def build_index(suite: Suite, folder: Path) -> tuple[list[IndexedPart], NDArray[np.void]]:
    """Hash every item of a suite; return its parts, and its windows sorted by hash."""
    parts: list[IndexedPart] = []
    found = [np.empty(0, dtype=WINDOW_DTYPE)]
    for task in suite.tasks:
        texts = [
            (number, *one)
            for number, item in enumerate(read_items(suite, task, folder))
            for one in item_parts(task, item)
        ]
        for start in range(0, len(texts), TEXTS_AT_ONCE):
            numbers, kinds, batch = zip(*texts[start : start + TEXTS_AT_ONCE], strict=True)
            words = Words.of(batch)
            lengths = np.bincount(words.texts, minlength=len(batch))
            least = [MIN_WORDS if kind == "solved" else GRAM_WORDS for kind in kinds]
            kept = lengths >= least
            found.append(_part_windows(words, lengths, kept, len(parts)))
            parts += [
                IndexedPart(task.name, numbers[i], kinds[i], int(lengths[i]))
                for i in np.flatnonzero(kept)
            ]
    windows = np.concatenate(found)
    order = np.lexsort((windows["start"], windows["part"], windows["hash"]))
    return parts, _without_templates(windows[order])


def item_parts(task: Task, item: Item) -> Iterator[tuple[Part, str]]:
    """Yield an item's texts: what gives it away as a whole, then its passages, questions and choices."""
    if task.form == "text":
        yield "solved", item["text"]
        return
    if task.form == "exact":
        contexts, answer, choices = [item["context"]], item["continuation"], []
    elif task.form == "schema":
        contexts, answer, choices = item["contexts"], item["continuation"], []
    else:
        contexts, answer, choices = [item["context"]], None, item["choices"]
    gold = item.get("gold", 0)
    right = choices[gold] if answer is None else answer
    yield "solved", contexts[gold if task.form == "schema" else 0] + task.delimiter + right
    for context in contexts:
        lines = context.splitlines()
        if len(lines) > 1 or task.form == "schema":
            for line in lines:
                yield "context", line
    for choice in choices:
        yield "choice", choice


def solved_text(task: Task, item: Item) -> str:
    """Return an item's context with its gold answer."""
    return next(text for kind, text in item_parts(task, item) if kind == "solved")


def _part_windows(
    words: Words, lengths: NDArray[np.int64], kept: NDArray[np.bool_], next_part: int
) -> NDArray[np.void]:
    """Return all 13-grams of texts; of shorter ones the whole, and their spans of 50 characters.

    Args:
        words: Of a batch of texts.
        lengths: (k,) words of each text.
        kept: (k,) which of them are parts; the others are too short to say anything.
        next_part: Number of the first part among them.
    """
    part = next_part + np.cumsum(kept) - 1
    first_word = np.cumsum(lengths) - lengths
    sizes = np.where(kept, np.minimum(lengths, GRAM_WORDS), -1)
    found: list[NDArray[np.void]] = []

    def add(hashes: NDArray[np.uint64], at: NDArray[np.int64], stops: NDArray[np.int64], size: int):
        windows = np.empty(len(at), dtype=WINDOW_DTYPE)
        text = words.texts[at]
        windows["hash"], windows["part"], windows["size"] = hashes, part[text], size
        windows["start"], windows["words"] = at - first_word[text], stops - at
        found.append(windows)

    for size in range(MIN_WORDS, GRAM_WORDS + 1):
        whole = words.within_text(size)
        at = np.flatnonzero(whole & (sizes[words.texts[: len(whole)]] == size))
        add(words.grams(size)[at], at, at + size, size)
    hashes, at = words.spans(SPAN_BYTES)
    short = (sizes[words.texts[at]] >= MIN_WORDS) & (sizes[words.texts[at]] < GRAM_WORDS)
    stops = words.stops.searchsorted(words.starts[at] + SPAN_BYTES, side="right")
    add(hashes[short], at[short], stops[short], 0)
    return np.concatenate(found)


def _without_templates(windows: NDArray[np.void]) -> NDArray[np.void]:
    """Drop windows that too many parts share; they are sorted by hash."""
    _, inverse, counts = np.unique(windows["hash"], return_inverse=True, return_counts=True)
    return windows[counts[inverse] <= TEMPLATE_PARTS]
