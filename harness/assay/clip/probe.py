"""Linear probes: what a simple classifier makes of frozen image features. A diagnostic; in no average."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from assay.clip.encode import Transform, TwoTowers, encode_images
from assay.console import progress
from assay.errors import SuiteError
from assay.foundry.draw import Draw
from assay.score.arithmetic import exact_mean
from assay.suite.clip import ClipSuite, ClipTask, clip_suite_folder
from assay.suite.clip.files import read_clip_items
from assay.suite.clip.lock import shard_paths

INVERSE_STRENGTH = 0.316
"""Scikit-learn's C, on features of zero mean and unit variance; the value of CLIP's published example."""
MAX_ITERATIONS = 1000


_Examples = tuple[NDArray[np.float32], NDArray[np.int64]]


@dataclass(frozen=True)
class ProbeScore:
    """A probe's metrics on one task.

    Attributes:
        lp_acc1: Accuracy on the test half or split.
        lp_mean_per_class_recall: Mean over the classes that it has.
        num_train: Images that the classifier was fitted on.
        num_test: Images that it was tested on.
    """

    lp_acc1: float
    lp_mean_per_class_recall: float
    num_train: int
    num_test: int


def linear_probe(
    model: TwoTowers,
    transform: Transform,
    suite: ClipSuite,
    folder: Path,
    *,
    device: str = "cpu",
    batch_size: int = 256,
    show_progress: bool = True,
) -> dict[str, ProbeScore]:
    """Fit a logistic regression on the image features of every classification task.

    A task with a `train` split is fitted on it and tested on its items; of another, the first half of a
    permutation drawn from its name is fitted on and the rest tested.

    Args:
        model: An open_clip model on `device`, in evaluation mode.
        transform: An RGB image to a normalised tensor, (3, size, size).
        suite: Its retrievals and associations are left out.
        folder: Holds the suite's files, which are compared with their digests.
        device: Where the model is.
        batch_size: Images at a time.
        show_progress: Whether to show a bar.

    Returns:
        Task name to its scores, in the suite's order.

    Raises:
        SuiteError: If a file is absent or does not match, an image cannot be decoded, or the images to
            fit on are all of one class.
    """
    assert not model.training, "a model in training mode would drop patches or units"
    clip_suite_folder(suite, folder)
    tasks = [task for task in suite.tasks if task.kind == "classification"]
    scores: dict[str, ProbeScore] = {}

    def features(task: ClipTask, split: Literal["train", "test"]) -> _Examples:
        labels: list[int] = []

        def images() -> Iterator[tuple[str, bytes]]:
            for item in read_clip_items(suite, task, folder, split=split):
                labels.append(item.gold[0])
                yield item.where, item.images[0]

        vectors = encode_images(model, transform, images(), device=device, batch_size=batch_size)
        return vectors.cpu().numpy(), np.array(labels)

    with progress("probing", len(tasks), "tasks", enabled=show_progress) as bar:
        for task in tasks:
            test = features(task, "test")
            if shard_paths(suite, task, folder, "train"):
                train = features(task, "train")
            else:
                train, test = _halves(task.name, test)
            scores[task.name] = _probe(task.name, train, test)
            bar.update()
    return scores


def _halves(name: str, examples: _Examples) -> tuple[_Examples, _Examples]:
    vectors, labels = examples
    order = list(range(len(labels)))
    Draw(f"linear-probe/{name}").shuffle(order)
    first, second = order[: len(order) // 2], order[len(order) // 2 :]
    return (vectors[first], labels[first]), (vectors[second], labels[second])


def _probe(name: str, train: _Examples, test: _Examples) -> ProbeScore:
    from sklearn.linear_model import LogisticRegression
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import StandardScaler

    if len(np.unique(train[1])) < 2:
        raise SuiteError(
            f"task {name!r}: a probe needs images of two classes to fit on, got {len(train[1])} of "
            "one or none; score without --linear-probe"
        )
    classifier = make_pipeline(
        StandardScaler(), LogisticRegression(C=INVERSE_STRENGTH, max_iter=MAX_ITERATIONS)
    )
    right = (classifier.fit(*train).predict(test[0]) == test[1]).astype(np.float64)
    recalls = [exact_mean(right[test[1] == label]) for label in np.unique(test[1])]
    return ProbeScore(exact_mean(right), exact_mean(recalls), len(train[1]), len(test[1]))
