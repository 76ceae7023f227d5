"""Verify a record: its digests, its metrics, its checkpoint, and where asked its training."""

from assay.verify.find import find_record
from assay.verify.report import EXIT_CODES, INCOMPLETE, Check, Verification
from assay.verify.run import verify_record

__all__ = ["EXIT_CODES", "INCOMPLETE", "Check", "Verification", "find_record", "verify_record"]
