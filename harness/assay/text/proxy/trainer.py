"""A small frozen language model, trained once on given documents and kept by all that decides it.

Recipe, tokenizer, batches, optimisers and loop are the text track's own; only the budget, and for a ladder
the width, differ.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path

import numpy as np
from accelerate import Accelerator
from numpy.typing import NDArray
from torch import Tensor, nn
from transformers import PreTrainedModel

from assay.artifact import atomic_folder
from assay.canonical import digest_json
from assay.console import say
from assay.home import assay_home, package_folder
from assay.pool import Pool
from assay.selection import Selection, select_rows
from assay.settings import Settings
from assay.spec import plain
from assay.submission import submission_of
from assay.text.modality import TextModality
from assay.text.model import load_checkpoint
from assay.track.load import load_scale_file
from assay.track.spec import Recipe, Scale
from assay.train.device import configure_torch, resolve_device
from assay.train.once import train_once
from assay.versions import versions

SCALE = "pico"
"""The scale whose recipe a proxy is trained with."""

FINE_TUNING_SCALE = "pico-low-lr"
"""The scale whose recipe it is trained on with: at the full rates a model forgets what it comes from."""

FORMAT = 2
"""Bumped whenever the same inputs give another proxy."""

HEAD_SIZE = 16
"""Width of an attention head of a proxy of another width."""


@dataclass(frozen=True)
class Proxy:
    """A trained language model.

    Attributes:
        folder: Its checkpoint, which plain transformers loads.
        digest: `sha256:...` of all that decided it: documents, recipe, seed, software, what it started from.
        weights: `sha256:...` of its weights, after the last step.
        recipe: What it was trained with.
        eos_id: The end-of-text token, which comes before every document.
        cpu_seconds: Processor time that training took, on every core, without what it started from.
        ready: Whether an earlier call trained it.
        moments: Checkpoints on the way to it, the earliest first, each a folder like `folder`.
    """

    folder: Path
    digest: str
    weights: str
    recipe: Recipe
    eos_id: int
    cpu_seconds: float
    ready: bool
    moments: tuple[Path, ...] = ()

    @property
    def device(self) -> str:
        """Return where it computes."""
        return resolve_device(Settings())

    @cached_property
    def model(self) -> PreTrainedModel:
        """The network, in evaluation mode."""
        # It may have been trained by an earlier call, which configured another process.
        configure_torch(Settings())
        return load_checkpoint(self.folder, self.device)

    def at(self, moment: int) -> "Proxy":
        """Return what it was at one of its moments."""
        return replace(self, folder=self.moments[moment], moments=())


def train_proxy(
    pool: Pool,
    rows: NDArray[np.int64] | None = None,
    *,
    tokens_seen: int,
    seed: int,
    start: Proxy | None = None,
    width: int | None = None,
    moments: int = 0,
) -> Proxy:
    """Train on documents, or take what an earlier call left.

    Args:
        pool: Where the documents are.
        rows: (k,) which of them, in any order; None for all.
        tokens_seen: Budget, brought down to whole batches, and up to two of them.
        seed: Of initialisation and data order.
        start: A proxy to go on from, whose pool has the same tokenizer.
        width: Of the residual stream, a multiple of `HEAD_SIZE`; None takes the recipe's. The start keeps its own.
        moments: Checkpoints to keep on the way, evenly spread, the last after the last step.

    Raises:
        SubmissionError: If no document has a token.
    """
    assert not (start and width), "what goes on keeps its width"
    recipe = proxy_recipe(pool.vocab_size, tokens_seen, width=width, start=start)
    selection = select_rows(submission_of(pool.uids if rows is None else pool.uids[rows]), pool)
    what = {"selection": selection.digest, "recipe": plain(recipe), "seed": seed}
    what |= {"start": start.digest if start else None, "software": versions("text")}
    what |= {"moments": moments} if moments else {}
    what |= {"format": FORMAT, "device": resolve_device(Settings())}
    digest = digest_json(what)
    folder = assay_home() / "proxies" / digest.removeprefix("sha256:")[:20]
    settings = Settings()
    kept = _moments(folder, recipe.steps, moments)

    def build() -> _Training:
        say(
            f"{'fine-tuning' if start else 'training'} a proxy of {recipe.model.num_parameters:,} parameters on "
            f"{recipe.tokens_seen:,} tokens of {pool.name}, once"
        )
        batch = settings.micro_batch
        return _Training(
            pool, selection, recipe, seed=seed, micro_batch=batch, start=start, moments=kept
        )

    made = train_once(folder, build, seed=seed, settings=settings)
    facts = (made.cpu_seconds, made.ready, tuple(kept.values()))
    return Proxy(made.checkpoint, digest, made.weights, recipe, pool.eos_id, *facts)


def _moments(folder: Path, steps: int, count: int) -> dict[int, Path]:
    """Return steps after which a checkpoint is kept, and where."""
    assert count <= steps, "no two moments after one step"
    after = [round((number + 1) * steps / count) for number in range(count)]
    return {step: folder / f"step-{step:06d}" for step in after}


class _Training(TextModality):
    """The text modality, beginning with the weights of a checkpoint where there is one, and leaving some on the way."""

    def __init__(
        self,
        pool: Pool,
        selection: Selection,
        recipe: Recipe,
        *,
        seed: int,
        micro_batch: int,
        start: Proxy | None,
        moments: Mapping[int, Path],
    ):
        super().__init__(pool, selection, recipe, seed=seed, micro_batch=micro_batch)
        self._start, self._moments, self._step = start, moments, 0

    def build_model(self, seed: int) -> nn.Module:
        """Load the weights to begin with, or draw them."""
        if self._start is None:
            return super().build_model(seed)
        return load_checkpoint(self._start.folder, "cpu")

    def backward(self, model: nn.Module, step: int, accelerator: Accelerator) -> Tensor:
        """Accumulate one step's gradients, and note which step it is."""
        self._step = step
        return super().backward(model, step, accelerator)

    def after_step(self, model: nn.Module) -> None:
        """Keep the weights of a moment; a killed attempt may have kept them already."""
        folder = self._moments.get(self._step + 1)
        if folder is not None and not folder.is_dir():
            with atomic_folder(folder) as partial:
                self.save_checkpoint(model, partial)


def proxy_recipe(
    vocab_size: int, tokens_seen: int, *, width: int | None = None, start: Proxy | None = None
) -> Recipe:
    """Return what a proxy is trained with.

    Args:
        vocab_size: Of the pool's tokenizer.
        tokens_seen: Budget, of which a tenth at most is spent warming up.
        width: Of the residual stream; the feed-forward layer grows with it.
        start: What it goes on from, if anything: then rates are a tenth.
    """
    name = FINE_TUNING_SCALE if start else SCALE
    scale = load_scale_file(package_folder("tracks") / "text" / "scales" / f"{name}.yaml", "text")
    assert isinstance(scale, Scale), "a scale of the text track"
    recipe = scale.recipe
    model = start.recipe.model if start else replace(recipe.model, vocab_size=vocab_size)
    if width:
        model = replace(
            model,
            hidden_size=width,
            intermediate_size=width * model.intermediate_size // model.hidden_size,
            num_heads=width // HEAD_SIZE,
        )
    steps = max(2, tokens_seen // recipe.global_batch_tokens)
    warmup = min(recipe.schedule.warmup_steps, max(1, steps // 10))
    return replace(
        recipe,
        model=model,
        tokens_seen=steps * recipe.global_batch_tokens,
        schedule=replace(recipe.schedule, warmup_steps=warmup),
    )
