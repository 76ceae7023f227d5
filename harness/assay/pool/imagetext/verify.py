"""Re-read the shards and every image of a pool of pairs."""

import hashlib
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from assay.console import progress
from assay.errors import PoolError
from assay.pool.findings import BadFileError, check_alignment, require, require_length
from assay.pool.imagetext.index import (
    CAPTIONS_FILE,
    LOCATION,
    LOCATIONS_FILE,
    METADATA_ROWS_FILE,
)
from assay.pool.imagetext.shard import PAIRS_FILE, PairContent, read_pairs
from assay.pool.imagetext.store import ImageTextPool
from assay.pool.manifest import SHARDS_FOLDER
from assay.pool.uid import uids_from_bytes, uids_to_hex

if TYPE_CHECKING:
    from assay.pool.manifest import StoredShard


def check_pairs(pool: ImageTextPool) -> None:
    """Read every shard, and every image where it lies.

    Raises:
        BadFileError: With the first image that is not as it was, and how many are not.
    """
    _check_arrays(pool)
    bad: list[tuple[str, str]] = []
    first = 0
    with progress("checking images", pool.manifest.stored, "pairs") as bar:
        for shard in pool.manifest.shards:
            content = _read(pool, shard)
            _check_aligned(pool, content, pool.rows_in_storage[first : first + shard.rows])
            first += shard.rows
            for number in range(shard.rows):
                if finding := _image_finding(pool, content, number):
                    bad.append((content.spans[number].file, finding))
                bar.update()
    if bad:
        file, finding = bad[0]
        more = f"; {len(bad):,} of {pool.manifest.stored:,} pairs are bad" if len(bad) > 1 else ""
        raise BadFileError(file, f"{finding}{more}", len(bad))


def _check_arrays(pool: ImageTextPool) -> None:
    require_length(pool, LOCATIONS_FILE, len(pool.locations))
    require_length(pool, CAPTIONS_FILE, sum(1 for _ in pool.captions()))
    total = int(pool.locations["length"].sum(dtype=np.int64))
    finding = f"images of {total:,} bytes, manifest {pool.manifest.image_bytes:,}"
    require(total == pool.manifest.image_bytes, LOCATIONS_FILE, finding)
    if pool.embedding_names:
        require_length(pool, METADATA_ROWS_FILE, len(pool.metadata_rows))


def _read(pool: ImageTextPool, shard: "StoredShard") -> PairContent:
    folder = f"{SHARDS_FOLDER}/{shard.name}"
    content = read_pairs(pool.path / folder, pool.manifest.columns)
    got = content.digest()
    finding = f"content digest {got[:23]}..., manifest {shard.digest[:23]}..."
    require(got == shard.digest, f"{folder}/{PAIRS_FILE}", finding)
    return content


def _check_aligned(pool: ImageTextPool, content: PairContent, rows: NDArray[np.int64]) -> None:
    kept = np.flatnonzero(rows >= 0)
    places = np.array(
        [(pool.file_number(s.file), s.offset, s.length) for s in content.spans], dtype=LOCATION
    )
    check_alignment(
        pool, rows, uids_from_bytes(content.uids), {LOCATIONS_FILE: (pool.locations, places)}
    )
    captions = [content.captions[int(i)].decode("utf-8") for i in kept]
    same = list(pool.captions(rows[kept])) == captions
    require(same, CAPTIONS_FILE, "does not agree with the pairs that its rows lead to")


def _image_finding(pool: ImageTextPool, content: PairContent, number: int) -> str | None:
    """Return what is wrong with the image of a pair, or None."""
    span = content.spans[number]
    uid = uids_to_hex(uids_from_bytes(content.uids[16 * number : 16 * number + 16]))[0]
    try:
        data = pool.stored_image(span.file, span.offset, span.length)
    except PoolError as error:
        return f"pair {uid}: {error}"
    got = hashlib.sha256(data).hexdigest()
    expected = content.image_sha256[number]
    return None if got == expected else f"pair {uid}: sha256 {got[:16]}..., not {expected[:16]}..."
