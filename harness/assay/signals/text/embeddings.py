"""TF-IDF of hashed words and pairs of words, brought down to few dimensions by a truncated SVD.

Source:
    Deerwester et al. (1990), latent semantic analysis, https://doi.org/10.1002/(SICI)1097-4571(199009)41:6.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from assay.order import drawn_words
from assay.signals.text.ngrams import Grams

if TYPE_CHECKING:
    from scipy.sparse import csr_array

DIMENSIONS = 128
BUCKETS = 65_536
SAMPLE_DOCUMENTS = 10_000
"""What the weights and directions are learnt from, at most."""


@dataclass(frozen=True, eq=False)
class Embedding:
    """A fitted map from texts to vectors.

    Attributes:
        idf: (b,) inverse document frequency of each bucket.
        directions: (b, d) right singular vectors.
    """

    idf: NDArray[np.float32]
    directions: NDArray[np.float32]

    @classmethod
    def fit(
        cls, batches: Sequence[Sequence[str]], *, dimensions: int = DIMENSIONS, seed: int = 0
    ) -> "Embedding":
        """Learn from texts.

        Args:
            batches: The texts, in lists of some hundred.
            dimensions: At most; fewer where there are fewer texts.
            seed: Of the vector that the solver starts from.
        """
        from scipy.sparse import csr_array, vstack
        from scipy.sparse.linalg import svds

        counts = csr_array(vstack([Grams.of(batch, BUCKETS).counts(BUCKETS) for batch in batches]))
        num_texts = len(counts.indptr) - 1
        frequency = np.bincount(counts.indices, minlength=BUCKETS)
        idf = (np.log((1 + num_texts) / (1 + frequency)) + 1).astype(np.float32)
        weighted = _weigh(counts, idf)
        start = drawn_words(min(num_texts, BUCKETS), "embedding start", seed) / 2.0**64 - 0.5
        rank = min(dimensions, num_texts - 1)
        _, values, right = svds(weighted, k=rank, v0=start.astype(np.float32))
        directions = np.asarray(right)[np.argsort(-np.asarray(values), kind="stable")]
        return cls(idf, np.ascontiguousarray(_upright(directions).T))

    def transform(self, texts: Sequence[str]) -> NDArray[np.float32]:
        """Return vectors of length 1, (n, d); all 0 for a text without a known word."""
        found = _weigh(Grams.of(texts, BUCKETS).counts(BUCKETS), self.idf) @ self.directions
        return found / np.maximum(np.linalg.norm(found, axis=1, keepdims=True), 1e-12)


def _weigh(counts: "csr_array", idf: NDArray[np.float32]) -> "csr_array":
    """Return (1 + log count) * idf, rows of length 1: scikit-learn's smooth idf and sublinear tf."""
    from scipy.sparse import csr_array

    num_texts = len(counts.indptr) - 1
    values = (1 + np.log(counts.data)) * idf[counts.indices]
    texts = np.repeat(np.arange(num_texts), np.diff(counts.indptr))
    norms = np.sqrt(np.bincount(texts, values * values, minlength=num_texts))
    values /= np.maximum(norms, 1e-12)[texts]
    return csr_array(
        (values.astype(np.float32), counts.indices, counts.indptr), shape=(num_texts, BUCKETS)
    )


def _upright(directions: NDArray[np.float32]) -> NDArray[np.float32]:
    """Turn each direction so that its largest component is positive: the solver leaves signs open."""
    largest = directions[np.arange(len(directions)), np.abs(directions).argmax(axis=1)]
    return directions * np.sign(largest)[:, None]
