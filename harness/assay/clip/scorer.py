"""Train a small network on clean reference pairs, and let it say how well images and captions agree."""

import re
from collections.abc import Iterable
from dataclasses import dataclass, replace
from itertools import islice
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from PIL import Image

from assay.artifact import atomic_folder, only_one, write_atomic
from assay.canonical import digest_bytes, digest_json
from assay.clip.images import eval_transform
from assay.clip.modality import ClipModality
from assay.clip.model import load_checkpoint
from assay.clip.tokenizer import Tokenize
from assay.console import say
from assay.errors import PoolError
from assay.foundry.scenes import ScenesSource
from assay.home import assay_home, package_folder
from assay.pool import ImageTextPool, build_image_text_pool, load_pool, pool_path
from assay.selection import select_rows
from assay.settings import Settings
from assay.spec import plain
from assay.submission import submission_of
from assay.track.captions import TOKENIZER_FILE, train_caption_tokenizer
from assay.track.clip_spec import ClipRecipe, ClipScale
from assay.track.load import load_scale_file
from assay.train.checkpoint import discard_resume
from assay.train.device import configure_torch, resolve_device
from assay.train.loop import train
from assay.versions import versions

SCALE = "nano"
"""The scale whose recipe a scorer is trained with, but for its budget."""

BATCH = 256
_EMBEDDED = re.compile(r"foundry-clip-reference-(\d+)")


@dataclass(frozen=True)
class Scorer:
    """A trained network with everything that asking it takes.

    Attributes:
        folder: Its checkpoint, which plain open_clip loads.
        recipe: What it was trained with.
    """

    folder: Path
    recipe: ClipRecipe

    def similarities(
        self, images: Iterable[Image.Image | None], captions: Iterable[str]
    ) -> NDArray[np.float32]:
        """Return the cosine of each image with its caption, (n,), in [-1, 1]; NaN for no image."""
        # A scorer may have been trained by an earlier call, which configured another process.
        configure_torch(Settings())
        device = resolve_device(Settings())
        model = load_checkpoint(self.folder, device)
        text = self.recipe.model.text
        tokenize = Tokenize(self.recipe.tokenizer, text.context_length, self.folder)
        transform = eval_transform(self.recipe.preprocess, self.recipe.model.image.image_size)
        pairs = zip(images, captions, strict=True)
        parts = [np.empty(0, np.float32)]
        while batch := list(islice(pairs, BATCH)):
            parts.append(_cosines(model, batch, tokenize, transform, device))
        return np.concatenate(parts)


def _cosines(
    model: Any,
    pairs: list[tuple[Image.Image | None, str]],
    tokenize: Tokenize,
    transform: Any,
    device: str,
) -> NDArray[np.float32]:
    known = [(place, image) for place, (image, _) in enumerate(pairs) if image is not None]
    found = np.full(len(pairs), np.nan, dtype=np.float32)
    if not known:
        return found
    places = [place for place, _ in known]
    pixels = torch.stack([transform(image) for _, image in known]).to(device)
    tokens = tokenize([pairs[place][1] for place in places]).to(device)
    with torch.no_grad():
        one = model.encode_image(pixels, normalize=True)
        other = model.encode_text(tokens, normalize=True)
    found[places] = (one * other).sum(dim=1).cpu().numpy()
    return found


def train_scorer(reference: str, *, samples_seen: int, seed: int) -> Scorer:
    """Train on every pair of a reference pool, or take what an earlier call left.

    Args:
        reference: Name, folder or URL of an image-text pool; `foundry-clip-reference-N` is generated.
        samples_seen: Budget, brought down to whole batches, and up to one step after the warm-up.
        seed: Of initialisation and data order.

    Raises:
        PoolError: If there is no such pool, or it holds text.
    """
    pool = open_reference(reference)
    captions = train_caption_tokenizer(pool.captions(), _recipe().model.text.vocab_size)
    recipe = _recipe(samples_seen, digest_bytes(captions))
    settings = Settings()
    what = {"reference": pool.root, "recipe": plain(recipe), "seed": seed}
    key = digest_json(what | {"software": versions("clip"), "device": resolve_device(settings)})
    folder = assay_home() / "scorers" / key.removeprefix("sha256:")[:20]
    folder.mkdir(parents=True, exist_ok=True)
    with only_one(folder / "training.lock", lambda: say("another process trains the scorer")):
        if not (folder / "checkpoint").is_dir():
            write_atomic(folder / TOKENIZER_FILE, captions)
            _train(pool, recipe, seed, settings, folder)
    return Scorer(folder / "checkpoint", recipe)


def _train(
    pool: ImageTextPool, recipe: ClipRecipe, seed: int, settings: Settings, folder: Path
) -> None:
    """Train and leave a checkpoint in the folder, going on where a killed attempt stopped."""
    say(f"training a scorer on {pool.n:,} pairs of {pool.name}, once")
    modality = ClipModality(
        pool,
        select_rows(submission_of(pool.uids), pool),
        recipe,
        seed=seed,
        settings=settings,
        track_folder=folder,
        run_folder=folder,
    )
    trained = train(modality, seed=seed, folder=folder, settings=settings)
    with atomic_folder(folder / "checkpoint") as partial:
        modality.save_checkpoint(trained.model, partial)
    discard_resume(folder)


def open_reference(name: str) -> ImageTextPool:
    """Open a pool of reference pairs; the package's own are generated at first use.

    Raises:
        PoolError: If there is none of that name, or it holds text.
    """
    embedded = _EMBEDDED.fullmatch(name)
    if embedded and not (pool_path(name) / "pool.json").is_file():
        source = ScenesSource(int(embedded[1]), reference=True)
        return build_image_text_pool([source], pool_path(name), name=name, licence="CC0-1.0")
    pool = load_pool(name)
    if not isinstance(pool, ImageTextPool):
        raise PoolError(
            f"the reference pool {name!r} holds text; name one of image-text pairs, see: assay pools"
        )
    return pool


def _recipe(samples_seen: int | None = None, tokenizer: str | None = None) -> ClipRecipe:
    path = package_folder("tracks") / "clip" / "scales" / f"{SCALE}.yaml"
    scale = load_scale_file(path, "clip")
    assert isinstance(scale, ClipScale), "a scale of the CLIP track"
    recipe = scale.recipe
    if samples_seen is None or tokenizer is None:
        return recipe
    steps = max(recipe.schedule.warmup_steps + 1, samples_seen // recipe.global_batch_size)
    return replace(
        recipe,
        samples_seen=steps * recipe.global_batch_size,
        tokenizer=replace(recipe.tokenizer, digest=tokenizer),
    )
