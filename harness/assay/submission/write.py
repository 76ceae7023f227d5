"""Write a submission in any format that `read` takes, whole or not at all."""

import io
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np

from assay.artifact import write_atomic
from assay.errors import SubmissionError
from assay.pool.uid import uids_to_hex
from assay.submission.form import PPM, Stage, Submission
from assay.submission.manifest import Manifest, manifest_bytes, sidecar_path
from assay.submission.npy import npy_bytes
from assay.submission.read import format_of


def write_submission(submission: Submission, path: Path, manifest: Manifest | None = None) -> None:
    """Write the list and, after it, its manifest.

    Args:
        submission: What to write.
        path: Its suffix says the format.
        manifest: Written beside it, with the submission's unit and digest filled in.

    Raises:
        SubmissionError: F1, if the format cannot hold this form, or M1 for the manifest.
    """
    format_ = format_of(path)
    if format_ == ".npy":
        data = _npy(submission, path)
    elif format_ == ".parquet":
        data = _parquet(submission)
    else:
        data = _compressed(_lines(submission, path, is_csv=".csv" in format_), format_)
    beside = None
    if manifest is not None:
        beside = manifest_bytes(replace(manifest, unit=submission.unit, digest=submission.digest))
    sidecar_path(path).unlink(missing_ok=True)  # it describes another list from here on
    write_atomic(path, data)
    if beside is not None:
        write_atomic(sidecar_path(path), beside)


def _refuse(path: Path, submission: Submission, holds: str) -> SubmissionError:
    return SubmissionError(
        "F1",
        f"{path.name}: this format holds {holds}, not form {submission.form!r}; use .parquet or .csv",
    )


def _npy(submission: Submission, path: Path) -> bytes:
    if submission.form != "ids":
        raise _refuse(path, submission, "ids alone")
    stage = submission.stages[0]
    return npy_bytes(stage.uids, stage.chunks)


def _printed_ids(stage: Stage) -> list[str]:
    texts = uids_to_hex(stage.uids)
    if stage.chunks is None:
        return texts
    return [f"{uid}#{k}" for uid, k in zip(texts, stage.chunks.tolist(), strict=True)]


def _parquet(submission: Submission) -> bytes:
    import pyarrow as pa
    import pyarrow.parquet as pq

    stages = submission.stages
    columns: dict[str, pa.Array] = {
        "uid": pa.array([uid for stage in stages for uid in _printed_ids(stage)])
    }
    if any(stage.weighted for stage in stages):
        columns["repeats"] = pa.array(np.concatenate([stage.repeats for stage in stages]))
    if len(stages) > 1:
        sizes = [len(stage.uids) for stage in stages]
        columns["stage"] = pa.array(np.repeat(np.arange(len(stages), dtype=np.int32), sizes))
        columns["share"] = pa.array(np.repeat([stage.share_ppm / PPM for stage in stages], sizes))
    sink = io.BytesIO()
    pq.write_table(pa.table(columns), sink, compression="zstd", use_dictionary=False)
    return sink.getvalue()


def _lines(submission: Submission, path: Path, *, is_csv: bool) -> bytes:
    if not is_csv and submission.form == "staged":
        raise _refuse(path, submission, "ids and repeats")
    weighted = any(stage.weighted for stage in submission.stages)
    staged = submission.form == "staged"
    lines = (
        [",".join(["uid"] + ["repeats"] * weighted + ["stage", "share"] * staged)] if is_csv else []
    )
    for number, stage in enumerate(submission.stages):
        tail = f",{number},{stage.share_ppm / PPM:.6f}" if staged else ""
        lines.extend(_stage_lines(stage, weighted, "," if is_csv else " ", tail))
    return ("\n".join(lines) + "\n").encode("ascii")


def _stage_lines(stage: Stage, weighted: bool, separator: str, tail: str) -> Iterator[str]:
    ids = _printed_ids(stage)
    if not weighted:
        return (uid + tail for uid in ids)
    repeats = stage.repeats.tolist()
    return (f"{uid}{separator}{times}{tail}" for uid, times in zip(ids, repeats, strict=True))


def _compressed(data: bytes, format_: str) -> bytes:
    if format_.endswith(".zst"):
        import zstandard

        return zstandard.compress(data)
    if format_.endswith(".gz"):
        import gzip

        return gzip.compress(data, mtime=0)
    return data
