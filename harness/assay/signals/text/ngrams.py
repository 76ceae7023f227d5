"""Hashed n-grams: words and pairs of words in a fixed number of buckets, the same on every machine.

`ImportanceWeights` is what DSIR makes of them.

Source:
    Xie et al. (2023), https://arxiv.org/abs/2302.03169: lower-case WordPunct tokens, 10,000 buckets,
    log(p + 1e-8) - log(q + 1e-8). The original hashes with SHA-256; any good hash serves.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from assay.signals.text.layout import Layout
from assay.signals.text.words import mix

if TYPE_CHECKING:
    from scipy.sparse import csr_array

BUCKETS = 10_000
_PAIR_BASE = np.uint64(0xD1342543DE82EF95)
_FLOOR = 1e-8


@dataclass(frozen=True, eq=False)
class Grams:
    """The words and pairs of words of a batch of texts.

    Attributes:
        buckets: (g,) bucket of each.
        texts: (g,) number of the text that it is in, rising.
        num_texts: Texts of the batch.
    """

    buckets: NDArray[np.int64]
    texts: NDArray[np.int64]
    num_texts: int

    @classmethod
    def of(cls, texts: Sequence[str], num_buckets: int = BUCKETS) -> "Grams":
        """Hash texts, at least one."""
        layout = Layout.of([text.lower() for text in texts])
        hashes, numbers = layout.token_hashes, layout.tokens.docs
        inside = np.flatnonzero(numbers[1:] == numbers[:-1])
        pairs = mix(hashes[inside] * _PAIR_BASE + hashes[inside + 1])
        both = np.concatenate([numbers, numbers[inside]])
        order = np.argsort(both, kind="stable")
        buckets = np.concatenate([hashes, pairs])[order] % np.uint64(num_buckets)
        return cls(buckets.astype(np.int64), both[order], len(texts))

    def counts(self, num_buckets: int) -> "csr_array":
        """Return how often each text has each bucket, (num_texts, num_buckets), float32."""
        from scipy.sparse import csr_array

        bounds = np.searchsorted(self.texts, np.arange(self.num_texts + 1))
        ones = np.ones(len(self.buckets), dtype=np.float32)
        found = csr_array((ones, self.buckets, bounds), shape=(self.num_texts, num_buckets))
        found.sum_duplicates()
        return found


def bucket_totals(
    batches: Iterable[Sequence[str]], num_buckets: int = BUCKETS
) -> NDArray[np.int64]:
    """Count the buckets of all texts together, (num_buckets,)."""
    totals = np.zeros(num_buckets, dtype=np.int64)
    for batch in batches:
        totals += np.bincount(Grams.of(batch, num_buckets).buckets, minlength=num_buckets)
    return totals


@dataclass(frozen=True, eq=False)
class ImportanceWeights:
    """Two bags of n-grams: how much likelier a text is under the target than under the pool.

    Attributes:
        log_ratio: (b,) of each bucket, natural logarithm.
    """

    log_ratio: NDArray[np.float64]

    @classmethod
    def fit(cls, target: NDArray[np.int64], pool: NDArray[np.int64]) -> "ImportanceWeights":
        """Compare counts of buckets, both (b,)."""
        p, q = target / max(1, target.sum()), pool / max(1, pool.sum())
        return cls(np.log(p + _FLOOR) - np.log(q + _FLOOR))

    def score(self, texts: Sequence[str]) -> NDArray[np.float64]:
        """Return the log importance weight of each text, (n,): a sum over its n-grams, so it grows with length."""
        return self._sums(Grams.of(texts, len(self.log_ratio)))

    def mean_score(self, texts: Sequence[str]) -> NDArray[np.float64]:
        """Return the same over the number of n-grams, (n,): short and long texts compare; 0 for an empty one."""
        grams = Grams.of(texts, len(self.log_ratio))
        sums = self._sums(grams)
        return sums / np.maximum(np.bincount(grams.texts, minlength=len(texts)), 1)

    def _sums(self, grams: Grams) -> NDArray[np.float64]:
        weights = self.log_ratio[grams.buckets]
        return np.bincount(grams.texts, weights, grams.num_texts).astype(np.float64)
