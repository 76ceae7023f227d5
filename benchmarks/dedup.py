"""MinHash deduplication, ours and datasketch's: documents per second, and what either finds of what is there.

Processor time, one core. Both see the same documents, words in runs of five, 14 bands of 8 hashes, and end
with clusters. What there is to find is counted exhaustively: every pair of documents that have a run of words in
common, with its exact Jaccard index. Theory says which share of them any MinHash finds.

Floor: reading a document's bytes once, some 3 GB/s; hashing each of its runs 112 times is 112 multiplications and
comparisons, some 0.1 microseconds a run with vector instructions. datasketch does the latter in numpy
too, one document at a time, after a Python loop over the document's runs.

    python benchmarks/dedup.py [--pool NAME] [--documents 5000]
"""

import argparse
import json
import re
import time
from collections.abc import Sequence
from itertools import pairwise

import numpy as np
from datasketch import MinHash, MinHashLSH
from numpy.typing import NDArray

from assay.foundry import documents
from assay.pool import Pool
from assay.signals.clusters import cluster, clusters_of
from assay.signals.text.batches import batched
from assay.signals.text.minhash import BANDS, ROWS, SHINGLE_WORDS, band_keys, near_duplicates
from assay.signals.text.words import Words

ROUNDS = 3
WORD = re.compile(r"[^\W_]+")
MOST_HOLDERS = 200
"""Runs of words that more documents have are boilerplate and make no candidates."""


def ours(texts: Sequence[str]) -> NDArray[np.int64]:
    """Return clusters by our code, from texts on."""
    keys = [band_keys(Words.of(part), len(part)) for part in batched(texts)]
    return near_duplicates(np.concatenate(keys)).first


def theirs(texts: Sequence[str]) -> NDArray[np.int64]:
    """Return clusters by datasketch, as its documentation does it."""
    index = MinHashLSH(num_perm=BANDS * ROWS, params=(BANDS, ROWS))
    one, other = [], []
    for place, text in enumerate(texts):
        words = WORD.findall(text.lower())
        runs = {" ".join(words[i : i + SHINGLE_WORDS]) for i in range(len(words) - 4)}
        if not runs:
            continue
        signed = MinHash(BANDS * ROWS)
        signed.update_batch([run.encode() for run in runs])
        for found in index.query(signed):
            one.append(place)
            other.append(found)
        index.insert(place, signed)
    links = np.array(one, dtype=np.int64), np.array(other, dtype=np.int64)
    return clusters_of(cluster(len(texts), links)).first


def similar_pairs(texts: Sequence[str]) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
    """Return every pair with a Jaccard index of 0.5 and more, (k, 2), and the indices."""
    sets = []
    for part in batched(texts):
        words = Words.of(part)
        inside = words.within_text(SHINGLE_WORDS)
        grams, numbers = words.grams(SHINGLE_WORDS)[inside], words.texts[: len(inside)][inside]
        bounds = np.searchsorted(numbers, np.arange(len(part) + 1))
        sets += [np.unique(grams[a:b]) for a, b in pairwise(bounds)]
    owner = np.repeat(np.arange(len(sets)), [len(one) for one in sets])
    grams = np.concatenate(sets)
    order = np.argsort(grams, kind="stable")
    edges = np.flatnonzero(np.diff(grams[order])) + 1
    candidates = set()
    for holders in np.split(owner[order], edges):
        if 1 < len(holders) <= MOST_HOLDERS:
            candidates |= {(a, b) for a in holders.tolist() for b in holders.tolist() if a < b}
    pairs, indices = [], []
    for a, b in candidates:
        common = len(np.intersect1d(sets[a], sets[b], assume_unique=True))
        index = common / (len(sets[a]) + len(sets[b]) - common)
        if index >= 0.5:
            pairs.append((a, b))
            indices.append(index)
    return np.array(pairs).reshape(-1, 2), np.array(indices)


def quality(
    first: NDArray[np.int64], pairs: NDArray[np.int64], index: NDArray[np.float64]
) -> dict[str, float]:
    """Return which share of the similar pairs is joined, and which share of joined pairs is similar."""
    joined = first[pairs[:, 0]] == first[pairs[:, 1]]
    sizes = np.bincount(first)
    return {
        "recall_0.8": float(joined[index >= 0.8].mean()),
        "recall_0.9": float(joined[index >= 0.9].mean()),
        "precision_0.5": float(joined.sum() / (sizes * (sizes - 1) // 2).sum()),
        "removed": float((first != np.arange(len(first))).mean()),
    }


def main() -> None:
    """Time both in turn, so that a slow machine slows both."""
    parser = argparse.ArgumentParser(description="MinHash, ours and datasketch's.")
    parser.add_argument("--pool", help="a text pool; without it foundry-text is generated")
    parser.add_argument("--documents", type=int, default=5_000)
    options = parser.parse_args()
    if options.pool:
        pool = Pool.open(options.pool)
        texts = list(pool.texts(np.arange(min(options.documents, pool.n))))
    else:
        texts = [page.text for page in documents(0, options.documents)]
    seconds: dict[str, list[float]] = {"ours": [], "datasketch": []}
    found = {}
    for _ in range(ROUNDS):
        for name, find in (("ours", ours), ("datasketch", theirs)):
            began = time.process_time()
            found[name] = find(texts)
            seconds[name].append(time.process_time() - began)
    pairs, index = similar_pairs(texts)
    high = index[index >= 0.8]
    rates = {name: len(texts) / float(np.median(taken)) for name, taken in seconds.items()}
    answer = {
        "documents": len(texts),
        "megabytes": sum(len(text.encode()) for text in texts) / 1e6,
        "documents_per_second": {name: round(rate) for name, rate in rates.items()},
        "ratio": round(rates["ours"] / rates["datasketch"], 2),
        "similar_pairs": {"0.5": len(index), "0.8": len(high), "0.9": int((index >= 0.9).sum())},
        "recall_0.8_by_theory": float((1 - (1 - high**ROWS) ** BANDS).mean()),
        **{name: quality(first, pairs, index) for name, first in found.items()},
    }
    print(json.dumps(answer, indent=2))


if __name__ == "__main__":
    main()
