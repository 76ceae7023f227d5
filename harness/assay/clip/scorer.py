"""A small network trained on given pairs, once, that says where images and captions lie and how well they agree."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from itertools import islice
from pathlib import Path
from typing import Any, TypeVar

import numpy as np
import torch
from numpy.typing import NDArray
from PIL import Image

from assay.artifact import write_atomic
from assay.canonical import digest_bytes, digest_json
from assay.clip.images import eval_transform
from assay.clip.modality import ClipModality
from assay.clip.model import load_checkpoint
from assay.clip.tokenizer import Tokenize
from assay.console import say
from assay.home import assay_home, package_folder
from assay.pool import ImageTextPool
from assay.selection import select_rows
from assay.settings import Settings
from assay.spec import plain
from assay.submission import submission_of
from assay.track.captions import TOKENIZER_FILE, train_caption_tokenizer
from assay.track.clip_spec import ClipRecipe, ClipScale
from assay.track.load import load_scale_file
from assay.train.device import configure_torch, one_thread, resolve_device
from assay.train.once import train_once
from assay.versions import versions

SCALE = "nano"
"""The scale whose recipe a scorer is trained with, but for its budget."""

FORMAT = 3
"""Bumped whenever what is kept of a scorer changes."""

BATCH = 256
T = TypeVar("T")


@dataclass(frozen=True)
class Scorer:
    """A trained network with everything that asking it takes.

    Attributes:
        folder: Its checkpoint, which plain open_clip loads.
        weights: `sha256:...` of its weights.
        recipe: What it was trained with.
        cpu_seconds: Processor time that training took, on every core.
        ready: Whether an earlier call trained it.
    """

    folder: Path
    weights: str
    recipe: ClipRecipe
    cpu_seconds: float
    ready: bool

    @cached_property
    def _model(self) -> Any:
        # A scorer may have been trained by an earlier call, which configured another process.
        configure_torch(Settings())
        return load_checkpoint(self.folder, resolve_device(Settings()))

    @property
    def temperature(self) -> float:
        """Return what it divides cosines by in its softmax, as learnt; above 0."""
        return float(torch.exp(-self._model.logit_scale.detach()).cpu())

    def embed_images(self, images: Iterable[Image.Image | None]) -> NDArray[np.float32]:
        """Return unit vectors, (n, d); NaN for no image."""
        transform: Any = eval_transform(self.recipe.preprocess, self.recipe.model.image.image_size)
        parts = [self._nothing]
        for batch in _batches(images):
            pixels = {n: transform(image) for n, image in enumerate(batch) if image is not None}
            found = np.full((len(batch), self.recipe.model.embed_dim), np.nan, dtype=np.float32)
            if pixels:
                stacked = torch.stack(list(pixels.values()))
                found[list(pixels)] = self._encode(self._model.encode_image, stacked)
            parts.append(found)
        return np.concatenate(parts)

    def embed_texts(self, texts: Iterable[str]) -> NDArray[np.float32]:
        """Return unit vectors, (n, d)."""
        context = self.recipe.model.text.context_length
        tokenize = Tokenize(self.recipe.tokenizer, context, self.folder)
        encode = self._model.encode_text
        parts = (self._encode(encode, tokenize(batch)) for batch in _batches(texts))
        return np.concatenate([self._nothing, *parts])

    @property
    def _nothing(self) -> NDArray[np.float32]:
        return np.empty((0, self.recipe.model.embed_dim), dtype=np.float32)

    def _encode(self, encode: Any, batch: torch.Tensor) -> NDArray[np.float32]:
        with one_thread(), torch.no_grad():
            return encode(batch.to(self._model.logit_scale.device), normalize=True).cpu().numpy()


def _batches(items: Iterable[T]) -> Iterator[Sequence[T]]:
    source = iter(items)
    while batch := list(islice(source, BATCH)):
        yield batch


def train_scorer(
    pool: ImageTextPool, rows: NDArray[np.int64], *, samples_seen: int, seed: int
) -> Scorer:
    """Train on pairs of a pool, or take what an earlier call left.

    Args:
        pool: Where they are.
        rows: (k,) which of them, rising.
        samples_seen: Budget, brought down to whole batches, and up to two of them.
        seed: Of initialisation and data order.
    """
    captions = train_caption_tokenizer(pool.captions(rows), scorer_recipe().model.text.vocab_size)
    recipe = _with_budget(scorer_recipe(), samples_seen, digest_bytes(captions))
    settings = Settings()
    selection = select_rows(submission_of(pool.uids[rows]), pool)
    what = {"format": FORMAT, "pairs": selection.digest, "recipe": plain(recipe), "seed": seed}
    key = digest_json(what | {"software": versions("clip"), "device": resolve_device(settings)})
    folder = assay_home() / "scorers" / key.removeprefix("sha256:")[:20]

    def build() -> ClipModality:
        say(f"training a scorer on {len(rows):,} pairs of {pool.name}, once")
        write_atomic(folder / TOKENIZER_FILE, captions)
        return ClipModality(
            pool,
            selection,
            recipe,
            seed=seed,
            settings=settings,
            track_folder=folder,
            run_folder=folder,
        )

    made = train_once(folder, build, seed=seed, settings=settings)
    return Scorer(made.checkpoint, made.weights, recipe, made.cpu_seconds, made.ready)


def scorer_recipe() -> ClipRecipe:
    """Return the recipe of the package's own track that scorers are trained with."""
    path = package_folder("tracks") / "clip" / "scales" / f"{SCALE}.yaml"
    scale = load_scale_file(path, "clip")
    assert isinstance(scale, ClipScale), "a scale of the CLIP track"
    return scale.recipe


def _with_budget(recipe: ClipRecipe, samples_seen: int, tokenizer: str) -> ClipRecipe:
    """Return the recipe for a budget, of which a tenth at most is spent warming up."""
    steps = max(2, samples_seen // recipe.global_batch_size)
    warmup = min(recipe.schedule.warmup_steps, max(1, steps // 10))
    return replace(
        recipe,
        samples_seen=steps * recipe.global_batch_size,
        schedule=replace(recipe.schedule, warmup_steps=warmup),
        tokenizer=replace(recipe.tokenizer, digest=tokenizer),
    )
