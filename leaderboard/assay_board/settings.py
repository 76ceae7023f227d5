"""How a server is run: where its state is, what it allows, and what time it is."""

import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from assay.errors import SettingsError
from assay.home import assay_home

DAY = 86_400.0
READ_AT_ONCE = 200_000
"""Examples of a pool whose columns are read for a page."""


@dataclass(frozen=True)
class Rate:
    """A token bucket.

    Attributes:
        burst: Calls that may follow each other at once.
        per_minute: Calls that are given back in a minute.
    """

    burst: int
    per_minute: float


@dataclass(frozen=True)
class BoardSettings:
    """Everything that an operator may choose; nothing here can change a score.

    Attributes:
        home: Folder of the server's state; `assay_home()` of its process.
        database_url: SQLAlchemy URL; empty for SQLite under `home`.
        public_url: As participants reach the server; in answers and links.
        open_registration: Whether anybody may register a team.
        seeds: Runs of a submission that does not say how many it wants.
        max_seeds: Runs that one submission may ask for.
        runs_per_week: Runs of a team on one track and scale in seven days. Runs that failed or were
            withdrawn do not count.
        max_upload_bytes: Of a list; a scale's own cap may be lower.
        max_result_bytes: Of a worker's record, outputs and trace together.
        lease_seconds: A worker that is silent for so long loses its run.
        heartbeat_seconds: How often a worker should be heard.
        max_attempts: A run that was lost or failed so often is a dead letter.
        token_seconds: How long a token is good.
        intake_threads: Lists that are validated at the same time.
        upload_threads: Uploads that are worked on at the same time; the others wait their turn.
        threads: Requests that are worked on at the same time. Python runs one thread at a time: more of them
            only take turns away from the one that answers from memory.
        build_up_to: Embedded pools of so many examples are built when the first list for them comes in; larger
            ones are served where the operator has built them.
        audit_examples: Lists of more examples are not read for leaks and duplicates; 0 reads none.
        registrations: Per address.
        uploads: Validations and submissions, per token.
        uploads_per_address: The same, of everybody behind one address.
        refusals: Requests with a wrong token, per address.
        clock: Seconds since 1970.
    """

    home: Path = field(default_factory=assay_home)
    database_url: str = ""
    public_url: str = "http://127.0.0.1:8080"
    open_registration: bool = True
    seeds: int = 3
    max_seeds: int = 10
    runs_per_week: int = 100
    max_upload_bytes: int = 256 << 20
    max_result_bytes: int = 256 << 20
    lease_seconds: float = 120.0
    heartbeat_seconds: float = 15.0
    max_attempts: int = 3
    token_seconds: float = 365 * DAY
    intake_threads: int = 2
    upload_threads: int = 2
    threads: int = 2
    build_up_to: int = 50_000
    audit_examples: int = 200_000
    registrations: Rate = Rate(burst=10, per_minute=2.0)
    uploads: Rate = Rate(burst=60, per_minute=60.0)
    uploads_per_address: Rate = Rate(burst=600, per_minute=1200.0)
    refusals: Rate = Rate(burst=20, per_minute=10.0)
    clock: Callable[[], float] = time.time

    def __post_init__(self) -> None:
        if self.heartbeat_seconds * 2 > self.lease_seconds:
            raise SettingsError(
                f"lease_seconds {self.lease_seconds:g} is less than two heartbeats of {self.heartbeat_seconds:g} s; "
                "a worker would lose its run by one lost message"
            )

    @property
    def folder(self) -> Path:
        """Where uploads and the default database are."""
        return self.home / "board"

    def list_path(self, digest: str) -> Path:
        """Return where the list of a submission is, in canonical form."""
        return self.folder / "submissions" / digest.removeprefix("sha256:") / "list.parquet"

    def result_folder(self, record: str) -> Path:
        """Return where outputs and trace of a record are, by its digest."""
        return self.folder / "results" / record.removeprefix("sha256:")

    @property
    def url(self) -> str:
        """The database's URL."""
        return self.database_url or f"sqlite:///{self.folder / 'board.sqlite'}"
