"""Many runs: which lists they train on, and which of them have a record already."""

from pathlib import Path
from typing import Any

from assay import ledger
from assay.errors import SubmissionError
from assay.pool import AnyPool
from assay.runner.plan import make_plan
from assay.runner.scoring import score_file
from assay.settings import Settings
from assay.spec import did_you_mean
from assay.strategy import list_strategies
from assay.strategy.baselines import list_path, load_baseline, make_baseline_list
from assay.submission import Manifest, Submission, read_manifest, sidecar_path
from assay.track.load import LoadedScale
from assay.track.pools import open_pool


def submission_list(loaded: LoadedScale, word: str) -> Path:
    """Return the file of ids that a word stands for, made first where it names a baseline.

    Raises:
        SubmissionError: F1, if there is neither such a file nor such a baseline.
        StrategyError: If the baseline fails.
    """
    if not is_baseline(loaded, word):
        return Path(word)
    return make_baseline_list(loaded, open_pool(loaded), load_baseline(word, loaded.modality))


def list_if_made(loaded: LoadedScale, word: str, pool: AnyPool | None) -> Path | None:
    """Return the file of ids that a word stands for; None for a baseline that has not chosen yet.

    Raises:
        SubmissionError: F1, if there is neither such a file nor such a baseline.
    """
    if not is_baseline(loaded, word):
        return Path(word)
    if pool is None:
        return None
    path = list_path(loaded, pool.root, load_baseline(word, loaded.modality))
    return path if sidecar_path(path).is_file() else None


def is_baseline(loaded: LoadedScale, word: str) -> bool:
    """Say whether a word names one of the package's baselines, settings or not, and not a file.

    Raises:
        SubmissionError: F1, if it is neither.
    """
    if Path(word).is_file():
        return False
    known = list_strategies(loaded.modality)
    if word.partition(":")[0] in known:
        return True
    raise SubmissionError(
        "F1",
        f"there is no file {word!r} and no {loaded.modality} baseline of that name"
        f"{did_you_mean(word, known)}; baselines are {', '.join(known)}; write a list with: assay select",
    )


def score_list(
    path: Path, loaded: LoadedScale, *, seeds: int, settings: Settings
) -> list[dict[str, Any]]:
    """Score a list as `assay score` does, under the manifest beside it."""
    sidecar = sidecar_path(path)
    return score_file(
        path,
        track=loaded.track,
        scale=loaded.scale,
        seeds=seeds,
        settings=settings,
        manifest=read_manifest(sidecar) if sidecar.is_file() else Manifest(),
    )


def finished_runs(
    loaded: LoadedScale, submission: Submission, pool: AnyPool, seeds: int, settings: Settings
) -> tuple[int, int]:
    """Count the runs of a submission that scoring here would find in the ledger, and those that it would not.

    Returns:
        Seeds that have a record, and seeds that have one under other settings or software only: to score them
        here would run them again.
    """
    plans = [make_plan(loaded, submission, pool, index, settings) for index in range(seeds)]
    records = [
        record
        for record in ledger.read_ledger(loaded.track, loaded.scale)
        if record["track"]["seal"] == loaded.seal
        and record["submission"]["digest"] == submission.digest
        and record["digests"]["pool"] == pool.root
    ]
    here = {record["digests"]["run"] for record in records}
    anywhere = {record["seed"] for record in records}
    finished = sum(plan.key in here for plan in plans)
    return finished, sum(plan.seed in anywhere and plan.key not in here for plan in plans)
