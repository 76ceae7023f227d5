"""The whole audit of a submission, read top to bottom."""

from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from assay import ledger
from assay.audit.clusters import Duplicates, count_duplicates
from assay.audit.composition import (
    Breakdown,
    Epochs,
    Lengths,
    breakdowns,
    epochs,
    lengths,
)
from assay.audit.contamination import (
    Match,
    TaskContamination,
    flagged_items,
    task_contamination,
)
from assay.audit.duplicates import similar_documents
from assay.audit.embeddings import EmbeddingDuplicates, embedding_duplicates
from assay.audit.images import ImageIndex, ImageMatch, image_index, match_images
from assay.audit.index_folder import sealed_manifest
from assay.audit.language import scripts_of
from assay.audit.ngrams import suite_index
from assay.audit.overlap import Overlap, overlaps
from assay.audit.rescore import CleanScore, clean_score, read_outputs
from assay.audit.scan import Selected, scan_images, scan_texts
from assay.errors import RunError, SubmissionError
from assay.pool import AnyPool, ImageTextPool, Pool
from assay.selection import select_rows
from assay.signals.clip.fingerprints import similar_images
from assay.signals.clusters import equal_neighbours
from assay.submission import Manifest, Submission, Unit, read_manifest, sidecar_path, validate_file
from assay.suite.clip import ClipSuite
from assay.suite.clip.embedded import prepare_clip_suite
from assay.suite.embedded import prepare_suite
from assay.track.load import LoadedScale
from assay.track.pools import open_pool

CAPTIONS_LOOKED_AT = 20_000


@dataclass(frozen=True)
class RunScore:
    """A run of the audited submission, with and without the items that it holds.

    Attributes:
        record: Digest.
        seed: Of the run.
        full: The record's own metrics.
        without_leaked: Without items that the selection leaks.
        without_overlapping: Without items that it leaks or overlaps.
    """

    record: str
    seed: int
    full: dict[str, float | None]
    without_leaked: CleanScore
    without_overlapping: CleanScore


@dataclass(frozen=True)
class Content:
    """What reading the selected examples found.

    Attributes:
        matches: Items of the suite in them.
        exact: Examples with equal text, or equal files of images.
        near: Examples with nearly equal text, or images that show the same.
        scripts: Share of letters in each script.
        unreadable: Images that cannot be decoded.
        embeddings: Near-duplicates by features beside the pool.
    """

    matches: list[Match] | list[ImageMatch]
    exact: Duplicates
    near: Duplicates
    scripts: dict[str, float]
    unreadable: int
    embeddings: tuple[EmbeddingDuplicates, ...]


@dataclass(frozen=True, eq=False)
class Audit:
    """Everything that is known of a submission.

    Attributes:
        loaded: Track and scale.
        pool: The candidates.
        submission: In canonical form.
        manifest: What the participant declares.
        selected: The different examples.
        content: What reading them found.
        contamination: By task.
        breakdowns: By heading.
        lengths: Of documents; of captions and images.
        epochs: How often a run sees them.
        overlaps: With earlier submissions, nearest first.
        runs: Of this submission, with clean scores.
    """

    loaded: LoadedScale
    pool: AnyPool
    submission: Submission
    manifest: Manifest
    selected: Selected
    content: Content
    contamination: dict[str, TaskContamination]
    breakdowns: dict[str, Breakdown]
    lengths: tuple[Lengths, ...]
    epochs: Epochs
    overlaps: list[Overlap]
    runs: list[RunScore]


def audit_file(
    path: Path, loaded: LoadedScale, *, unit: Unit | None = None, workers: int = 1
) -> Audit:
    """Audit an id list; nothing is trained, and nothing is fetched but what scoring would fetch.

    Args:
        path: The list; its manifest, if there is one, lies beside it.
        loaded: Track and scale.
        unit: What chunk ids count; None takes the manifest's word.
        workers: Processes that read texts or images.

    Raises:
        SubmissionError: If the submission breaks a rule of the track.
        UserError: If the pool or the suite cannot be used.
    """
    if workers < 1:
        raise RunError(f"--workers {workers}: at least one process is needed; try --workers 1")
    pool = open_pool(loaded)
    submission = _accepted(path, loaded, pool, unit)
    sidecar = sidecar_path(path)
    selected = Selected.of(select_rows(submission, pool), pool)
    content = read_content(loaded, pool, selected, workers)
    limit = loaded.spec.suite.items_per_task
    asked = {t.name: min(t.num_items, limit or t.num_items) for t in loaded.suite.tasks}
    records = ledger.read_ledger(loaded.track)
    budget = loaded.recipe.budget
    return Audit(
        loaded=loaded,
        pool=pool,
        submission=submission,
        manifest=read_manifest(sidecar) if sidecar.is_file() else Manifest(),
        selected=selected,
        content=content,
        contamination=task_contamination(content.matches, asked),
        breakdowns=breakdowns(pool, selected),
        lengths=lengths(pool, selected),
        epochs=epochs(pool, selected, budget.unit, budget.amount),
        overlaps=overlaps(submission, records, run_folders(records)),
        runs=clean_runs(loaded, submission, content, records),
    )


