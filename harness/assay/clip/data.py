"""Batches of pairs, read in place: from the pool's bytes to tensors, in this process or in workers.

The feed of a process is the sequence of its micro-batches. Everything in it follows from the plan, so
workers change nothing but speed.
"""

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from PIL import Image
from torch import Tensor
from torch.utils.data import DataLoader, Dataset

from assay.clip.batches import PairPlan
from assay.clip.images import crop_transform, shifted, thumbnail, to_batch
from assay.clip.tokenizer import Tokenize
from assay.errors import AssayError, TrainingError
from assay.order import drawn_order
from assay.pool import ImageTextPool
from assay.pool.imagetext.images import ImageProblem, decode_image
from assay.track.clip_spec import ClipRecipe

CACHE_BYTES = 1_000_000_000
"""For decoded thumbnails, in all processes of a run together."""

MAX_TRIES = 100
"""Replacements tried for an image that cannot be decoded, before the pool is called broken."""

UNDECODABLE_FILE = "undecodable.jsonl"


@dataclass(frozen=True)
class PairBatch:
    """A micro-batch.

    Attributes:
        images: float32 (k, 3, S, S), normalised.
        tokens: int64 (k, context_length).
    """

    images: Tensor
    tokens: Tensor

    def to(self, device: torch.device) -> "PairBatch":
        """Move both tensors."""
        return PairBatch(
            self.images.to(device, non_blocking=True), self.tokens.to(device, non_blocking=True)
        )

    def pin_memory(self) -> "PairBatch":
        """Let copies to a GPU overlap with work; the data loader calls this."""
        return PairBatch(self.images.pin_memory(), self.tokens.pin_memory())


class PairReader:
    """Reads, decodes and tokenises rows of a pool.

    An image that cannot be decoded is replaced by another pair of the pool's selection, which depends
    on its row alone: a run's count of samples stays exact, and the same in every process.
    """

    def __init__(
        self,
        pool: ImageTextPool,
        rows: NDArray[np.int64],
        recipe: ClipRecipe,
        tokenize: Tokenize,
        folder: Path,
        *,
        cache_bytes: int = CACHE_BYTES,
    ):
        """Prepare to read.

        Args:
            pool: The candidates.
            rows: (n,) all rows that may be asked for, sorted.
            recipe: Size, preprocessing.
            tokenize: Turns captions into ids.
            folder: Where undecodable images are listed.
            cache_bytes: Decoded thumbnails of all rows are kept where they take no more than this.
        """
        self._pool, self._rows, self._recipe, self._tokenize = pool, rows, recipe, tokenize
        self._folder = folder
        self._size = recipe.model.image.image_size
        self._replacements: dict[int, int] = {}
        self._crop = None
        self._cache = self._filled = None
        self._tokens: dict[int, Tensor] = {}
        if recipe.preprocess.augmentation == "crop":
            self._crop = crop_transform(recipe.preprocess, self._size)
        elif len(rows) * 3 * self._size**2 <= cache_bytes:
            self._cache = np.empty((len(rows), self._size, self._size, 3), dtype=np.uint8)
            self._filled = np.zeros(len(rows), dtype=bool)

    def read(self, rows: NDArray[np.int64], words: NDArray[np.uint64]) -> PairBatch:
        """Return the pairs at these rows.

        Args:
            rows: (k,) rows of the pool.
            words: (k,) random words of their augmentation.
        """
        if self._crop is None:
            thumbnails = np.stack([self._thumbnail(int(row)) for row in rows])
            images = shifted(thumbnails, words, self._recipe.preprocess)
        else:
            images = self._cropped(rows, words)
        return PairBatch(images, self._read_tokens(rows))

    def _read_tokens(self, rows: NDArray[np.int64]) -> Tensor:
        """Tokenise captions; kept where thumbnails are kept, since cleaning them takes longer."""
        used = [self._replacements.get(int(row), int(row)) for row in rows]
        if self._cache is None:
            return self._tokenize(list(self._pool.captions(used)))
        if new := sorted({row for row in used if row not in self._tokens}):
            found = self._tokenize(list(self._pool.captions(new)))
            self._tokens |= dict(zip(new, found, strict=True))
        return torch.stack([self._tokens[row] for row in used])

    def _cropped(self, rows: NDArray[np.int64], words: NDArray[np.uint64]) -> Tensor:
        with torch.random.fork_rng(devices=[]):
            crops = (self._crop_one(int(row), word) for row, word in zip(rows, words, strict=True))
            return to_batch(crops, len(rows), self._recipe.preprocess)

    def _crop_one(self, row: int, word: np.uint64) -> Image.Image:
        assert self._crop is not None
        image = self._decode(row)
        # Of the CPU alone: `torch.manual_seed` also visits every other device, which takes longer than
        # the crop. torch takes 63 bits and a sign.
        torch.default_generator.manual_seed(int(word) >> 1)
        return self._crop(image)

    def _thumbnail(self, row: int) -> NDArray[np.uint8]:
        if self._cache is None or self._filled is None:
            return thumbnail(self._decode(row), self._recipe.preprocess, self._size)
        place = int(np.searchsorted(self._rows, row))
        if not self._filled[place]:
            self._cache[place] = thumbnail(self._decode(row), self._recipe.preprocess, self._size)
            self._filled[place] = True
        return self._cache[place]

    def _decode(self, row: int) -> Image.Image:
        """Decode a row's image, or that of the pair that takes its place."""
        row = self._replacements.get(row, row)
        try:
            return self._open(row)
        except ImageProblem as problem:
            return self._replace(row, problem)

    def _open(self, row: int) -> Image.Image:
        transparency = self._recipe.preprocess.transparency
        return decode_image(self._pool.image_bytes(row), transparency=transparency)

    def _replace(self, bad: int, problem: ImageProblem) -> Image.Image:
        for place in drawn_order(len(self._rows), "replace", self._pool.root, bad)[:MAX_TRIES]:
            row = int(self._rows[place])
            try:
                image = self._open(row)
            except ImageProblem:
                continue
            self._replacements[bad] = row
            self._note(bad, row, problem)
            return image
        raise TrainingError(
            f"{MAX_TRIES} images of pool {self._pool.name} in a row cannot be decoded (row {bad}: {problem}); "
            f"see what is wrong with: assay pool verify {self._pool.name}"
        )

    def _note(self, bad: int, row: int, problem: ImageProblem) -> None:
        line = json.dumps({"row": bad, "replaced_by": row, "problem": str(problem)})
        with (self._folder / UNDECODABLE_FILE).open("a", encoding="utf-8") as stream:
            stream.write(line + "\n")


