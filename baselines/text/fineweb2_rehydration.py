"""Rehydration: deduplicate and filter, then show a document again the likelier its copies pass the filter.

Claim:  How often a page was copied says something of its worth: clusters of middling size are filtered out
        least. Repeating by that gives FineWeb2 "an additional performance uplift".
Ranks:  above minhash
Source: Penedo et al. 2025, FineWeb2, https://arxiv.org/abs/2506.20920, section on rehydration and the
        released code (`rehydration.py`).
Cost:   That of `minhash` and of the rules: no model.
Form:   weighted
Needs:  Signals minhash, gopher_quality, gopher_repetition, fineweb.

With r(s) the fraction of documents with s copies that the filter removes, r the same of all, and R the most
repeats: 1 where r(s) >= r, else 1 + (R - 1) (r(s) - r) / (min r - r), smoothed over five neighbouring sizes and
rounded. Sizes with fewer than `min_documents` documents are one bin, the last.

Substituted: the filter is Gopher's and FineWeb's rules, where FineWeb2 tunes thresholds by language.
"""

import numpy as np
from numpy.typing import NDArray

from assay.strategy import PoolView
from assay.submission import Submission, submission_of

_WINDOW = 5


def select(
    pool: PoolView, *, seed: int, max_repeats: int = 10, min_documents: int = 50
) -> Submission:
    """Repeat the survivors of deduplication and filter by the size of their cluster."""
    first = np.flatnonzero(pool.signal("minhash_cluster") == np.arange(pool.n))
    size = np.asarray(pool.signal("minhash_cluster_size"))[first]
    rules = ("gopher_quality_ok", "gopher_repetition_ok", "fineweb_ok")
    passed = np.all([np.asarray(pool.signal(rule))[first] for rule in rules], axis=0)
    size = np.minimum(size, _tail(size, min_documents))
    repeats = repeats_by_size(size, passed, max_repeats)[size]
    return submission_of(pool.uids[first[passed]], repeats=repeats[passed].astype(np.uint32))


def _tail(size: NDArray[np.integer], min_documents: int) -> int:
    """Return the first size with too few documents: it and all larger ones are one bin."""
    counts = np.bincount(size)
    return int(np.flatnonzero(np.append(counts[1:], 0) < min_documents)[0]) + 1


def repeats_by_size(
    size: NDArray[np.integer], passed: NDArray[np.bool_], max_repeats: int
) -> NDArray[np.int64]:
    """Return how often a document of each cluster size is shown, from size 0 (never there) on."""
    counts = np.bincount(size)
    removed = np.bincount(size, weights=~passed) / np.maximum(counts, 1)
    overall = float((~passed).mean())
    rates = np.where(counts > 0, removed, overall)[1:]
    lowest = float(rates.min())
    if lowest >= overall:
        return np.ones(len(counts), dtype=np.int64)
    raw = 1 + (max_repeats - 1) * np.maximum((rates - overall) / (lowest - overall), 0.0)
    smooth = raw.copy()
    half = _WINDOW // 2
    for place in range(half, len(raw) - half):
        smooth[place] = raw[place - half : place + half + 1].mean()
    return np.append(1, np.round(smooth).astype(np.int64))
