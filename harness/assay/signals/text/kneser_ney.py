"""An n-gram language model over token ids with interpolated modified Kneser-Ney smoothing, all in arrays.

An n-gram is known by its RANK among the sorted different ones of its order, and is found by the rank
of its context times the size of the vocabulary plus its last token.

Source:
    Chen and Goodman (1999), https://doi.org/10.1006/csla.1999.0128; Heafield et al. (2013),
    https://aclanthology.org/P13-2121, whose choices at the edges (`<s>`, `<unk>`, discounts) these are.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

FALLBACK_DISCOUNTS = (0.5, 1.0, 1.5)
"""Where counts of counts allow no estimate, as with little text: lmplz's `--discount_fallback`."""


@dataclass(frozen=True, eq=False)
class Order:
    """All n-grams of one order that training saw.

    Attributes:
        keys: (m,) sorted: rank of the context times the number of symbols, plus the last token.
        log_prob: (m,) log10 probability of the last token after the others.
        log_backoff: (m,) log10 weight of the shorter context where this one is followed by something
            new; 0 for one that nothing followed.
    """

    keys: NDArray[np.int64]
    log_prob: NDArray[np.float64]
    log_backoff: NDArray[np.float64]

    def find(self, keys: NDArray[np.int64]) -> NDArray[np.int64]:
        """Return ranks, -1 for what training did not see."""
        places = np.minimum(self.keys.searchsorted(keys), len(self.keys) - 1)
        return np.where(self.keys[places] == keys, places, -1)


@dataclass(frozen=True, eq=False)
class KneserNey:
    """A trained model.

    Attributes:
        vocab_size: Token ids are below it.
        orders: From unigrams up.
        log_unknown: log10 probability of a token that training did not see.
    """

    vocab_size: int
    orders: tuple[Order, ...]
    log_unknown: float

    @classmethod
    def train(
        cls, sequences: Sequence[NDArray[np.integer]], *, vocab_size: int, order: int = 5
    ) -> "KneserNey":
        """Count and smooth.

        Args:
            sequences: Token ids of each document, without marks.
            vocab_size: One more than the largest id.
            order: Longest n-grams, at least 2.
        """
        tokens, room = _joined(sequences, vocab_size)
        symbols = vocab_size + 2
        counted = _count(tokens, room, symbols, order)
        probs: list[NDArray[np.float64]] = []
        backoffs: list[NDArray[np.float64]] = []
        unknown = 1.0
        for n, grams in enumerate(counted, 1):
            counts = grams.counts if n == order else _continuations(grams, counted[n])
            if n > 1:
                # Nothing stands before `<s>`; alone it is never predicted.
                counts = np.where(grams.first == vocab_size, grams.counts, counts)
            if n == 1:
                prob, unknown = _smooth_unigrams(counts)
            else:
                prob, backoff = _interpolate(grams, counts, symbols, probs[-1])
                backoffs.append(backoff)
            probs.append(prob)
        backoffs.append(np.ones(len(counted[-1].keys)))
        orders = [
            Order(grams.keys, np.log10(prob), np.log10(backoff))
            for grams, prob, backoff in zip(counted, probs, backoffs, strict=True)
        ]
        return cls(vocab_size, tuple(orders), float(np.log10(unknown)))

    def log_probs(
        self, sequences: Sequence[NDArray[np.integer]]
    ) -> tuple[NDArray[np.float64], NDArray[np.int64]]:
        """Score documents.

        Returns:
            The log10 probability of every token and of every document's end, and the number of the
            document that each is of.
        """
        tokens, room = _joined(sequences, self.vocab_size)
        symbols = self.vocab_size + 2
        ranks = np.zeros(len(tokens), dtype=np.int64)
        found = np.full(len(tokens), self.log_unknown)
        for n, order in enumerate(self.orders, 1):
            # `ranks` are of the n - 1 tokens from each place on: contexts of the token after them.
            starts = np.flatnonzero((ranks >= 0) & (room >= n))
            contexts, ends = ranks[starts], starts + n - 1
            longer = order.find(contexts * symbols + tokens[ends])
            if n > 1:
                found[ends] += self.orders[n - 2].log_backoff[contexts]
            found[ends] = np.where(longer >= 0, order.log_prob[longer], found[ends])
            ranks = np.full(len(tokens), -1, dtype=np.int64)
            ranks[starts] = longer
        predicted = tokens != self.vocab_size
        return found[predicted], (np.cumsum(~predicted) - 1)[predicted]

    def perplexities(self, sequences: Sequence[NDArray[np.integer]]) -> NDArray[np.float64]:
        """Return 10 to the mean negative log10 probability of each document's tokens and end, (n,)."""
        found, documents = self.log_probs(sequences)
        return 10 ** -(np.bincount(documents, found) / np.bincount(documents))


