"""Submissions: lists of example ids, read from files that nobody vouches for.

Rules, each with a stable id:

    F1  size, format and first bytes of the file        S1  ids, chunk numbers, stages; not empty
    F2  a `.npy` of exactly <u8,<u8, never a pickle     S2  every id is in the pool
    F3  a `.npy` header that agrees with the file       S3  no id twice; repeats within the cap
    F4  no bomb: caps on what text and Parquet unpack   S4  tokens fill the budget within the cap
    M1  the manifest beside it
"""

from assay.submission.check import Report, validate, validate_file
from assay.submission.entries import staged, submission_of
from assay.submission.form import Finding, Form, Stage, Submission, Unit
from assay.submission.manifest import Manifest, manifest_bytes, read_manifest, sidecar_path
from assay.submission.read import read_submission
from assay.submission.write import write_submission

__all__ = [
    "Finding",
    "Form",
    "Manifest",
    "Report",
    "Stage",
    "Submission",
    "Unit",
    "manifest_bytes",
    "read_manifest",
    "read_submission",
    "sidecar_path",
    "staged",
    "submission_of",
    "validate",
    "validate_file",
    "write_submission",
]
