"""How much a submission shares with those that were scored on this machine before."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from assay.submission import Submission, read_submission

ALERT = 0.99
"""Jaccard index above which two submissions are near-duplicates."""

SUBMISSION_FILE = "submission.parquet"


@dataclass(frozen=True)
class Overlap:
    """An earlier submission.

    Attributes:
        submission: Its digest.
        name: On the board.
        scale: Where it was scored.
        jaccard: Shared examples of all examples of both, in [0, 1]; chunks of different units are
            compared as the documents that they are of.
        contained: Shared examples of the audited submission's.
        alert: Whether it is nearly the audited one.
    """

    submission: str
    name: str
    scale: str
    jaccard: float
    contained: float
    alert: bool


def overlaps(
    submission: Submission, records: Iterable[Mapping[str, Any]], folders: Mapping[str, Path]
) -> list[Overlap]:
    """Compare a submission with those that records are about, nearest first; itself is left out.

    Args:
        submission: The audited one.
        records: Of the same track.
        folders: Key of a run to its folder, for runs that are still on this machine.
    """
    found: dict[str, Overlap] = {}
    for record in records:
        about = record["submission"]
        digest = about["digest"]
        folder = folders.get(record["digests"]["run"])
        if digest in found or digest == submission.digest or folder is None:
            continue
        other = read_submission(folder / SUBMISSION_FILE, unit=about["unit"])
        shared, mine, theirs = _shared(submission, other)
        jaccard = shared / (mine + theirs - shared)
        name = about["manifest"].get("name") or digest[7:19]
        found[digest] = Overlap(
            digest, name, record["track"]["scale"], jaccard, shared / mine, jaccard > ALERT
        )
    return sorted(found.values(), key=lambda one: (-one.jaccard, one.submission))


def _shared(one: Submission, other: Submission) -> tuple[int, int, int]:
    """Return how many different examples both have, and how many each has."""
    with_chunks = one.unit == other.unit
    mine, theirs = _examples(one, with_chunks), _examples(other, with_chunks)
    both = np.concatenate([mine, theirs])
    order = np.lexsort((both["chunk"], both["low"], both["high"]))
    ordered = both[order]
    return int((ordered[1:] == ordered[:-1]).sum()), len(mine), len(theirs)


def _examples(submission: Submission, with_chunks: bool) -> NDArray[np.void]:
    """Return the different examples of all stages."""
    parts = []
    for stage in submission.stages:
        part = np.zeros(len(stage.uids), dtype=[("high", "<u8"), ("low", "<u8"), ("chunk", "<i8")])
        part["high"], part["low"] = stage.uids["f0"], stage.uids["f1"]
        if with_chunks and stage.chunks is not None:
            part["chunk"] = stage.chunks
        parts.append(part)
    joined = np.concatenate(parts)
    ordered = joined[np.lexsort((joined["chunk"], joined["low"], joined["high"]))]
    return ordered[np.append(True, ordered[1:] != ordered[:-1])]
