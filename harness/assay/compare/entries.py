"""Which submissions are compared, and their scores at each scale, from the ledger."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from assay import ledger
from assay.board import (
    PRIMARY_METRICS,
    Groups,
    Metric,
    group_label,
    group_records,
    submission_name,
)
from assay.errors import CompareError
from assay.spec import did_you_mean
from assay.submission import read_submission

TASK_METRICS = {
    "bits_per_byte": "bits_per_byte",
    "centered_accuracy": "centered_accuracy",
    "average": "main_metric",
    "centered_average": "centered_main_metric",
}
"""Primary metric to the field of a task that it averages."""
SHORTEST_PREFIX = 6


@dataclass(frozen=True)
class ScaleScores:
    """All comparable records of one scale.

    Attributes:
        track: Name.
        scale: Name.
        label: `track/scale@version`.
        sealed: False where the track's files differ from its recorded seal.
        groups: Submission digest to seed to record, of every submission that shares seal, pool and items.
        chosen: Those that are compared, digest to name, in the order asked for.
        missing: Names asked for that have no record here.
    """

    track: str
    scale: str
    label: str
    sealed: bool
    groups: Groups
    chosen: dict[str, str]
    missing: tuple[str, ...]

    def values(self, metric: str) -> dict[str, list[float]]:
        """Return every submission's scores, one a seed, by digest."""
        return {
            digest: [record["metrics"][metric] for record in seeds.values()]
            for digest, seeds in self.groups.items()
        }

    def task_values(self, metric: str, task: str) -> dict[str, list[float]]:
        """Return every submission's scores of one task, one a seed, by digest."""
        field = TASK_METRICS[metric]
        return {
            digest: [record["metrics"]["tasks"][task][field] for record in seeds.values()]
            for digest, seeds in self.groups.items()
        }

    def tasks(self, metric: str) -> list[str]:
        """Return the tasks that the metric averages."""
        tasks = next(iter(next(iter(self.groups.values())).values()))["metrics"].get("tasks", {})
        part = "main_metric" if metric in ("average", "centered_average") else "accuracy"
        return [name for name, task in tasks.items() if task[part] is not None]


def gather(track: str, scales: Sequence[str], wanted: Sequence[str]) -> list[ScaleScores]:
    """Find the submissions at each scale.

    Args:
        track: Name.
        scales: Names, smallest first.
        wanted: Names, digests or their beginnings, or files of ids; none takes every submission.

    Raises:
        CompareError: If one is nowhere in the ledger, stands for several submissions, or a scale has fewer
        than
            two of them or lacks the first.
    """
    found = {scale: group_records(ledger.read_ledger(track, scale)) for scale in scales}
    known = {
        digest: submission_name(groups, digest)
        for tables in found.values()
        for groups in tables.values()
        for digest in groups
    }
    digests = [_resolve(word, known, track) for word in wanted] or list(known)
    if len(set(digests)) < len(digests):
        twice = next(digest for digest in digests if digests.count(digest) > 1)
        raise CompareError(f"submission {known[twice]!r} is named twice; name two different ones")
    return [_scores(track, scale, found[scale], digests, known) for scale in scales]


def primary_metric(scores: ScaleScores, wanted: str | None) -> Metric:
    """Return the metric of that name, or the one that ranks.

    Raises:
        CompareError: If the track has no such primary metric.
    """
    record = next(iter(next(iter(scores.groups.values())).values()))
    metrics = PRIMARY_METRICS[record["track"]["modality"]]
    for metric in metrics:
        if wanted in (None, metric.name):
            return metric
    names = ", ".join(metric.name for metric in metrics)
    raise CompareError(f"track {scores.track!r} has no metric {wanted!r}; choose from {names}")


def _resolve(word: str, known: dict[str, str], track: str) -> str:
    """Return the digest that a name, a beginning of a digest or a file stands for."""
    named = [digest for digest, name in known.items() if name == word]
    if not named and len(word.removeprefix("sha256:")) >= SHORTEST_PREFIX:
        named = [
            d for d in known if d.removeprefix("sha256:").startswith(word.removeprefix("sha256:"))
        ]
    if not named and Path(word).is_file():
        digest = read_submission(Path(word)).digest
        if digest not in known:
            raise CompareError(
                f"{word} has no record on track {track!r}; make one with: assay score {word} --track {track}"
            )
        return digest
    if len(named) > 1:
        shown = ", ".join(digest.removeprefix("sha256:")[:12] for digest in named)
        raise CompareError(
            f"{word!r} stands for {len(named)} submissions; name one by digest: {shown}"
        )
    if not named:
        raise CompareError(
            f"no submission {word!r} in the ledger of track {track!r}{did_you_mean(word, known.values())}; "
            f"see: assay board --track {track}"
        )
    return named[0]


def _scores(
    track: str, scale: str, tables: dict[Any, Groups], digests: list[str], known: dict[str, str]
) -> ScaleScores:
    """Take the table that has most of the submissions; of equals the one that was added to last."""
    if not tables:
        raise CompareError(
            f"no record at {track}/{scale}; make one with: assay score s.npy --track {track} --scale {scale}"
        )
    key = max(tables, key=lambda k: (sum(d in tables[k] for d in digests), _newest(tables[k])))
    groups = tables[key]
    present = {digest: known[digest] for digest in digests if digest in groups}
    missing = tuple(known[digest] for digest in digests if digest not in groups)
    if len(present) < 2 or digests[0] not in groups:
        lacking = (
            known[digests[0]] if digests[0] not in groups else ", ".join(missing) or "a second"
        )
        raise CompareError(
            f"{track}/{scale} has no comparable record of {lacking}; it needs the first submission and "
            f"another one; see: assay board --track {track} --scale {scale}"
        )
    return ScaleScores(track, scale, group_label(groups), key[3], groups, present, missing)


def _newest(groups: Groups) -> str:
    return max(r["clock"]["finished"] for seeds in groups.values() for r in seeds.values())
