"""DSIR: chunks drawn by importance weights of hashed n-grams, so that they are distributed as a reference is.

Claim:  2 to 2.5 points of GLUE over random and heuristics. Weak in comparisons by others.
Ranks:  above random
Source: Xie et al. 2023, Data Selection via Importance Resampling, https://arxiv.org/abs/2302.03169.
Cost:   About 0.05 core-hours for a million documents of 200 words, read twice; no model.
Form:   ids (chunks of 128 words)
Needs:  A reference: the embedded one, a pool NAME-reference, or `--set reference=POOL` or
        `reference=COLUMN~WORD`.

A log weight is a sum over n-grams, so on whole documents of differing length it drowns the noise and the draw
is no draw: as in the paper, the unit is a chunk of 128 words. Substituted: hashes are not SHA-256, and both
bags of n-grams are of all documents, not of samples. `min_words` is the original's minimum for a chunk.
"""

import numpy as np
from numpy.typing import NDArray

from assay.errors import StrategyError
from assay.signals.text.batches import batched
from assay.signals.text.ngrams import ImportanceWeights, bucket_totals
from assay.strategy import PoolView
from assay.strategy.sampling import choose, gumbel_noise
from assay.submission import Submission, submission_of

CHUNK_WORDS = 128


def select(
    pool: PoolView,
    *,
    seed: int,
    fraction: float = 0.3,
    min_words: int = 100,
    reference: str = "default",
) -> Submission:
    """Draw a fraction of the chunks without replacement, by their weights."""
    target = bucket_totals(batched(pool.reference(reference)))
    read = (text for _, batch in pool.scan() for text in batch["text"].to_pylist())
    weights = ImportanceWeights.fit(target, bucket_totals(batched(read)))
    rows, chunks, scores = [], [], []
    for batch_rows, batch in pool.scan():
        parts = []
        for row, text in zip(batch_rows.tolist(), batch["text"].to_pylist(), strict=True):
            found = long_chunks(text, min_words) if row >= 0 else []
            rows += [row] * len(found)
            chunks += range(len(found))
            parts += found
        scores += map(weights.score, batched(parts))
    if not rows:
        raise StrategyError(
            f"no document has {min_words} words, so there is no chunk to draw; ask for less: --set min_words=10"
        )
    row, chunk = np.array(rows), np.array(chunks)
    noise = chunk_noise(pool.uids[row], chunk, seed)
    amount = round(fraction * len(row))
    drawn = choose(np.concatenate(scores), noise, amount, temperature=1.0)
    return submission_of(pool.uids[row[drawn]], chunks=chunk[drawn], unit="words128")


def chunk_noise(
    uids: NDArray[np.void], chunk: NDArray[np.integer], seed: int
) -> NDArray[np.float64]:
    """Return Gumbel noise of each chunk: of its document's id and its number."""
    noise = np.empty(len(chunk))
    order = np.argsort(chunk, kind="stable")
    for members in np.split(order, np.flatnonzero(np.diff(chunk[order])) + 1):
        noise[members] = gumbel_noise(uids[members], seed, f"dsir chunk {chunk[members[0]]}")
    return noise


def long_chunks(text: str, min_words: int) -> list[str]:
    """Cut a document as the unit `words128` does, and leave out a last chunk that is too short."""
    words = text.encode("utf-8", "replace").split()
    least = min(max(1, min_words), CHUNK_WORDS)
    starts = range(0, len(words) - least + 1, CHUNK_WORDS)
    parts = (b" ".join(words[start : start + CHUNK_WORDS]) for start in starts)
    return [part.decode("utf-8", "replace") for part in parts]
