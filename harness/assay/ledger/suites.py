"""Hidden suites by commit and reveal: nobody can fit a list to items that were fixed before it and shown after it.

The ledger first holds a digest of a salt and of the suite's definition, which has the digest of every item file;
afterwards salt and definition, so that everybody can compute the digest, and check the items against it.
"""

import secrets
from pathlib import Path
from typing import TYPE_CHECKING

from assay.artifact import create_durable
from assay.errors import LedgerError
from assay.home import assay_home
from assay.ledger.body import suite_commitment
from assay.ledger.entry import Entry
from assay.ledger.log import Ledger
from assay.spec import plain

if TYPE_CHECKING:
    from assay.suite import Suite
    from assay.suite.clip import ClipSuite

SALT_BYTES = 32


def commit_suite(ledger: Ledger, suite: "Suite | ClipSuite") -> Entry:
    """Append a commitment to a suite, of which nothing can be told; its salt stays beside the ledger's key.

    Raises:
        LedgerError: If the ledger has a commitment to it.
    """
    digest = _salted(plain(suite))
    if {"suite": digest} in _said(ledger):
        raise LedgerError(
            f"{suite.name}@{suite.version} was committed to as {digest[7:19]}; see: assay ledger show --kind suite"
        )
    return ledger.append("suite", {"suite": digest})


def reveal_suite(ledger: Ledger, suite: "Suite | ClipSuite") -> Entry:
    """Append the definition of a suite that was committed to, and its salt.

    Raises:
        LedgerError: If the ledger has no commitment to exactly this suite, or it was revealed before.
    """
    spec = plain(suite)
    known = _committed(spec)
    if not known:
        raise LedgerError(
            f"nobody committed to {suite.name}@{suite.version} as it is now, or its salt is not in {_folder()}; "
            "put back what was committed to, or commit: assay suite commit SUITE"
        )
    digest, salt = known
    said = _said(ledger)
    if {"suite": digest} not in said:
        raise LedgerError(
            f"this ledger has no commitment {digest[7:19]}; see: assay ledger show --kind suite"
        )
    body = {"suite": digest, "salt": salt.hex(), "definition": spec}
    if body in said:
        raise LedgerError(f"suite {digest[7:19]} is revealed; see: assay ledger show --kind suite")
    return ledger.append("suite", body)


def _folder() -> Path:
    return assay_home() / "keys" / "suites"


def _said(ledger: Ledger) -> list[dict]:
    """Return what a ledger says of suites."""
    return [ledger.read(i).body for i, mark in enumerate(ledger.marks()) if mark.kind == "suite"]


def _salted(spec: dict) -> str:
    """Return the digest of a commitment to a suite, with the salt of an attempt that was killed or a new one."""
    if known := _committed(spec):
        return known[0]
    salt = secrets.token_bytes(SALT_BYTES)
    digest = suite_commitment(salt, spec)
    path = _folder() / digest.removeprefix("sha256:")
    # Safe before anything says that it exists.
    create_durable(path, salt, path.with_name(f".{path.name}.draft"), mode=0o600)
    return digest


def _committed(spec: dict) -> tuple[str, bytes] | None:
    """Return digest and salt of this machine's commitment to a suite."""
    for path in sorted(_folder().glob("[0-9a-f]*")):
        salt = path.read_bytes()
        digest = suite_commitment(salt, spec)
        if digest.removeprefix("sha256:") == path.name:
            return digest, salt
    return None
