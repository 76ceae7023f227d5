"""Verify a record: its digests, its metrics, its checkpoint, and where asked its training."""

from assay.verify.fetch import fetch_record, is_address
from assay.verify.find import find_record
from assay.verify.report import EXIT_CODES, INCOMPLETE, Check, Verification
from assay.verify.run import verify_record

__all__ = [
    "EXIT_CODES",
    "INCOMPLETE",
    "Check",
    "Verification",
    "fetch_record",
    "find_record",
    "is_address",
    "verify_record",
]
