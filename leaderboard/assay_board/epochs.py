"""Seeds by commit and reveal: nobody can choose a list by what its seeds would do.

The ledger first holds the digest of an epoch's key, then runs with seeds that the key gives, then the
key itself: from there on everybody can compute every seed of the epoch again.
"""

import os
import secrets
from pathlib import Path

import sqlalchemy as sa
from sqlalchemy.orm import Session

from assay.artifact import write_atomic
from assay.errors import SettingsError
from assay.ledger import Ledger
from assay.seeds import epoch_digest
from assay_board.database import Mark, Run
from assay_board.index import follow
from assay_board.states import PENDING

KEY_BYTES = 32


class Epochs:
    """The keys of seeds, in files that the operator alone may read, beside the ledger's own key."""

    def __init__(self, home: Path, ledger: Ledger):
        self._folder = home / "keys" / "epochs"
        self._ledger = ledger

    def current(self, session: Session, now: float) -> tuple[str, bytes]:
        """Return digest and key of the epoch that seeds are drawn in; a new one is committed to first.

        Args:
            session: A transaction that writes; the ledger's index is in it.
            now: Seconds since 1970.
        """
        for digest in reversed(open_epochs(session)):
            if (key := self._read(digest)) is not None:
                return digest, key
        key = new_key()
        digest = epoch_digest(key)
        # The key is safe before anything says that it exists.
        self._write(digest, key)
        self._ledger.append("epoch", {"epoch": digest})
        follow(session, self._ledger, now)
        return digest, key

    def reveal(self, session: Session, digest: str, now: float) -> None:
        """Publish an epoch's key; the next submission opens a new epoch.

        Raises:
            SettingsError: If a run of it has not ended, or there is no such epoch to reveal.
        """
        if digest not in open_epochs(session):
            raise SettingsError(f"epoch {digest[:19]} is not open; see: assay board epoch show")
        pending = session.scalar(
            sa.select(sa.func.count())
            .select_from(Run)
            .where(Run.epoch == digest, Run.state.in_(PENDING))
        )
        if pending:
            raise SettingsError(
                f"{pending} runs of epoch {digest[:19]} have not ended; reveal it when they have"
            )
        key = self._read(digest)
        if key is None:
            raise SettingsError(
                f"the key of epoch {digest[:19]} is not in {self._folder}; put the file back"
            )
        self._ledger.append("epoch", {"epoch": digest, "key": key.hex()})
        follow(session, self._ledger, now)

    def _path(self, digest: str) -> Path:
        return self._folder / digest.removeprefix("sha256:")

    def _read(self, digest: str) -> bytes | None:
        path = self._path(digest)
        if not path.is_file():
            return None
        key = path.read_bytes()
        return key if epoch_digest(key) == digest else None

    def _write(self, digest: str, key: bytes) -> None:
        before = os.umask(0o077)
        try:
            self._folder.mkdir(parents=True, exist_ok=True)
            write_atomic(self._path(digest), key)
        finally:
            os.umask(before)


def new_key() -> bytes:
    """Draw the key of an epoch."""
    return secrets.token_bytes(KEY_BYTES)


def open_epochs(session: Session) -> list[str]:
    """Return the epochs that were committed to and not revealed, oldest first."""
    found: dict[str, None] = {}
    for mark in session.scalars(sa.select(Mark).where(Mark.kind == "epoch").order_by(Mark.index)):
        if "key" in mark.body:
            found.pop(mark.target, None)
        else:
            found[mark.target] = None
    return list(found)
