"""Repetition within a document: equal lines and paragraphs, frequent and repeated n-grams."""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from assay.signals.text.layout import Ints, Layout, Spans
from assay.signals.text.words import mix

_STEP = np.uint64(0x9E3779B97F4A7C15)
_MAX_BUCKET_BITS = 20


def repeated_spans(layout: Layout, spans: Spans) -> tuple[Ints, Ints]:
    """Return how many spans of each document, and of how many characters, equal an earlier one.

    Returns:
        Two (d,) counts.
    """
    keys = within_documents(layout.hashes(spans), spans.docs)
    order = np.argsort(keys, kind="stable")
    again = order[1:][keys[order][1:] == keys[order][:-1]]
    docs = spans.docs[again]
    chars = layout.per_doc(docs, spans.lengths[again])
    return layout.per_doc(docs), chars.astype(np.int64)


def within_documents(keys: NDArray[np.uint64], docs: Ints) -> NDArray[np.uint64]:
    """Return keys that are equal only for equal keys of one document."""
    # Far from the small numbers that hashes of single characters are made of, or the two could trade places.
    return keys ^ mix(docs.astype(np.uint64) + _STEP)


@dataclass(frozen=True, eq=False)
class Sequence:
    """The words of a batch of documents, in order, as numbers.

    Attributes:
        keys: (w,) equal for equal words.
        lengths: (w,) characters.
        docs: (w,) document, rising.
        num_docs: Documents of the batch.
    """

    keys: NDArray[np.uint64]
    lengths: Ints
    docs: Ints
    num_docs: int


@dataclass(frozen=True, eq=False)
class Repeats:
    """All n-grams of one size that stand in their document more than once.

    Attributes:
        n: Words of each.
        starts: (r,) first word of each occurrence, rising.
        groups: (r,) number of the n-gram: equal for equal n-grams of one document.
        counts: (g,) occurrences of each n-gram.
    """

    n: int
    starts: Ints
    groups: Ints
    counts: Ints


def repeats(words: Sequence, longest: int) -> Iterator[Repeats]:
    """Yield the repeated n-grams of 2 to `longest` words.

    An n-gram can repeat only where both (n-1)-grams within it do, so that there is less to look at
    with every size.
    """
    keys = within_documents(words.keys, words.docs)
    starts = np.flatnonzero(words.docs[:-1] == words.docs[1:])
    grams = keys
    for n in range(2, longest + 1):
        # `grams` has the keys of all (n-1)-grams; of those that straddle documents nobody asks.
        grams = grams[:-1] * _STEP + keys[n - 1 :] if len(grams) > 1 else grams[:0]
        starts, groups, counts = _equal(mix(grams[starts]), starts)
        yield Repeats(n, starts, groups, counts)
        follows = starts[1:] == starts[:-1] + 1
        starts = starts[:-1][follows]
        starts = starts[starts + n < len(keys)]
        starts = starts[words.docs[starts] == words.docs[starts + n]]


def _equal(keys: NDArray[np.uint64], starts: Ints) -> tuple[Ints, Ints, Ints]:
    """Return the starts whose key is not the only one, in order, with groups and their counts."""
    # Most are alone; a table of counts sees that faster than sorting does.
    bits = min((8 * len(keys)).bit_length(), _MAX_BUCKET_BITS)
    buckets = (keys >> np.uint64(64 - max(bits, 1))).astype(np.int64)
    kept = np.bincount(buckets)[buckets] > 1
    keys, starts = keys[kept], starts[kept]
    order = np.argsort(keys, kind="stable")
    sorted_keys = keys[order]
    new = np.ones(len(keys), dtype=np.bool_)
    new[1:] = sorted_keys[1:] != sorted_keys[:-1]
    sizes = np.diff(np.flatnonzero(new), append=len(keys))
    several = sizes > 1
    groups = np.repeat(np.cumsum(several) - 1, sizes)
    kept = np.repeat(several, sizes)
    by_start = np.argsort(order[kept], kind="stable")
    return starts[np.sort(order[kept])], groups[kept][by_start], sizes[several]


def top_occurrence(words: Sequence, found: Repeats) -> tuple[Ints, Ints]:
    """Return the most frequent n-gram of each document, the first among equals.

    Returns:
        (d,) its first word, -1 where no n-gram repeats; and (d,) its occurrences, 1 there.
    """
    start = np.full(words.num_docs, -1, dtype=np.int64)
    count = np.ones(words.num_docs, dtype=np.int64)
    docs = words.docs[found.starts]
    occurrences = found.counts[found.groups]
    # Written backwards by count and place, the last write is the most frequent and earliest.
    order = np.lexsort((-found.starts, occurrences))
    start[docs[order]] = found.starts[order]
    count[docs[order]] = occurrences[order]
    return start, count


def skipping_starts(found: Repeats) -> Ints:
    """Return where n-grams stand that were seen before, skipping what each covers, as datatrove counts.

    From left to right: an n-gram that was seen is counted and the words that it covers are passed over;
    one that was not is remembered, and the next word is looked at.
    """
    seen: set[int] = set()
    counted: list[int] = []
    free = -1
    for start, group in zip(found.starts.tolist(), found.groups.tolist(), strict=True):
        if start < free:
            continue
        if group in seen:
            counted.append(start)
            free = start + found.n
        else:
            seen.add(group)
    return np.array(counted, dtype=np.int64)


def covered(words: Sequence, starts: Ints, n: int) -> NDArray[np.int64]:
    """Return the characters of words in the given n-grams, each word counted once: (d,)."""
    depth = np.bincount(starts, minlength=len(words.keys) + n)
    depth -= np.bincount(starts + n, minlength=len(words.keys) + n)
    inside = np.cumsum(depth)[: len(words.keys)] > 0
    chars = np.bincount(words.docs[inside], words.lengths[inside], minlength=words.num_docs)
    return chars.astype(np.int64)
