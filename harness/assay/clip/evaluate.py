"""Ask a CLIP model the questions of a suite and keep what it made of every single item."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pyarrow as pa
from torch import Tensor

from assay.clip.encode import (
    Tokenize,
    Transform,
    TwoTowers,
    encode_classes,
    encode_images,
    encode_texts,
)
from assay.clip.judge import Verdicts, judge
from assay.console import progress
from assay.score.clip import CLIP_OUTPUT_SCHEMA
from assay.suite.clip import ClipSuite, ClipTask
from assay.suite.clip.files import clip_suite_folder, read_clip_items
from assay.suite.clip.prompts import class_names, prompt_templates
from assay.suite.clip.shards import ClipItem

if TYPE_CHECKING:
    from tqdm import tqdm

DEPTH = 5
"""Answers kept of each question, the likeliest first."""


def evaluate_clip(
    model: TwoTowers,
    tokenize: Tokenize,
    transform: Transform,
    suite: ClipSuite,
    folder: Path,
    *,
    items_per_task: int | None = None,
    device: str = "cpu",
    batch_size: int = 256,
    show_progress: bool = True,
) -> pa.Table:
    """Evaluate a CLIP model on a suite, zero-shot.

    Args:
        model: An open_clip model on `device`, in evaluation mode; the features are compared in fp32.
        tokenize: Texts to token ids, (k, context).
        transform: An RGB image to a normalised tensor, (3, size, size).
        suite: What to ask.
        folder: Holds the suite's files, which are compared with their digests.
        items_per_task: Only the first so many items of each task, or None for all.
        device: Where the model is.
        batch_size: Images or texts at a time; moves no score beyond rounding.
        show_progress: Whether to show a bar.

    Returns:
        One row a question, in suite order, with the columns of `assay.score.clip.CLIP_OUTPUT_SCHEMA`.

    Raises:
        SuiteError: If a file is absent or does not match, an image cannot be decoded, or the model's
            output is not finite.
    """
    assert not model.training, "a model in training mode would drop patches or units"
    clip_suite_folder(suite, folder)
    sizes = [min(task.num_items, items_per_task or task.num_items) for task in suite.tasks]
    ask = {"classification": _classify, "retrieval": _retrieve, "association": _associate}
    tables: list[pa.Table] = []
    with progress("evaluating", sum(sizes), "items", enabled=show_progress) as bar:
        for task in suite.tasks:
            run = _Run(
                model=model,
                tokenize=tokenize,
                transform=transform,
                task=task,
                items=_counted(read_clip_items(suite, task, folder, limit=items_per_task), bar),
                folder=folder,
                device=device,
                batch_size=batch_size,
            )
            tables += ask[task.kind](run)
    return pa.concat_tables(tables)


def _counted(items: Iterator[ClipItem], bar: "tqdm[Any]") -> Iterator[ClipItem]:
    for item in items:
        yield item
        bar.update()


@dataclass(frozen=True)
class _Run:
    """One task with everything that asking it takes."""

    model: TwoTowers
    tokenize: Tokenize
    transform: Transform
    task: ClipTask
    items: Iterator[ClipItem]
    folder: Path
    device: str
    batch_size: int

    @property
    def logit_scale(self) -> float:
        return float(self.model.logit_scale.detach().exp())

    def images(self, images: Iterator[tuple[str, bytes]]) -> Tensor:
        return encode_images(
            self.model,
            self.transform,
            images,
            device=self.device,
            batch_size=self.batch_size,
        )

    def texts(self, texts: Sequence[str]) -> Tensor:
        return encode_texts(
            self.model, self.tokenize, texts, device=self.device, batch_size=self.batch_size
        )

    def table(
        self,
        verdicts: Verdicts,
        golds: Sequence[Sequence[int]],
        num_candidates: Sequence[int],
        *,
        part: str = "",
        groups: Sequence[str | None] | None = None,
    ) -> pa.Table:
        count = len(golds)
        columns = {
            "task": [self.task.name] * count,
            "item": range(count),
            "part": [part] * count,
            "gold": golds,
            "top": verdicts.top,
            "rank": verdicts.rank,
            "tied": verdicts.tied,
            "num_candidates": num_candidates,
            "log_prob": verdicts.log_prob,
            "group": groups or [None] * count,
        }
        return pa.table(columns, schema=CLIP_OUTPUT_SCHEMA)


def _classify(run: _Run) -> list[pa.Table]:
    classes = encode_classes(
        run.model,
        run.tokenize,
        class_names(run.task, run.folder),
        prompt_templates(run.task, run.folder),
        device=run.device,
        batch_size=run.batch_size,
    )
    golds: list[tuple[int, ...]] = []
    groups: list[str | None] = []

    def images() -> Iterator[tuple[str, bytes]]:
        for item in run.items:
            golds.append(item.gold)
            groups.append(item.group)
            yield item.where, item.images[0]

    features = run.images(images())
    verdicts = judge(features, classes, golds, logit_scale=run.logit_scale, depth=DEPTH)
    return [run.table(verdicts, golds, [len(classes)] * len(golds), groups=groups)]


def _retrieve(run: _Run) -> list[pa.Table]:
    captions: list[str] = []
    own: list[range] = []
    groups: list[str | None] = []

    def images() -> Iterator[tuple[str, bytes]]:
        for item in run.items:
            own.append(range(len(captions), len(captions) + len(item.captions)))
            captions.extend(item.captions)
            groups.append(item.group)
            yield item.where, item.images[0]

    pictures = run.images(images())
    texts = run.texts(captions)
    of_image = [list(span) for span in own]
    of_text = [[number] for number, span in enumerate(own) for _ in span]
    asked = {"logit_scale": run.logit_scale, "depth": DEPTH}
    return [
        run.table(
            judge(pictures, texts, of_image, **asked),
            of_image,
            [len(texts)] * len(of_image),
            part="image",
            groups=groups,
        ),
        run.table(
            judge(texts, pictures, of_text, **asked),
            of_text,
            [len(pictures)] * len(of_text),
            part="text",
            groups=[groups[gold[0]] for gold in of_text],
        ),
    ]


def _associate(run: _Run) -> list[pa.Table]:
    cues: list[str] = []
    golds: list[tuple[int, ...]] = []
    sizes: list[int] = []
    groups: list[str | None] = []

    def images() -> Iterator[tuple[str, bytes]]:
        for item in run.items:
            cues.append(item.captions[0])
            golds.append(item.gold)
            sizes.append(len(item.images))
            groups.append(item.group)
            for number, image in enumerate(item.images):
                yield f"{item.where} image {number}", image

    features = run.images(images())
    texts = run.texts(cues)
    verdicts = Verdicts()
    for text, candidates, gold in zip(texts, features.split(sizes), golds, strict=True):
        one = judge(text[None], candidates, [gold], logit_scale=run.logit_scale, depth=len(gold))
        for name, values in vars(one).items():
            getattr(verdicts, name).extend(values)
    return [run.table(verdicts, golds, sizes, groups=groups)]
