"""A leaderboard's ledger copied from outside: who keeps a copy can show what the server once said."""

import shutil
import tempfile
from pathlib import Path
from typing import Any

from assay.artifact import write_atomic
from assay.canonical import canonical_json
from assay.console import progress
from assay.errors import LedgerError, RemoteError
from assay.ledger import Ledger, export_ledger, verify_ledger
from assay.ledger.entry import SignedHead
from assay.ledger.layout import ENTRIES, HEAD_FILE, KEYS_FILE, entry_path, find_head, read_keys
from assay.remote.client import Client

ENTRIES_AT_ONCE = 100


def mirror_server(client: Client, out: Path, git: bool = False) -> tuple[int, SignedHead]:
    """Bring a mirror of a server's ledger up to date, once everything in it has been verified.

    Args:
        client: Of the server.
        out: Folder of the mirror, made where it is missing.
        git: Also commit it.

    Returns:
        How many entries are new, and the head.

    Raises:
        LedgerError: If what the server sends does not verify, or does not continue the mirror, which stays as it was.
        RemoteError: If the server cannot be reached, or is none.
    """
    before = find_head(out)
    with tempfile.TemporaryDirectory(prefix="assay-mirror-") as name:
        staging = Path(name) / "ledger"
        if before is not None:
            shutil.copytree(out / ENTRIES, staging / ENTRIES)
        try:
            _fetch(client, staging, before.size if before else 0, read_keys(out))
        except (KeyError, TypeError, ValueError):
            raise RemoteError(
                f"{client.url} sends no ledger; give the address of a leaderboard: --server URL"
            ) from None
        report = verify_ledger(staging, before.root if before else None)
        if report.finding is not None:
            raise LedgerError(
                f"the ledger of {client.url}: {report.finding.message}; {out} stays as it was; keep it, it is the "
                "proof of what the server said before"
            )
        return export_ledger(Ledger.open(staging), out, git)


def _fetch(client: Client, staging: Path, start: int, keys: list[str]) -> None:
    """Put a server's head, and the entries from `start` on that it covers, beside those that are there."""
    head: dict[str, Any] = client.get("/v1/ledger/head")
    size = int(head["size"])
    signers = dict.fromkeys([*keys, str(head["key"])])
    with progress("fetch ledger", size - start, "entries", enabled=size > start) as bar:
        while start < size:
            limit = min(ENTRIES_AT_ONCE, size - start)
            items = client.get("/v1/ledger/entries", start=start, limit=limit)["items"]
            if not items:
                raise ValueError
            for index, item in enumerate(items, start):
                signers[str(item["key"])] = None
                write_atomic(entry_path(staging, index), canonical_json(item) + b"\n")
            start += len(items)
            bar.update(len(items))
    write_atomic(staging / KEYS_FILE, canonical_json({"keys": list(signers)}) + b"\n")
    write_atomic(staging / HEAD_FILE, canonical_json(head) + b"\n")
