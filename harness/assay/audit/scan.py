"""One pass over what a submission selects: every text or image is read once, for all findings."""

import multiprocessing
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from functools import lru_cache
from itertools import islice
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from assay.audit.contamination import Match, find_matches
from assay.audit.duplicates import NUM_HASHES, content_keys
from assay.audit.language import scripts_of
from assay.audit.ngrams import TextIndex, load_index
from assay.console import progress
from assay.pool import ImageTextPool, Pool, load_pool
from assay.selection import Selection
from assay.signals.clip.fingerprints import Fingerprints
from assay.signals.text.minhash import signatures
from assay.signals.text.words import Words

BATCH_BYTES = 1_000_000
"""Text hashed at a time: arrays of it stay near the processor."""

TASK_BYTES = 16_000_000
TASK_IMAGES = 2_000


@dataclass(frozen=True, eq=False)
class Selected:
    """The different examples of a selection, in the order in which they are stored.

    Attributes:
        rows: (n,) row in the pool.
        start: (n,) first token shown; all 0 for whole documents and pairs.
        stop: (n,) one after the last token shown; all 0 for pairs.
        times: (n,) how often one pass over every stage shows the example.
    """

    rows: NDArray[np.int64]
    start: NDArray[np.int64]
    stop: NDArray[np.int64]
    times: NDArray[np.int64]

    def __len__(self) -> int:
        return len(self.rows)

    @property
    def tokens(self) -> NDArray[np.int64]:
        """Tokens of each example; 0 of a pair."""
        return self.stop - self.start

    @classmethod
    def of(cls, selection: Selection, pool: Pool | ImageTextPool) -> "Selected":
        """Join the stages of a selection."""
        columns: list[NDArray[np.int64]] = []
        for stage in selection.stages:
            nothing = np.zeros(len(stage.rows), dtype=np.int64)
            spans = (stage.spans.start, stage.spans.stop) if stage.spans else (nothing, nothing)
            columns.append(np.stack([stage.rows, *spans, stage.repeats]).astype(np.int64))
        joined = np.concatenate(columns, axis=1)
        keys, inverse = np.unique(joined[:3], axis=1, return_inverse=True)
        times = np.bincount(inverse.reshape(-1), weights=joined[3]).astype(np.int64)
        order = np.lexsort((keys[1], pool.positions[keys[0]]))
        rows, start, stop = keys[:, order]
        return cls(rows, start, stop, times[order])


@dataclass(frozen=True, eq=False)
class TextFindings:
    """What the texts of a selection say.

    Attributes:
        matches: Items of the suite in them.
        keys: (n,) equal for equal texts.
        signed: (n, 64) MinHash signatures.
        scripts: Letters by script.
        num_bytes: UTF-8 bytes read.
    """

    matches: list[Match]
    keys: NDArray[np.uint64]
    signed: NDArray[np.uint32]
    scripts: Counter[str]
    num_bytes: int


def scan_texts(pool: Pool, selected: Selected, index_path: Path, workers: int = 1) -> TextFindings:
    """Read every selected text once.

    Args:
        pool: Where they are.
        selected: Which.
        index_path: Folder of the suite's index.
        workers: Processes; with one, nothing is started.
    """
    sizes = pool.n_bytes[selected.rows].astype(np.int64)
    cuts = np.flatnonzero(np.diff(np.cumsum(sizes) // TASK_BYTES)) + 1
    tasks = [
        (pool.where, index_path, part)
        for part in np.split(np.stack([selected.rows, selected.start, selected.stop]), cuts, axis=1)
    ]
    found = list(_run(_scan_part, tasks, workers, "reading documents"))
    return TextFindings(
        [match for part in found for match in part.matches],
        np.concatenate([part.keys for part in found]),
        np.concatenate([part.signed for part in found]),
        sum((part.scripts for part in found), Counter()),
        sum(part.num_bytes for part in found),
    )


def scan_images(pool: ImageTextPool, selected: Selected, workers: int = 1) -> Fingerprints:
    """Fingerprint every selected image, in order."""
    cuts = range(TASK_IMAGES, len(selected), TASK_IMAGES)
    tasks = [(pool.where, rows) for rows in np.split(selected.rows, cuts)]
    return Fingerprints.joined(_run(_fingerprint_part, tasks, workers, "reading images"))


def _run(
    work: Callable[..., Any], tasks: Sequence[tuple[Any, ...]], workers: int, what: str
) -> Iterator[Any]:
    """Yield the result of each task, in order."""
    with progress(what, len(tasks), "parts") as bar:
        if workers == 1:
            for task in tasks:
                yield work(*task)
                bar.update()
            return
        context = multiprocessing.get_context("spawn")
        with ProcessPoolExecutor(workers, mp_context=context) as executor:
            for result in executor.map(work, *zip(*tasks, strict=True)):
                yield result
                bar.update()


def _scan_part(where: str, index_path: Path, part: NDArray[np.int64]) -> TextFindings:
    pool, index = _open_pool(where), _open_index(index_path)
    assert isinstance(pool, Pool)
    rows, start, stop = part
    matches: list[Match] = []
    keys, signed = [np.empty(0, np.uint64)], [signatures(Words.of([]), 0, NUM_HASHES)]
    scripts: Counter[str] = Counter()
    texts, num_bytes, place = _texts(pool, rows, start, stop), 0, 0
    ends = np.cumsum(pool.n_bytes[rows], dtype=np.int64) // BATCH_BYTES
    for size in np.unique(ends, return_counts=True)[1]:
        batch = list(islice(texts, int(size)))
        words = Words.of(batch)
        matches += find_matches(words, rows[place : place + size], index)
        keys.append(content_keys(batch))
        signed.append(signatures(words, len(batch), NUM_HASHES))
        scripts += scripts_of(batch)
        num_bytes += sum(len(text.encode("utf-8")) for text in batch)
        place += int(size)
    return TextFindings(matches, np.concatenate(keys), np.concatenate(signed), scripts, num_bytes)


def _texts(
    pool: Pool, rows: NDArray[np.int64], start: NDArray[np.int64], stop: NDArray[np.int64]
) -> Iterator[str]:
    """Yield what is shown: documents as they are stored, chunks of them from their tokens."""
    if not start.any() and (stop == pool.n_tokens[rows]).all():
        yield from pool.texts(rows)
        return
    tokenizer = pool.tokenizer()
    for row, first, last in zip(rows, start, stop, strict=True):
        yield tokenizer.decode(pool.tokens(int(row))[first:last].tolist())


def _fingerprint_part(where: str, rows: NDArray[np.int64]) -> Fingerprints:
    pool = _open_pool(where)
    assert isinstance(pool, ImageTextPool)
    return Fingerprints.of(pool.image_bytes(int(row)) for row in rows)


@lru_cache(maxsize=1)
def _open_pool(where: str) -> Pool | ImageTextPool:
    return load_pool(where)


@lru_cache(maxsize=1)
def _open_index(path: Path) -> TextIndex:
    return load_index(path)
