"""Open the pool that a scale names, building an embedded one the first time."""

from assay.console import say
from assay.errors import PoolError, TrackError
from assay.foundry.source import FoundrySource
from assay.home import package_folder
from assay.pool import Pool, build_pool, pool_path
from assay.pool.manifest import pool_root
from assay.track.load import LoadedScale

TOKENIZER_FILE = "tokenizer.json"


def open_pool(loaded: LoadedScale) -> Pool:
    """Open the scale's pool and check its Merkle root against the scale's.

    Raises:
        PoolError: If the pool's manifest contradicts itself.
        TrackError: If the pool is absent, or is not the one that the scale was sealed with.
    """
    ref = loaded.spec.pool
    path = pool_path(ref.name)
    if not (path / "pool.json").is_file():
        if ref.documents is None:
            raise TrackError(
                f"{loaded.label} needs the pool {ref.name!r}, which is not on this machine; build it with: "
                f"assay pool build SRC... --kind text --name {ref.name}, or fork the track onto a pool you "
                f"have: assay track new NAME --like {loaded.track} --pool POOL --heldout FILES"
            )
        _build_embedded(loaded)
    pool = Pool.open(path)
    if pool_root(pool.manifest.shards, pool.manifest.tokenizer.digest) != pool.root:
        raise PoolError(
            f"{path}/pool.json says root {pool.root[:23]}..., which is not that of its shards; find what "
            f"is wrong with: assay pool verify {ref.name}"
        )
    if ref.root is not None and pool.root != ref.root:
        raise TrackError(
            f"pool {ref.name!r} has root {pool.root[:23]}..., but {loaded.label} was sealed with "
            f"{ref.root[:23]}...; check it with: assay pool verify {ref.name}"
        )
    if pool.vocab_size > loaded.recipe.model.vocab_size:
        raise TrackError(
            f"pool {ref.name!r} has a tokenizer of {pool.vocab_size} pieces, but {loaded.label} trains a model "
            f"with {loaded.recipe.model.vocab_size}; rebuild it with: assay pool build ... --vocab-size "
            f"{loaded.recipe.model.vocab_size}, or a --tokenizer of that size"
        )
    return pool


def _build_embedded(loaded: LoadedScale) -> None:
    """Generate the pool, or go on with an unfinished one."""
    ref = loaded.spec.pool
    assert ref.documents is not None
    say(f"building the embedded pool {ref.name} ({ref.documents:,} documents), once")
    build_pool(
        [FoundrySource(ref.documents)],
        pool_path(ref.name),
        name=ref.name,
        tokenizer=package_folder("tracks") / "text" / TOKENIZER_FILE,
        licence="CC0-1.0",
    )
