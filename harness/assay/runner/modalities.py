"""What differs between text and CLIP in a run, gathered in one place; heavy imports wait for a call."""

import importlib.util
from pathlib import Path
from typing import Any

import pyarrow as pa

from assay.errors import UserError
from assay.modality import Modality
from assay.pool import AnyPool, ImageTextPool
from assay.score.clip import ClipMetrics, score_clip
from assay.score.text import Metrics, score
from assay.selection import Selection
from assay.settings import Settings
from assay.suite.clip import ClipSuite
from assay.suite.clip.embedded import prepare_clip_suite
from assay.suite.clip.lock import data_digest
from assay.suite.embedded import prepare_suite
from assay.track.captions import read_caption_tokenizer
from assay.track.clip_spec import ClipRecipe
from assay.track.load import LoadedScale


def check_installed(modality: str) -> None:
    """Refuse what this installation lacks, in a line instead of an import error.

    Raises:
        UserError: Naming the extra.
    """
    if modality == "clip" and importlib.util.find_spec("open_clip") is None:
        raise UserError(
            "open_clip is not installed, and image-text models need it; run: pip install -c constraints.txt "
            "-e '.[clip]'"
        )


def build_modality(
    loaded: LoadedScale,
    pool: AnyPool,
    selection: Selection,
    *,
    seed: int,
    settings: Settings,
    folder: Path,
) -> Modality:
    """Bring a scale's recipe, a selection and a seed together."""
    recipe = loaded.recipe
    if isinstance(recipe, ClipRecipe):
        from assay.clip.modality import ClipModality

        assert isinstance(pool, ImageTextPool), "a pool of the track's kind was opened"
        return ClipModality(
            pool,
            selection,
            recipe,
            seed=seed,
            settings=settings,
            track_folder=loaded.folder,
            run_folder=folder,
        )
    from assay.text.modality import TextModality

    assert not isinstance(pool, ImageTextPool), "a pool of the track's kind was opened"
    return TextModality(pool, selection, recipe, seed=seed, micro_batch=settings.micro_batch)


def batch_items(recipe: Any) -> tuple[int, str]:
    """Return how many things of a global batch processes share, and what they are called."""
    if isinstance(recipe, ClipRecipe):
        group = recipe.model.image.norm_group
        if group is None:
            return recipe.global_batch_size, "pairs"
        return recipe.global_batch_size // group, f"groups of {group} pairs"
    return recipe.batch_windows, "windows"


def prepare(loaded: LoadedScale) -> Path:
    """Check what a run reads besides the pool; return the folder of the suite's files.

    The embedded suites are generated first.
    """
    if isinstance(loaded.suite, ClipSuite):
        assert isinstance(loaded.recipe, ClipRecipe), "a CLIP suite belongs to a CLIP recipe"
        if loaded.recipe.tokenizer.kind == "bpe":
            read_caption_tokenizer(loaded.recipe.tokenizer, loaded.folder)
        return prepare_clip_suite(loaded.suite, loaded.suite_folder)
    return prepare_suite(loaded.suite, loaded.suite_folder)


def evaluate_checkpoint(
    loaded: LoadedScale, pool: AnyPool, checkpoint: Path, *, device: str, show_progress: bool
) -> pa.Table:
    """Ask a checkpoint the scale's suite; return its per-item outputs."""
    suite, items = loaded.suite, loaded.spec.suite.items_per_task
    if isinstance(suite, ClipSuite):
        from assay.clip.evaluate import evaluate_clip
        from assay.clip.images import eval_transform
        from assay.clip.model import load_checkpoint as load_clip
        from assay.clip.tokenizer import Tokenize

        recipe = loaded.recipe
        assert isinstance(recipe, ClipRecipe), "a CLIP suite belongs to a CLIP recipe"
        model = recipe.model
        return evaluate_clip(
            load_clip(checkpoint, device),
            Tokenize(recipe.tokenizer, model.text.context_length, loaded.folder),
            eval_transform(recipe.preprocess, model.image.image_size),
            suite,
            loaded.suite_folder,
            items_per_task=items,
            device=device,
            show_progress=show_progress,
        )
    from assay.text.evaluate import evaluate
    from assay.text.model import load_checkpoint

    assert not isinstance(pool, ImageTextPool), "a pool of the track's kind was opened"
    return evaluate(
        load_checkpoint(checkpoint, device),
        pool.tokenizer(),
        suite,
        loaded.suite_folder,
        eos_id=pool.eos_id,
        items_per_task=items,
        device=device,
        show_progress=show_progress,
    )


def aggregate(outputs: pa.Table, loaded: LoadedScale) -> Metrics | ClipMetrics:
    """Turn per-item outputs into metrics."""
    if isinstance(loaded.suite, ClipSuite):
        return score_clip(outputs, loaded.suite, loaded.spec.suite.items_per_task)
    return score(outputs, loaded.suite, loaded.spec.suite.items_per_task)


def input_digests(loaded: LoadedScale, pool: AnyPool) -> dict[str, str]:
    """Return the digests of what a run read besides the pool, the selection and the recipe."""
    if isinstance(loaded.suite, ClipSuite):
        return {"suite_data": data_digest(loaded.suite, loaded.suite_folder)}
    assert not isinstance(pool, ImageTextPool), "a pool of the track's kind was opened"
    return {"tokenizer": pool.manifest.tokenizer.digest}