@dataclass(frozen=True, eq=False)
class _Counted:
    """The m different n-grams of one order: keys, occurrences, first tokens, ranks without the first token."""

    keys: NDArray[np.int64]
    counts: NDArray[np.int64]
    first: NDArray[np.int64]
    suffix: NDArray[np.int64]


def _joined(
    sequences: Sequence[NDArray[np.integer]], vocab_size: int
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Return all sequences between marks, end to end, and how much of its sequence is left at each place."""
    start, end = np.array([vocab_size]), np.array([vocab_size + 1])
    parts = [part for one in sequences for part in (start, one, end)]
    lengths = np.array([len(one) + 2 for one in sequences])
    stops = np.repeat(np.cumsum(lengths), lengths)
    return np.concatenate(parts).astype(np.int64), stops - np.arange(len(stops))


def _count(
    tokens: NDArray[np.int64], room: NDArray[np.int64], symbols: int, order: int
) -> list[_Counted]:
    found: list[_Counted] = []
    ranks = np.zeros(len(tokens), dtype=np.int64)
    for n in range(1, order + 1):
        starts = np.flatnonzero(room >= n)
        keys, first, inverse, counts = np.unique(
            ranks[starts] * symbols + tokens[starts + n - 1],
            return_index=True,
            return_inverse=True,
            return_counts=True,
        )
        where = starts[first]
        suffix = ranks[where + 1] if n > 1 else np.zeros(len(keys), dtype=np.int64)
        found.append(_Counted(keys, counts, tokens[where], suffix))
        ranks = np.full(len(tokens), -1, dtype=np.int64)
        ranks[starts] = inverse
    return found


def _continuations(grams: _Counted, longer: _Counted) -> NDArray[np.int64]:
    """Return how many different tokens stand before each n-gram."""
    return np.bincount(longer.suffix, minlength=len(grams.keys))


def _discounts(counts: NDArray[np.int64]) -> NDArray[np.float64]:
    """Return what to take off counts of 0, 1, 2, and 3 and more, (4,)."""
    n1, n2, n3, n4 = np.bincount(np.minimum(counts, 5), minlength=6)[1:5].tolist()
    if n1 and n2 and n3:
        y = n1 / (n1 + 2 * n2)
        found = [1 - 2 * y * n2 / n1, 2 - 3 * y * n3 / n2, 3 - 4 * y * n4 / n3]
        if all(0 <= discount <= k for k, discount in enumerate(found, 1)):
            return np.array([0.0, *found])
    return np.array([0.0, *FALLBACK_DISCOUNTS])


def _smooth_unigrams(counts: NDArray[np.int64]) -> tuple[NDArray[np.float64], float]:
    """Return probabilities, and that of any unknown token; `<s>`, which is never predicted, has 1."""
    taken = _discounts(counts)[np.minimum(counts, 3)]
    total = counts.sum()
    spread = taken.sum() / total / (np.count_nonzero(counts) + 1)
    return np.where(counts > 0, (counts - taken) / total + spread, 1.0), float(spread)


def _interpolate(
    grams: _Counted, counts: NDArray[np.int64], symbols: int, lower: NDArray[np.float64]
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return probabilities, and the back-off weights of the contexts; 1 for one that nothing follows."""
    contexts = grams.keys // symbols
    taken = _discounts(counts)[np.minimum(counts, 3)]
    totals = np.bincount(contexts, counts, minlength=len(lower))
    spread = np.bincount(contexts, taken, minlength=len(lower))
    backoff = np.divide(spread, totals, out=np.ones(len(lower)), where=totals > 0)
    prob = (counts - taken) / totals[contexts] + backoff[contexts] * lower[grams.suffix]
    return prob, backoff
