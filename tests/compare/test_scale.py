"""Error rates of what `assay compare` says, through the function that it calls."""

import numpy as np
import pytest

from assay.board import Metric
from assay.compare import scale
from assay.compare.entries import ScaleScores
from assay.compare.scale import compare_scale
from assay.stats import ranks

METRIC = Metric("bits_per_byte", "bits/byte", lower_is_better=True)
TASKS = ("facts", "sums", "words")


def scores(table: np.ndarray) -> ScaleScores:
    """Return a scale's records, each task's score being the run's, for entries x seeds x tasks."""
    groups = {
        str(entry): {
            100 * entry + seed: {
                "track": {"name": "absent", "scale": "nano"},
                "metrics": {
                    "bits_per_byte": float(tasks.mean()),
                    "tasks": {
                        name: {"accuracy": 0.5, "bits_per_byte": value}
                        for name, value in zip(TASKS, tasks.tolist(), strict=True)
                    },
                },
            }
            for seed, tasks in enumerate(runs)
        }
        for entry, runs in enumerate(table)
    }
    return ScaleScores(
        track="absent",
        scale="nano",
        label="absent/nano@1",
        sealed=True,
        groups=groups,
        chosen={name: name for name in groups},
        missing=(),
        methods={name: number for number, name in enumerate(groups)},
    )


def test_the_familys_error_is_five_percent_at_most(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    # What is not looked at here, and takes most of the time.
    monkeypatch.setattr(ranks, "DRAWS", 10)
    for name in ("shared_item_error", "detectable_difference", "bradley_terry"):
        monkeypatch.setattr(scale, name, lambda *_, **__: None)
    rng, tables, wrong = np.random.default_rng(101), 3000, np.zeros(3)
    for table in rng.normal(0, 1, (tables, 6, 3, len(TASKS))):
        found = compare_scale(scores(table), METRIC)
        versus = [entry.versus_first for entry in found.entries if entry.versus_first]
        assert len(versus) == 5
        wrong += [
            any(one.p_holm is not None and one.p_holm < 0.05 for one in versus),
            any(task.p_holm is not None and task.p_holm < 0.05 for task in versus[0].tasks),
            any(entry.rank != 1 for entry in found.entries),
        ]
    assert (wrong > 0).all()
    assert (wrong / tables < 0.05 + 0.0120).all()  # three standard errors of this simulation