def _accepted(path: Path, loaded: LoadedScale, pool: AnyPool, unit: Unit | None) -> Submission:
    """Read a list that the track accepts."""
    report = validate_file(path, pool, loaded.rules, loaded.recipe.budget, unit)
    if refusal := report.refusal:
        raise SubmissionError(refusal.rule, refusal.message, refusal.row)
    assert report.submission is not None, "a file that cannot be read was refused"
    return report.submission


def read_content(loaded: LoadedScale, pool: AnyPool, selected: Selected, workers: int) -> Content:
    """Read every selected example once."""
    suite = loaded.suite
    sealed = sealed_manifest(loaded.folder, suite.name)
    if isinstance(suite, ClipSuite):
        assert isinstance(pool, ImageTextPool), "a pool of the track's kind was opened"
        images = image_index(suite, prepare_clip_suite(suite, loaded.suite_folder), sealed)
        return _pair_content(images, pool, selected, workers)
    assert isinstance(pool, Pool), "a pool of the track's kind was opened"
    texts = suite_index(suite, prepare_suite(suite, loaded.suite_folder), sealed)
    return _text_content(texts, pool, selected, workers)


def _text_content(index_path: Path, pool: Pool, selected: Selected, workers: int) -> Content:
    found = scan_texts(pool, selected, index_path, workers)
    n = len(selected)
    return Content(
        found.matches,
        count_duplicates(n, equal_neighbours([found.keys])),
        count_duplicates(n, similar_documents(found.signed)),
        _shares(found.scripts),
        0,
        (),
    )


def _pair_content(
    index: ImageIndex, pool: ImageTextPool, selected: Selected, workers: int
) -> Content:
    found = scan_images(pool, selected, workers)
    n = len(selected)
    # The digest's first half is as good as all of it here: nobody gains by a false duplicate.
    keys = np.ascontiguousarray(found.digests[:, :8]).view("<u8").reshape(-1)
    equal, similar = equal_neighbours([keys]), similar_images(found)
    near = (np.concatenate([equal[0], similar[0]]), np.concatenate([equal[1], similar[1]]))
    captions = pool.captions(selected.rows[:CAPTIONS_LOOKED_AT])
    return Content(
        match_images(found, selected.rows, index),
        count_duplicates(n, equal),
        count_duplicates(n, near),
        _shares(scripts_of(captions)),
        int((~found.decoded).sum()),
        tuple(embedding_duplicates(pool, selected.rows, name) for name in pool.embedding_names),
    )


def _shares(counts: Counter[str]) -> dict[str, float]:
    total = max(1, counts.total())
    return {name: count / total for name, count in counts.most_common()}


def run_folders(records: list[dict[str, Any]]) -> dict[str, Path]:
    """Return the folders of runs that are still on this machine, by key."""
    if not records:
        return {}
    from assay.runner.plan import run_folder  # imports torch

    folders = {r["digests"]["run"]: run_folder(r["digests"]["run"]) for r in records}
    return {key: folder for key, folder in folders.items() if folder.is_dir()}


def own_records(
    loaded: LoadedScale, submission: Submission, records: list[dict[str, Any]]
) -> list[dict[str, Any]]:
    """Return the records of this submission at this scale, under its present seal, oldest first."""
    return [
        record
        for record in records
        if record["submission"]["digest"] == submission.digest
        and record["track"]["scale"] == loaded.scale
        and record["track"]["seal"] == loaded.seal
    ]


def clean_runs(
    loaded: LoadedScale, submission: Submission, content: Content, records: list[dict[str, Any]]
) -> list[RunScore]:
    """Recompute the scores of this submission's runs without flagged items."""
    mine = own_records(loaded, submission, records)
    folders = run_folders(mine)
    limit = loaded.spec.suite.items_per_task
    leaked = flagged_items(content.matches, leaked_only=True)
    overlapping = flagged_items(content.matches, leaked_only=False)
    scores: dict[int, RunScore] = {}
    for record in mine:
        folder = folders.get(record["digests"]["run"])
        outputs = read_outputs(folder, record) if folder else None
        if outputs is None:
            continue
        without = clean_score(outputs, loaded.suite, leaked, limit)
        full = {name: record["metrics"][name] for name in without.metrics}
        scores[record["seed"]] = RunScore(
            record["digest"],
            record["seed"],
            full,
            without,
            clean_score(outputs, loaded.suite, overlapping, limit),
        )
    return list(scores.values())


def own_checkpoint(audit: Audit) -> Path | None:
    """Return the checkpoint of this submission's newest run on this machine."""
    mine = own_records(audit.loaded, audit.submission, ledger.read_ledger(audit.loaded.track))
    folders = (folder / "checkpoint" for folder in run_folders(mine).values())
    return next((folder for folder in reversed(list(folders)) if folder.is_dir()), None)
