"""What every part of the server shares: settings, law, ledger, database, limits."""

import threading
import time
from collections.abc import Hashable
from pathlib import Path

from assay.home import assay_home
from assay.ledger import Ledger, ledger_folder
from assay.ledger.layout import HEAD_FILE
from assay_board.database import Database
from assay_board.epochs import Epochs
from assay_board.forecast import Forecast
from assay_board.index import follow, indexed
from assay_board.law import Law
from assay_board.limits import RateLimit
from assay_board.settings import BoardSettings

UNDER_WAY = ("/submissions", "/v1/submissions")
OF_POOLS = ("/submit", "/v1/tracks")
SHOWN_SECONDS = 5.0


class Board:
    """A server's state, open.

    Attributes:
        settings: As the operator chose them.
        database: Teams, queue, index.
        ledger: Of this machine.
        law: Tracks and pools.
        epochs: Keys of seeds.
        forecast: When runs may be done.
        intake: How many lists may be validated at once.
        registrations: How often an address may register, and a token object.
        uploads: How often a token may upload.
        uploads_per_address: How often an address may.
        refusals: How often an address may show a wrong token.
    """

    def __init__(self, settings: BoardSettings, *, as_found: bool = False):
        """Open everything, and index what the ledger has beyond the index, unless it is wanted as it was found.

        Raises:
            UserError: If the database or the ledger cannot be used.
        """
        assert settings.home == assay_home(), (
            "tracks, pools and the ledger are found under ASSAY_HOME"
        )
        self.settings = settings
        self.database = Database(settings.url)
        self.ledger = Ledger.open(ledger_folder(), settings.home / "keys" / "ledger.ed25519")
        self.law = Law(settings.max_upload_bytes, settings.build_up_to)
        self.epochs = Epochs(settings.home, self.ledger)
        self.forecast = Forecast(self.law, self.database)
        self.intake = threading.BoundedSemaphore(settings.intake_threads)
        clock = settings.clock
        self.registrations = RateLimit(settings.registrations, clock)
        self.uploads = RateLimit(settings.uploads, clock)
        self.uploads_per_address = RateLimit(settings.uploads_per_address, clock)
        self.refusals = RateLimit(settings.refusals, clock)
        self._indexed = 0
        if not as_found:
            self.refresh()

    def now(self) -> float:
        """Return the time, in seconds since 1970."""
        return self.settings.clock()

    def refresh(self) -> int:
        """Follow the ledger, to which other processes of this machine append too; return its size."""
        size = self.ledger.size
        if size <= self._indexed:
            return size
        with self.database.read() as session:
            self._indexed = indexed(session)
        if self._indexed < size:
            with self.database.write() as session:
                follow(session, self.ledger, self.now())
                self._indexed = indexed(session)
        return self._indexed

    def ledger_stamp(self) -> tuple[int, int]:
        """Return something that differs before and after every acknowledged append, at the cost of one look."""
        try:
            head = (self.ledger.folder / HEAD_FILE).stat()
        except FileNotFoundError:
            return 0, 0
        return head.st_ino, head.st_mtime_ns

    def stamp(self, path: str) -> tuple[Hashable, ...]:
        """Return what the answer to an address follows from: it is the same while this is.

        What is under way follows from the database too, to which other processes write, and what can be scored
        from the pools on the disk: both are asked anew after some seconds. A submission's own page does not change
        because others come in behind it.
        """
        ledger = self.ledger_stamp()
        if not path.startswith((*UNDER_WAY, *OF_POOLS)):
            return ledger
        count = self.database.writes if path in UNDER_WAY else self.database.changes
        clocks = (self.now(), time.monotonic())
        return *ledger, count, *(int(clock // SHOWN_SECONDS) for clock in clocks)

    def list_path(self, digest: str) -> Path:
        """Return where the list of a submission is, in canonical form."""
        return self.settings.list_path(digest)

    def result_folder(self, record: str) -> Path:
        """Return where outputs and trace of a record are, by its digest."""
        return self.settings.result_folder(record)

    def close(self) -> None:
        """End what is being built, and let go of the database."""
        self.law.close()
        self.database.close()
