"""Signals of duplication: what is looked up once a document, and the clusters that come of it."""

import numpy as np
from numpy.typing import NDArray

from assay.pool import Pool
from assay.signals.clusters import clusters_of
from assay.signals.columns import Columns, Examples, PerExample, PoolInputs, WholePool
from assay.signals.text.batches import documents_of
from assay.signals.text.exact import content_keys
from assay.signals.text.minhash import band_keys, near_duplicates
from assay.signals.text.paragraphs import BloomFilter, repeated
from assay.signals.text.words import Words

_BYTES_A_WORD = 4
"""Fewest, about, in any language with spaces: how much room the filter is given."""


def _keys(examples: Examples) -> Columns:
    texts = examples.table.column("text").to_pylist()
    words = Words.of(texts)
    return {
        "content_key": content_keys(texts, words),
        "minhash_bands": band_keys(words, len(texts)),
    }


DUPLICATE_KEYS = PerExample(
    name="duplicate_keys",
    version=1,
    kind="text",
    reads=("text",),
    columns={
        "content_key": "hash of the words in order, without case and punctuation",
        "minhash_bands": "14 hashes of eight MinHash values each, over runs of five words",
    },
    compute=_keys,
)


def _exact(inputs: PoolInputs) -> Columns:
    found = clusters_of(np.asarray(inputs.signal("content_key")))
    return {"exact_cluster": found.first, "exact_cluster_size": _counts(found.size)}


EXACT_DUPLICATES = WholePool(
    name="exact_duplicates",
    version=1,
    kind="text",
    columns={
        "exact_cluster": "lowest row with the same words in the same order",
        "exact_cluster_size": "documents that have them, at least 1",
    },
    compute=_exact,
    needs=("content_key",),
)


def _minhash(inputs: PoolInputs) -> Columns:
    found = near_duplicates(inputs.signal("minhash_bands"))
    return {"minhash_cluster": found.first, "minhash_cluster_size": _counts(found.size)}


MINHASH_DUPLICATES = WholePool(
    name="minhash",
    version=1,
    kind="text",
    columns={
        "minhash_cluster": "lowest row of the cluster of near-duplicates",
        "minhash_cluster_size": "documents of that cluster, at least 1",
    },
    compute=_minhash,
    needs=("minhash_bands",),
)


def _repeated(inputs: PoolInputs) -> Columns:
    assert isinstance(inputs.pool, Pool)
    before = BloomFilter(int(inputs.pool.n_bytes.sum(dtype=np.int64)) // _BYTES_A_WORD)
    ngrams = np.zeros(inputs.pool.n, dtype=np.float32)
    paragraphs = np.zeros(inputs.pool.n, dtype=np.float32)
    for rows, texts in documents_of(inputs, "looking for repeated paragraphs"):
        found = repeated(texts, before)
        ngrams[rows], paragraphs[rows] = found.ngram_fraction, found.paragraph_fraction
    return {"repeated_ngram_fraction": ngrams, "repeated_paragraph_fraction": paragraphs}


REPEATED_PARAGRAPHS = WholePool(
    name="repeated_paragraphs",
    version=1,
    kind="text",
    columns={
        "repeated_ngram_fraction": "of runs of 13 words, those that an earlier place in the pool has",
        "repeated_paragraph_fraction": "of words, those in paragraphs with 80 % of such runs and more",
    },
    compute=_repeated,
)


def _counts(sizes: NDArray[np.int64]) -> NDArray[np.int32]:
    return sizes.astype(np.int32)
