"""A proof that a ledger holds a record: one JSON document that anybody can check without the ledger."""

from typing import Any

from assay.errors import LedgerError
from assay.ledger.entry import Entry, SignedHead, content_digest
from assay.ledger.log import Ledger
from assay.ledger.tree import verify_inclusion

FORMAT = "assay ledger proof 1"


def prove_record(ledger: Ledger, record: str) -> dict[str, Any]:
    """Prove that a record is in a ledger.

    Args:
        ledger: That holds it.
        record: Digest of the record.

    Returns:
        `format`, `entry` as its file has it, the signed `head`, and `path`, the inclusion proof.

    Raises:
        LedgerError: If it does not, or the record is so new that no head is over it.
    """
    index = ledger.find(record)
    if index is None:
        raise LedgerError(f"{ledger.folder} has no record {record[7:19]}; see: assay ledger show")
    head = ledger.head()
    if index >= head.size:
        raise LedgerError(
            f"no signed head covers entry {index} yet; its appender signs one: try again in a second"
        )
    return {
        "format": FORMAT,
        "entry": ledger.read(index).plain(),
        "head": head.plain(),
        "path": ledger.inclusion_proof(index, head.size),
    }


def check_proof(document: Any) -> tuple[Entry, SignedHead]:
    """Check a proof; whether the key is the ledger's owner's, only its reader knows.

    Returns:
        The entry and the head that covers it.

    Raises:
        LedgerError: If the document is no proof or anything in it does not hold.
    """
    try:
        assert document["format"] == FORMAT
        entry, head = Entry(**document["entry"]), SignedHead(**document["head"])
        intact = entry.digest == content_digest(entry.plain())
        signed = entry.is_signed and head.is_signed
        leaf, path = entry.digest.encode(), document["path"]
        there = verify_inclusion(leaf, entry.index, head.size, path, head.root)
    except (AssertionError, KeyError, TypeError, ValueError, AttributeError, RecursionError):
        raise LedgerError("this is no proof; assay ledger prove makes one") from None
    if not (intact and signed):
        raise LedgerError(
            f"entry {entry.index} or the head of this proof was edited, or its key did not sign it"
        )
    if not there:
        raise LedgerError(f"the path does not lead from entry {entry.index} to the head: no proof")
    entry.check()
    return entry, head
