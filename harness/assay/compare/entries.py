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
        methods: Digest to what is one and the same across scales: pools differ, so a method has another
            list, and another digest, at each.
    """

    track: str
    scale: str
    label: str
    sealed: bool
    groups: Groups
    chosen: dict[str, str]
    missing: tuple[str, ...]
    methods: dict[str, int]

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
    asked = [_resolve(word, known, track) for word in wanted] or _every(known, found)
    digests = [digest for method in asked for digest in method]
    if len(set(digests)) < len(digests):
        twice = next(digest for digest in digests if digests.count(digest) > 1)
        raise CompareError(f"submission {known[twice]!r} is named twice; name two different ones")
    return [_scores(track, scale, found[scale], asked, known) for scale in scales]


Method = tuple[str, ...]
"""Digests of the lists of one method, one a pool; which of them counts, a scale's records say."""


def _every(known: dict[str, str], found: dict[str, dict[Any, Groups]]) -> list[Method]:
    """Return every method; lists of one name are one method unless a table holds several of them.

    Those with a record at every scale come first: the first is what the others are compared with.
    """
    tables = [groups for each in found.values() for groups in each.values()]
    methods: list[Method] = []
    for name in dict.fromkeys(known.values()):
        lists = tuple(digest for digest, other in known.items() if other == name)
        alone = all(sum(digest in groups for digest in lists) <= 1 for groups in tables)
        methods += [lists] if alone else [(digest,) for digest in lists]
    there = [{digest for groups in each.values() for digest in groups} for each in found.values()]
    return sorted(methods, key=lambda method: not all(here & set(method) for here in there))


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


def _resolve(word: str, known: dict[str, str], track: str) -> Method:
    """Return the digests that a name, a beginning of a digest or a file stands for."""
    named = tuple(digest for digest, name in known.items() if name == word)
    if named:
        return named
    start = word.removeprefix("sha256:")
    if len(start) >= SHORTEST_PREFIX:
        named = tuple(d for d in known if d.removeprefix("sha256:").startswith(start))
    if not named and Path(word).is_file():
        digest = read_submission(Path(word)).digest
        if digest not in known:
            raise CompareError(
                f"{word} has no record on track {track!r}; make one with: assay score {word} --track {track}"
            )
        return (digest,)
    if len(named) > 1:
        raise _ambiguous(word, named)
    if not named:
        raise CompareError(
            f"no submission {word!r} in the ledger of track {track!r}{did_you_mean(word, known.values())}; "
            f"see: assay board --track {track}"
        )
    return named


def _ambiguous(word: str, named: Sequence[str]) -> CompareError:
    shown = ", ".join(digest.removeprefix("sha256:")[:12] for digest in named)
    return CompareError(
        f"{word!r} stands for {len(named)} submissions; name one by digest: {shown}"
    )


def _scores(
    track: str, scale: str, tables: dict[Any, Groups], asked: list[Method], known: dict[str, str]
) -> ScaleScores:
    """Take the table that has most of the methods; of equals the one that was added to last."""
    if not tables:
        raise CompareError(
            f"no record at {track}/{scale}; make one with: assay score s.npy --track {track} --scale {scale}"
        )
    key = max(
        tables,
        key=lambda k: (sum(any(d in tables[k] for d in m) for m in asked), _newest(tables[k])),
    )
    groups = tables[key]
    here = [[digest for digest in method if digest in groups] for method in asked]
    for several in (lists for lists in here if len(lists) > 1):
        raise _ambiguous(known[several[0]], several)
    methods = {lists[0]: number for number, lists in enumerate(here) if lists}
    present = {digest: known[digest] for digest in methods}
    missing = tuple(known[m[0]] for m, lists in zip(asked, here, strict=True) if not lists)
    if len(present) < 2 or not here[0]:
        lacking = known[asked[0][0]] if not here[0] else ", ".join(missing) or "a second"
        raise CompareError(
            f"{track}/{scale} has no comparable record of {lacking}; it needs the first submission and "
            f"another one; see: assay board --track {track} --scale {scale}"
        )
    label = group_label(groups)
    return ScaleScores(track, scale, label, key[3], groups, present, missing, methods)


def _newest(groups: Groups) -> str:
    return max(r["clock"]["finished"] for seeds in groups.values() for r in seeds.values())
