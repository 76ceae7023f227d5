"""Fork a CLIP track onto one's own pool: same recipes, own candidates, own suite, own tokenizer."""

import shutil
from dataclasses import replace
from pathlib import Path

import yaml

from assay.artifact import atomic_folder, write_atomic
from assay.canonical import digest_bytes
from assay.errors import TrackError
from assay.pool import ImageTextPool
from assay.spec import plain
from assay.suite.clip import ClipSuite
from assay.suite.clip.files import clip_suite_folder, dump_clip_suite_yaml, load_clip_suite
from assay.track.captions import TOKENIZER_FILE, train_caption_tokenizer
from assay.track.clip_spec import ClipRecipe, ClipScale, PairPoolRef
from assay.track.fitting import filled_scales, specs_of
from assay.track.fork import Forked, embedded_size, make_known, new_folder
from assay.track.load import load, load_from, suite_path, write_seals
from assay.track.spec import SuiteRef

TOKENIZER_CAPTIONS = 200_000
"""Captions, in the order of uids, that the fork's tokenizer is trained on."""


def fork_clip(name: str, *, like: str, pool: ImageTextPool, suite_from: Path) -> Forked:
    """Write a private track under `$ASSAY_HOME/tracks`.

    Args:
        name: Of the new track.
        like: The track whose rules and recipes are taken.
        pool: The candidates, in a local folder, which is made known by its name.
        suite_from: Folder of a suite that `assay suite build clip` made.

    Raises:
        TrackError: If the name is taken or unusable, `like` trains on text, or the pool is at a URL
            or its name is another's.
        SuiteError: If the folder holds no suite, or files that it does not mean.
    """
    folder = new_folder(name)
    scales = _fitting_scales(like, pool)
    suite = load_clip_suite(suite_from)
    clip_suite_folder(suite, suite_from)
    make_known(pool)
    tokenizer = _train_tokenizer(pool, scales)
    ref = PairPoolRef(pool.name, pool.root, embedded_size(pool))
    _copy_suite(suite, suite_from)
    with atomic_folder(folder) as partial:
        rules = load(like, next(iter(scales))).folder / "track.yaml"
        write_atomic(partial / "track.yaml", rules.read_bytes())
        write_atomic(partial / TOKENIZER_FILE, tokenizer)
        suite_yaml = dump_clip_suite_yaml(suite).encode()
        write_atomic(partial / "suites" / f"{suite.name}.yaml", suite_yaml)
        for scale, spec in scales.items():
            forked = replace(
                spec,
                version=1,
                pool=ref,
                recipe=_with_tokenizer(spec, tokenizer),
                # All items: the first few of one's own files may all be of one class.
                suite=SuiteRef(suite.name, None),
            )
            text = yaml.safe_dump(plain(forked), sort_keys=False, width=100)
            write_atomic(partial / "scales" / f"{scale}.yaml", text.encode())
        write_seals([load_from(partial, name, scale) for scale in scales])
    items = {task.name: task.num_items for task in suite.tasks}
    return Forked(name, folder, list(scales), items, 0, "clip")


def _fitting_scales(like: str, pool: ImageTextPool) -> dict[str, ClipScale]:
    """Return the scales whose budget the pool can fill, or else the smallest."""
    scales: dict[str, ClipScale] = {}
    for scale, spec in specs_of(like).items():
        if not isinstance(spec, ClipScale):
            raise TrackError(
                f"pool {pool.name!r} holds image-text pairs, but track {like!r} trains on text; give --like clip"
            )
        scales[scale] = spec
    return filled_scales(like, scales, pool.name, pool.n)


def _train_tokenizer(pool: ImageTextPool, scales: dict[str, ClipScale]) -> bytes:
    """Train on the pool's captions, for the smallest token table among the scales that need one."""
    own = [spec.recipe for spec in scales.values() if spec.recipe.tokenizer.kind == "bpe"]
    size = min((recipe.model.text.vocab_size for recipe in own), default=2048)
    captions = pool.captions(range(min(pool.n, TOKENIZER_CAPTIONS)))
    return train_caption_tokenizer(captions, size)


def _with_tokenizer(spec: ClipScale, tokenizer: bytes) -> ClipRecipe:
    """Return the recipe with the fork's tokenizer in place of the track's own."""
    if spec.recipe.tokenizer.kind == "open_clip":
        return spec.recipe
    mine = replace(spec.recipe.tokenizer, digest=digest_bytes(tokenizer))
    return replace(spec.recipe, tokenizer=mine)


def _copy_suite(suite: ClipSuite, source: Path) -> None:
    """Put the suite's files where `LoadedScale.suite_folder` looks for them."""
    target = suite_path(suite)
    if not target.exists():
        with atomic_folder(target) as partial:
            shutil.copytree(source, partial, dirs_exist_ok=True)