def undecodable_rows(folder: Path) -> list[int]:
    """Return the rows whose images a run could not decode, sorted, whoever met them."""
    path = folder / UNDECODABLE_FILE
    if not path.is_file():
        return []
    rows: set[int] = set()
    for line in path.read_text(encoding="utf-8").splitlines():
        try:
            rows.add(json.loads(line)["row"])
        except ValueError:  # torn by a kill; the run met the image again
            continue
    return sorted(rows)


class _MicroBatches(Dataset[PairBatch | AssayError]):
    """The micro-batches of one process, numbered over the whole run."""

    def __init__(self, reader: PairReader, plan: PairPlan, spans: Sequence[range]):
        self._reader, self._plan, self._spans = reader, plan, spans

    def __getitem__(self, number: int) -> PairBatch | AssayError:
        step, part = divmod(number, len(self._spans))
        span = slice(self._spans[part].start, self._spans[part].stop)
        try:
            return self._reader.read(self._plan.rows(step)[span], self._plan.words(step)[span])
        except AssayError as error:
            return error  # raised by whoever asked: a worker would wrap it in its own traceback


def feed(
    reader: PairReader,
    plan: PairPlan,
    spans: Sequence[range],
    *,
    first_step: int,
    workers: int,
    pin: bool = False,
) -> Iterator[PairBatch]:
    """Yield one process's micro-batches from a step on, in order.

    Args:
        reader: Reads them.
        plan: Says which pairs they hold.
        spans: The process's parts of a global batch.
        first_step: Where to begin.
        workers: Processes that read ahead; 0 reads in this one.
        pin: Whether to put batches into pinned memory.

    Raises:
        PoolError: If a file of the pool is gone.
        TrainingError: If too many images cannot be decoded.
    """
    numbers = range(first_step * len(spans), plan.steps * len(spans))
    loader = DataLoader(
        _MicroBatches(reader, plan, spans),
        sampler=numbers,  # pyright: ignore[reportArgumentType]
        batch_size=None,
        num_workers=workers,
        prefetch_factor=4 if workers else None,
        pin_memory=pin,
        # A reader holds open files and memory maps, which a fresh interpreter could not be sent.
        multiprocessing_context="fork" if workers else None,
    )
    for batch in loader:
        if isinstance(batch, AssayError):
            raise batch
        yield batch
