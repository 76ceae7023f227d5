"""The dataclasses of an image-text suite."""

from dataclasses import dataclass
from typing import Literal

Kind = Literal["classification", "retrieval", "association"]
"""What a task asks:

- `classification`: which of the classes is in the image.
- `retrieval`: which caption goes with an image, and which image with a caption.
- `association`: which k of a handful of images go with one cue (WinoGAViL).
"""

MainMetric = Literal[
    "acc1",
    "mean_per_class_recall",
    "f1_macro",
    "acc_wg",
    "acc_top5_wg",
    "mean_recall@1",
    "jaccard_score",
    "jaccard_score_10-12",
]
"""The metric that enters averages; `assay.score.clip_metrics` says how each is computed. `wg` is the
worst group; `10-12` are the items with so many candidates. DataComp's names are the same but for
`f1_macro` (`F1-macro_all`) and FMoW's `acc_wg` (`acc_worst_region`)."""


@dataclass(frozen=True)
class ClipTask:
    """One task of an image-text suite.

    Attributes:
        name: Unique in the suite; the files are below a folder of this name.
        group: Heading under which it is shown and averaged, such as `vtab`.
        kind: See `Kind`.
        main_metric: See `MainMetric`; None for a task that is reported and enters no average.
        num_items: Images; of an association, cues.
        num_classes: 0 where there are none.
        num_captions: Of all images together; None where there are none or nobody counted them.
        shards: `sha256:` of `test/0.tar`, `test/1.tar`, ...; None where the files were published by
            others and are pinned by the folder's lock file instead.
        train_shards: The same of `train/`, for linear probes alone.
        classes: Names of each class, which count alike; empty where the folder's files hold them.
        templates: Prompts, `{c}` standing for the name; empty where the folder's files hold them.
        prompts: Only classes and templates with this prefix (`gender` of `gender:male`), without it.
        gold_column: Position of the class in an item's `.npy`, where that is not in its `.cls`.
        group_column: Position of the group in an item's `.npy`, where that is not in its `.group`.
        source: Where the files come from: a URL or a dataset of huggingface.co; None for nowhere.
        description: One line for people.
    """

    name: str
    group: str
    kind: Kind
    main_metric: MainMetric | None
    num_items: int
    num_classes: int = 0
    num_captions: int | None = None
    shards: tuple[str, ...] | None = None
    train_shards: tuple[str, ...] = ()
    classes: tuple[tuple[str, ...], ...] = ()
    templates: tuple[str, ...] = ()
    prompts: str | None = None
    gold_column: int | None = None
    group_column: int | None = None
    source: str | None = None
    description: str = ""


@dataclass(frozen=True)
class ClipSuite:
    """A named, versioned list of image-text tasks; an average over it needs every one of them.

    Attributes:
        name: Such as `foundry-clip`, `datacomp38`.
        version: Bumped whenever a score could move.
        tasks: In the order in which they are shown.
        modality: Tells the file from a text suite's.
    """

    name: str
    version: int
    tasks: tuple[ClipTask, ...]
    modality: Literal["clip"] = "clip"
