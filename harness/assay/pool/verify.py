"""Re-read a whole pool and compare it with what its manifest says."""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from assay.canonical import digest_file
from assay.console import progress
from assay.errors import PoolError
from assay.pool.base import StoredPool
from assay.pool.findings import BadFileError, check_alignment, require, require_length
from assay.pool.imagetext.store import ImageTextPool
from assay.pool.imagetext.verify import check_pairs
from assay.pool.manifest import (
    MANIFEST_FILE,
    NUM_BYTES_FILE,
    NUM_TOKENS_FILE,
    ROWS_FILE,
    SHARDS_FOLDER,
    UIDS_FILE,
    pool_root,
)
from assay.pool.shard import DOCUMENTS_FILE, OFFSETS_FILE, TOKENS_FILE, ShardContent, read_shard
from assay.pool.store import Pool
from assay.pool.tokenizer import token_dtype
from assay.pool.uid import uids_from_bytes

BLOCK = 1 << 22
"""Rows looked at together."""


@dataclass(frozen=True)
class Verification:
    """What verifying came to.

    Attributes:
        ok: Whether everything is as the manifest says.
        file: First bad file, relative to the pool; None where all is well.
        finding: What is wrong with it.
        num_files: Files read.
        num_examples: Stored documents or pairs read.
        num_bad: Pairs whose image is not the one that the pool was built from.
        root: The root recomputed from content, or None where it did not come to that.
    """

    ok: bool
    file: str | None
    finding: str | None
    num_files: int
    num_examples: int
    num_bad: int
    root: str | None


def verify_pool(pool: Pool | ImageTextPool) -> Verification:
    """Check file digests, content digests, root, ids and rows; offsets and sizes, or every image.

    Memory is bounded by a shard, and one byte and eight for each stored example.
    """
    num_files = 0
    try:
        for _ in _check_files(pool):
            num_files += 1
        _check_uids(pool)
        _check_rows(pool)
        if isinstance(pool, Pool):
            _check_sizes(pool)
            _check_content(pool)
            root = pool_root(pool.manifest.shards, pool.manifest.tokenizer.digest)
        else:
            check_pairs(pool)
            root = pool_root(pool.manifest.shards)
        finding = f"root {pool.root[:23]}..., content {root[:23]}..."
        require(root == pool.root, MANIFEST_FILE, finding)
    except BadFileError as error:
        return Verification(False, error.file, str(error), num_files, 0, error.count, None)
    return Verification(True, None, None, num_files, pool.manifest.stored, 0, root)


def _check_files(pool: StoredPool) -> Iterator[str]:
    digests = pool.digests()
    with progress("checking files", len(digests), "files") as bar:
        for file, expected in digests.items():
            try:
                got = digest_file(pool.file(file, expected))
            except (PoolError, OSError) as error:
                raise BadFileError(file, f"cannot be read: {error}") from None
            require(got == expected, file, f"digest {got[:23]}..., manifest {expected[:23]}...")
            bar.update()
            yield file


def _check_uids(pool: StoredPool) -> None:
    require(len(pool.uids) == pool.n, UIDS_FILE, f"{len(pool.uids)} ids, manifest {pool.n}")
    for start in range(0, pool.n, BLOCK):
        block = pool.uids[start : start + BLOCK + 1]
        high, low = block["f0"], block["f1"]
        rising = (high[1:] > high[:-1]) | ((high[1:] == high[:-1]) & (low[1:] > low[:-1]))
        require(rising.all(), UIDS_FILE, "ids are not sorted, or not all different")


def _check_rows(pool: StoredPool) -> None:
    stored = pool.manifest.stored
    require_length(pool, ROWS_FILE, len(pool.positions))
    used = np.zeros(stored, dtype=bool)
    for start in range(0, pool.n, BLOCK):
        block = pool.positions[start : start + BLOCK]
        inside = bool(((block >= 0) & (block < stored)).all())
        require(inside, ROWS_FILE, "a row leads outside the shards")
        used[block] = True
    require(used.sum() == pool.n, ROWS_FILE, "two rows lead to the same example")


def _check_sizes(pool: Pool) -> None:
    sums = (
        (NUM_TOKENS_FILE, pool.n_tokens, pool.manifest.num_tokens),
        (NUM_BYTES_FILE, pool.n_bytes, pool.manifest.num_bytes),
    )
    for file, array, total in sums:
        require_length(pool, file, len(array))
        require(array.sum(dtype=np.int64) == total, file, f"does not add up to {total:,}")


def _check_content(pool: Pool) -> None:
    """Read every shard."""
    dtype = token_dtype(pool.vocab_size)
    first = 0
    with progress("checking content", pool.manifest.stored, "docs") as bar:
        for shard in pool.manifest.shards:
            folder = f"{SHARDS_FOLDER}/{shard.name}"
            content = read_shard(pool.path / folder, pool.manifest.columns, dtype)
            _check_tokens(content, folder, pool.vocab_size)
            got = content.digest()
            require(
                got == shard.digest,
                f"{folder}/{DOCUMENTS_FILE}",
                f"content digest {got[:23]}..., manifest {shard.digest[:23]}...",
            )
            _check_alignment(pool, content, first)
            first += shard.rows
            bar.update(shard.rows)


def _check_tokens(content: ShardContent, folder: str, vocab_size: int) -> None:
    offsets = content.offsets.astype(np.int64)
    whole = len(offsets) == len(content.texts) + 1 and offsets[0] == 0
    require(whole, f"{folder}/{OFFSETS_FILE}", "does not have one offset a document")
    require((np.diff(offsets) >= 0).all(), f"{folder}/{OFFSETS_FILE}", "offsets fall")
    ends = offsets[-1] == len(content.tokens)
    require(ends, f"{folder}/{TOKENS_FILE}", f"{len(content.tokens)} tokens for {offsets[-1]}")
    known = not len(content.tokens) or content.tokens.max() < vocab_size
    require(known, f"{folder}/{TOKENS_FILE}", "a token outside the vocabulary")


def _check_alignment(pool: Pool, content: ShardContent, first: int) -> None:
    """Compare a shard's documents with the rows that lead to them."""
    rows = pool.rows_in_storage[first : first + len(content.texts)]
    arrays: dict[str, tuple[NDArray, NDArray]] = {
        NUM_TOKENS_FILE: (pool.n_tokens, np.diff(content.offsets.astype(np.int64))),
        NUM_BYTES_FILE: (pool.n_bytes, np.array([len(text) for text in content.texts])),
    }
    check_alignment(pool, rows, uids_from_bytes(content.uids), arrays)
