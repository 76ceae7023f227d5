"""Jaccard indices against Python's sets."""

from pathlib import Path

import numpy as np
import pytest

from assay.audit.overlap import overlaps
from assay.pool.uid import UID_DTYPE
from assay.submission import Submission, staged, submission_of, write_submission


def uids(numbers: range) -> np.ndarray:
    found = np.zeros(len(numbers), dtype=UID_DTYPE)
    found["f0"], found["f1"] = np.array(numbers) // 3, np.array(numbers)
    return found


def scored(submission: Submission, name: str, folder: Path) -> tuple[dict, dict[str, Path]]:
    """Return a record about a submission, and where its run lies."""
    folder.mkdir()
    write_submission(submission, folder / "submission.parquet")
    record = {
        "submission": {"digest": submission.digest, "unit": "document", "manifest": {"name": name}},
        "digests": {"run": f"run {name}"},
        "track": {"scale": "nano"},
    }
    return record, {f"run {name}": folder}


def test_overlaps_are_those_of_sets(tmp_path: Path) -> None:
    mine = submission_of(uids(range(0, 1000)))
    others = {
        "same ids in stages": staged([(0.4, uids(range(0, 600))), (0.6, uids(range(500, 1000)))]),
        "nearly": submission_of(uids(range(0, 1005))),
        "half": submission_of(uids(range(500, 1500))),
        "none": submission_of(uids(range(2000, 2100))),
        "mine": mine,
    }
    made = [scored(one, name, tmp_path / name) for name, one in others.items()]
    folders = {run: folder for _, part in made for run, folder in part.items()}
    found = {one.name: one for one in overlaps(mine, [record for record, _ in made], folders)}
    assert list(found) == ["same ids in stages", "nearly", "half", "none"]
    assert [one.alert for one in found.values()] == [True, True, False, False]
    assert found["nearly"].jaccard == pytest.approx(1000 / 1005)
    assert found["half"].jaccard == pytest.approx(500 / 1500)
    assert found["half"].contained == 0.5
    del folders["run half"]
    assert len(overlaps(mine, [record for record, _ in made], folders)) == 3
