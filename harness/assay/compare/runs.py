"""Runs of this machine's ledger as the table that a data-mixture law is fitted to."""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from assay import ledger
from assay.errors import CompareError
from assay.home import run_folder
from assay.pool import Pool
from assay.pool.uid import find
from assay.selection import Selection, select_rows
from assay.spec import did_you_mean
from assay.strategy.view import PoolView
from assay.strategy.where import select_where
from assay.submission import read_submission
from assay.track.load import LoadedScale, load
from assay.track.pools import open_pool

SUBMISSION_FILE = "submission.parquet"


@dataclass(frozen=True)
class MixtureRun:
    """A run, as the D-CPT law sees it.

    Attributes:
        submission: Its name.
        scale: Name.
        seed: Of the run.
        params: Parameters of the model.
        tokens: Trained on.
        ratio: Share of the tokens shown that are the domain's, in [0, 1].
        loss: Bits per byte of the domain's task.
    """

    submission: str
    scale: str
    seed: int
    params: int
    tokens: int
    ratio: float
    loss: float


def mixture_runs(track: str, scales: list[str], domain: str, task: str) -> list[MixtureRun]:
    """Read the runs whose lists are still on this machine.

    Args:
        track: Of text.
        scales: Names.
        domain: Which documents of a pool are the domain's, as `assay select --where` takes it.
        task: Whose bits per byte are the domain's loss.

    Raises:
        CompareError: If the track is one of images, or its records have no such task.
        StrategyError: If the domain is no such expression.
    """
    loaded = (load(track, scale) for scale in scales)
    return [run for one in loaded for run in _scale_runs(one, domain, task)]


def _scale_runs(loaded: LoadedScale, domain: str, task: str) -> list[MixtureRun]:
    pool = open_pool(loaded)
    if not isinstance(pool, Pool):
        raise CompareError(
            f"{loaded.label} trains on images; the law is one of text; name a text track"
        )
    inside = np.zeros(pool.n, dtype=np.bool_)
    view = PoolView(pool, loaded.recipe.budget.amount)
    inside[find(pool.uids, select_where(view, seed=0, where=domain))] = True
    ratios: dict[str, float] = {}
    found = []
    for record in ledger.read_ledger(loaded.track, loaded.scale):
        path = run_folder(record["digests"]["run"]) / SUBMISSION_FILE
        if record["track"]["seal"] != loaded.seal or not path.is_file():
            continue
        about = record["submission"]
        if about["digest"] not in ratios:
            submission = read_submission(path, unit=about["unit"])
            ratios[about["digest"]] = _ratio(select_rows(submission, pool), inside)
        found.append(
            MixtureRun(
                submission=about["manifest"].get("name") or about["digest"][7:19],
                scale=loaded.scale,
                seed=record["seed"],
                params=record["training"]["parameters"],
                tokens=record["training"]["tokens_seen"],
                ratio=ratios[about["digest"]],
                loss=_loss(record, task),
            )
        )
    return found


def _ratio(selection: Selection, inside: NDArray[np.bool_]) -> float:
    """Return the domain's share of what the whole run is shown."""
    total = 0.0
    for stage in selection.stages:
        assert stage.spans is not None, "a text pool"
        shown = (stage.spans.stop - stage.spans.start) * stage.repeats.astype(np.int64)
        total += stage.share_ppm / 1e6 * float(shown[inside[stage.rows]].sum() / shown.sum())
    return total


def _loss(record: dict[str, Any], task: str) -> float:
    tasks = record["metrics"]["tasks"]
    if task not in tasks:
        raise CompareError(
            f"no record has a task {task!r}{did_you_mean(task, tasks)}; they have {', '.join(tasks)}"
        )
    return tasks[task]["bits_per_byte"]
