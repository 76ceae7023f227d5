"""The ledger: append-only, hash-chained, signed. `log` has its layout, `entry` and `body` what it holds.

Runs, and what was said about them later, are entries; nothing is ever changed or taken out. Anybody can check
a copy with the public key alone: `verify` says what is wrong and where, `tree` proves that a copy holds an
entry and that the ledger only grew since a root that was seen earlier.
"""

from assay.ledger.body import KINDS, LEVELS, RANKED_LEVELS
from assay.ledger.entry import Entry, SignedHead, read_entry
from assay.ledger.layout import Mark, entry_path
from assay.ledger.log import Ledger
from assay.ledger.machine import (
    append,
    find_records,
    find_run,
    find_target,
    key_file,
    ledger_folder,
    ledger_standing,
    machine_ledger,
    read_ledger,
    read_record,
    record_path,
)
from assay.ledger.mirror import export_ledger
from assay.ledger.older import import_records
from assay.ledger.proof import check_proof, prove_record
from assay.ledger.standing import Epoch, Retraction, Standing, standing
from assay.ledger.suites import commit_suite, reveal_suite
from assay.ledger.tree import Tree, verify_consistency, verify_inclusion
from assay.ledger.verify import EXIT_CODES, Finding, LedgerReport, verify_ledger

__all__ = [
    "EXIT_CODES",
    "KINDS",
    "LEVELS",
    "RANKED_LEVELS",
    "Entry",
    "Epoch",
    "Finding",
    "Ledger",
    "LedgerReport",
    "Mark",
    "Retraction",
    "SignedHead",
    "Standing",
    "Tree",
    "append",
    "check_proof",
    "commit_suite",
    "entry_path",
    "export_ledger",
    "find_records",
    "find_run",
    "find_target",
    "import_records",
    "key_file",
    "ledger_folder",
    "ledger_standing",
    "machine_ledger",
    "prove_record",
    "read_entry",
    "read_ledger",
    "read_record",
    "record_path",
    "reveal_suite",
    "standing",
    "verify_consistency",
    "verify_inclusion",
    "verify_ledger",
]
