"""Open the pool that a scale names, building an embedded one the first time."""

from assay.console import say
from assay.errors import PoolError, TrackError
from assay.foundry.scenes import ScenesSource
from assay.foundry.source import FoundrySource
from assay.home import package_folder
from assay.pool import (
    AnyPool,
    ImageTextPool,
    build_image_text_pool,
    build_pool,
    load_pool,
    pool_path,
)
from assay.pool.manifest import pool_root
from assay.track.captions import TOKENIZER_FILE
from assay.track.clip_spec import PairPoolRef
from assay.track.load import LoadedScale
from assay.track.spec import Recipe

LICENCE = "CC0-1.0"


def open_pool(loaded: LoadedScale) -> AnyPool:
    """Open the scale's pool and check its Merkle root against the scale's.

    Raises:
        PoolError: If the pool's manifest contradicts itself.
        TrackError: If the pool is absent, or is not the one that the scale was sealed with.
    """
    ref = loaded.spec.pool
    path = pool_path(ref.name)
    kind = "image-text" if loaded.modality == "clip" else "text"
    if not (path / "pool.json").is_file():
        if ref.size is None:
            heldout = "--suite DIR" if loaded.modality == "clip" else "--heldout FILES"
            raise TrackError(
                f"{loaded.label} needs the pool {ref.name!r}, which is not on this machine; build it with: "
                f"assay pool build SRC... --kind {kind} --name {ref.name}, or fork the track onto a pool you "
                f"have: assay track new NAME --like {loaded.track} --pool POOL {heldout}"
            )
        build_embedded(ref.name, ref.size, pairs=isinstance(ref, PairPoolRef))
    pool = load_pool(path)
    if pool.manifest.kind != kind:
        raise TrackError(
            f"pool {ref.name!r} holds {pool.manifest.kind}, but {loaded.label} trains on {kind}; build one "
            f"with: assay pool build SRC... --kind {kind} --name NAME"
        )
    more = () if isinstance(pool, ImageTextPool) else (pool.manifest.tokenizer.digest,)
    if pool_root(pool.manifest.shards, *more) != pool.root:
        raise PoolError(
            f"{path}/pool.json says root {pool.root[:23]}..., which is not that of its shards; find what "
            f"is wrong with: assay pool verify {ref.name}"
        )
    if ref.root is not None and pool.root != ref.root:
        raise TrackError(
            f"pool {ref.name!r} has root {pool.root[:23]}..., but {loaded.label} was sealed with "
            f"{ref.root[:23]}...; check it with: assay pool verify {ref.name}"
        )
    if isinstance(loaded.recipe, Recipe) and not isinstance(pool, ImageTextPool):
        rows = loaded.recipe.model.vocab_size
        if pool.vocab_size > rows:
            raise TrackError(
                f"pool {ref.name!r} has a tokenizer of {pool.vocab_size} pieces, but {loaded.label} trains a "
                f"model with {rows}; rebuild it with: assay pool build ... --vocab-size {rows}, or a "
                "--tokenizer of that size"
            )
    return pool


def build_embedded(name: str, size: int, *, pairs: bool) -> None:
    """Generate one of the package's pools, or go on with an unfinished one."""
    noun = "pairs" if pairs else "documents"
    say(f"building the embedded pool {name} ({size:,} {noun}), once")
    if pairs:
        build_image_text_pool([ScenesSource(size)], pool_path(name), name=name, licence=LICENCE)
        return
    build_pool(
        [FoundrySource(size)],
        pool_path(name),
        name=name,
        tokenizer=package_folder("tracks") / "text" / TOKENIZER_FILE,
        licence=LICENCE,
    )
