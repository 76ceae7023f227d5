"""A run that a worker holds: the calls that its secret allows, and the heartbeat that keeps it."""

import contextlib
import json
import re
import threading
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

from assay.console import one_line
from assay.errors import RemoteError
from assay.remote.client import RETRIED, Client
from assay.remote.job import LOG_FILE, PROGRESS_FILE, Job, parse_job
from assay.submission.read import MAGIC

LOST = (401, 403, 404, 409, 410)
"""Answers to a heartbeat that say: this run is not yours any more."""

MAX_LINES, MAX_COLUMNS = 200, 500
"""Of a log, in one message."""

LAST_BEAT_SECONDS = 5.0

_ID = re.compile(r"[A-Za-z0-9_-]{1,100}")


@dataclass(frozen=True)
class Lease:
    """What a server gave out.

    Attributes:
        client: Of that server.
        id: Of the lease; names its folder here.
        secret: Goes with every call about it.
        heartbeat_seconds: How often the server wants to hear of it.
        job: The run.
        document: The run as the server says it.
    """

    client: Client
    id: str
    secret: str
    heartbeat_seconds: float
    job: Job
    document: dict[str, Any]

    def download(self, folder: Path) -> Path:
        """Fetch the list into a folder; its first bytes say its format, not any name."""
        path = folder / "list"
        self.client.download(self._path("list"), path, headers=self._headers())
        with path.open("rb") as stream:
            head = stream.read(8)
        suffix = ".npy" if head.startswith(MAGIC[".npy"]) else ".parquet"
        return path.rename(path.with_suffix(suffix))

    def beat(self, progress: dict[str, Any] | None, log: list[str]) -> None:
        """Say that the run goes on, and how far it is."""
        self._post("heartbeat", json={"progress": progress, "log": log})

    def deliver(self, record: bytes, outputs: Path, trace: Path) -> dict[str, Any]:
        """Send what came out; return where it is in the ledger."""
        with outputs.open("rb") as table, trace.open("rb") as losses:
            files = {
                "record": ("record.json", record, "application/json"),
                "outputs": (outputs.name, table),
                "trace": (trace.name, losses),
            }
            return self._post("result", files=files).json()

    def fail(self, reason: str, retryable: bool) -> None:
        """Give the run back as an attempt that came to nothing."""
        self._post("failure", json={"reason": one_line(reason), "retryable": retryable})

    def hand_back(self, reason: str) -> None:
        """Give the run back as one that was not this worker's to end: no attempt is used up."""
        self._post("return", json={"reason": one_line(reason)})

    def _post(self, what: str, **request: Any) -> Any:
        return self.client.call("POST", self._path(what), headers=self._headers(), **request)

    def _path(self, what: str) -> str:
        return f"/v1/leases/{self.id}/{what}"

    def _headers(self) -> dict[str, str]:
        return {"Assay-Lease": self.secret}


def parse_lease(client: Client, document: Any) -> Lease:
    """Read a lease as a server gives it.

    Raises:
        RemoteError: If it is none.
    """
    try:
        lease = Lease(
            client,
            document["id"],
            document["secret"],
            float(document["heartbeat_seconds"]),
            parse_job(document["job"]),
            document["job"],
        )
        if (
            not _ID.fullmatch(lease.id)
            or not lease.secret.isascii()
            or lease.heartbeat_seconds <= 0
        ):
            raise ValueError("a lease")
    except (KeyError, TypeError, ValueError, AttributeError):
        raise RemoteError(
            f"{client.url} gives out a lease in words that this version does not know; update the one that is "
            "older: assay --version"
        ) from None
    return lease


class Heartbeat:
    """Keeps a lease from a thread of its own, whatever the worker is busy with.

    Attributes:
        lost: Set once the server says that the run is another's.
    """

    def __init__(self, lease: Lease, folder: Path):
        self.lost = threading.Event()
        self._lease, self._folder = lease, folder
        self._log = LogReader(folder / LOG_FILE)
        self._over = threading.Event()
        self._one = threading.Lock()
        self._thread = threading.Thread(target=self._run, name=f"beat {lease.id}", daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._over.set()
        # Nothing should be said of a run after its result; a server that is away is not waited for.
        self._thread.join(LAST_BEAT_SECONDS)

    def beat(self) -> None:
        """Send progress and the log's new lines now; a server that is away gets them later."""
        with self._one:
            lines = self._log.peek()
            try:
                self._lease.beat(read_progress(self._folder / PROGRESS_FILE), lines)
            except RemoteError as error:
                if error.status in LOST:
                    self.lost.set()
                if error.status in (None, *LOST, *RETRIED):
                    return
                # What was said is refused, and always would be: the lease matters more.
                with contextlib.suppress(RemoteError):
                    self._lease.beat(None, [])
            self._log.advance()

    def _run(self) -> None:
        while not self.lost.is_set() and not self._over.wait(self._lease.heartbeat_seconds):
            self.beat()


class LogReader:
    """Reads a growing file by whole lines; a line that was not sent is read again."""

    def __init__(self, path: Path):
        self._path, self._start, self._next = path, 0, 0

    def peek(self) -> list[str]:
        """Return the next lines, without what a terminal would obey."""
        if not self._path.is_file():
            return []
        with self._path.open("rb") as stream:
            stream.seek(self._start)
            block = stream.read(MAX_LINES * MAX_COLUMNS)
        whole = block[: block.rfind(b"\n") + 1]
        lines = whole.split(b"\n")[:-1][:MAX_LINES]
        self._next = self._start + sum(len(line) + 1 for line in lines)
        if len(block) == MAX_LINES * MAX_COLUMNS and not whole:
            # A line without an end: pass over it.
            self._next = self._start + len(block)
        shown = (one_line(line.decode("utf-8", "replace"), MAX_COLUMNS) for line in lines)
        return [line for line in shown if line]

    def advance(self) -> None:
        """Go past what `peek` returned last."""
        self._start = self._next


def read_progress(path: Path) -> dict[str, Any] | None:
    """Return how far a run is: `{unit, done, total, rate}`; None before it says so."""
    try:
        found = json.loads(path.read_bytes())
        return {name: found[name] for name in ("unit", "done", "total", "rate")}
    except (OSError, ValueError, KeyError, TypeError):
        return None
