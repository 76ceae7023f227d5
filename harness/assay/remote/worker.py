"""The worker: lease a run, carry it out, send what came out; many at once where there are slots."""

import json
import shutil
import sys
import threading
import time
import traceback
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from assay.console import PROGRESS_FILE as PROGRESS_VARIABLE
from assay.console import say
from assay.errors import RemoteError, UserError
from assay.home import assay_home, run_folder
from assay.remote.client import RETRIED, Client
from assay.remote.executors import Ended, Executor, Handle, Task
from assay.remote.job import (
    FAILURE_FILE,
    LOG_FILE,
    PROGRESS_FILE,
    RECORD_FILE,
    write_job,
)
from assay.remote.lease import Heartbeat, Lease, parse_lease
from assay.runner.scoring import OUTPUTS_FILE
from assay.runner.training import TRACE_FILE
from assay.settings import Settings
from assay.submission import read_submission

POLL_SECONDS = 0.2
FIRST_IDLE, LONGEST_IDLE = 1.0, 15.0
FIRST_PAUSE, LONGEST_PAUSE = 5.0, 300.0
"""Seconds. An empty queue is asked again ever more rarely; after failures the worker pauses ever longer, lest
one sick machine use up everybody's attempts."""

STOPPED = "the worker was stopped"


class Worker:
    """Pulls runs from one server until it is stopped."""

    def __init__(
        self,
        client: Client,
        executor: Executor,
        settings: Settings,
        *,
        name: str,
        capabilities: dict[str, Any],
        stopping: threading.Event,
    ):
        """Prepare; nothing is sent.

        Args:
            client: Of the server, with a token of scope `work`.
            executor: Where runs go.
            settings: How they run.
            name: As the server shows it.
            capabilities: What the server may give: `tracks`, `device`, `software`.
            stopping: Set from outside to stop: runs are ended and given back.
        """
        self._client, self._executor, self._name = client, executor, name
        self._settings = replace(settings, progress=True)
        self._capabilities = capabilities
        self._stopping = stopping
        self._failures, self._resume_at = 0, 0.0

    def run(self) -> None:
        """Work until stopped.

        Raises:
            RemoteError: If the server cannot be reached at the start, or refuses the token.
        """
        running: list[threading.Thread] = []
        idle, reached = FIRST_IDLE, False
        while not self._stopping.is_set():
            running = [thread for thread in running if thread.is_alive()]
            if len(running) >= self._executor.slots or time.monotonic() < self._resume_at:
                self._stopping.wait(POLL_SECONDS)
                continue
            try:
                lease = self.take()
                reached = True
            except RemoteError as error:
                if not reached or not _passing(error):
                    self._stopping.set()
                    _join(running)
                    raise
                say(f"{error}; asking again in {LONGEST_IDLE:.0f} s")
                self._stopping.wait(LONGEST_IDLE)
                continue
            if lease is None:
                self._stopping.wait(idle)
                idle = min(2 * idle, LONGEST_IDLE)
                continue
            idle = FIRST_IDLE
            thread = threading.Thread(target=self.carry_out, args=(lease,), name=lease.id)
            thread.start()
            running.append(thread)
        _join(running)

    def run_once(self) -> bool | None:
        """Take one run and carry it out; say whether it was, or None where the queue is empty."""
        lease = self.take()
        return None if lease is None else self.carry_out(lease)

    def take(self) -> Lease | None:
        """Lease a run; None where there is nothing to do."""
        asked = {"worker": self._name, "capabilities": self._capabilities}
        answer = self._client.call("POST", "/v1/leases", json=asked)
        return None if answer.status_code == 204 else parse_lease(self._client, answer.json())

    def carry_out(self, lease: Lease) -> bool:
        """Run what was leased; say whether its result is in the ledger now."""
        folder = assay_home() / "jobs" / lease.id
        folder.mkdir(parents=True, exist_ok=True)
        say(f"{lease.job.name}: leased")
        started = time.monotonic()
        with Heartbeat(lease, folder) as heart:
            try:
                problem = self._attempt(lease, folder, heart)
            except UserError as error:
                problem = _problem(str(error))
            except Exception as error:
                # A bug of ours: the run is somebody else's to try, and the worker goes on.
                say(traceback.format_exc())
                problem = _problem(f"{type(error).__name__}: {error}")
        # A heartbeat that crosses a result finds the lease ended as well.
        if problem is None:
            self._failures = 0
            say(f"{lease.job.name}: done in {time.monotonic() - started:.0f} s")
        elif heart.lost.is_set():
            say(f"{lease.job.name}: the lease is lost; the run was ended")
        elif self._stopping.is_set() and problem["retryable"]:
            # Whatever it was that failed, failed while everything here was being ended.
            self._hand_back(lease, STOPPED)
        elif problem.get("preempted"):
            self._hand_back(lease, problem["reason"])
        else:
            self._give_back(lease, problem, folder)
        if problem is None or heart.lost.is_set() or self._stopping.is_set():
            shutil.rmtree(folder, ignore_errors=True)
        return problem is None

    def _attempt(self, lease: Lease, folder: Path, heart: Heartbeat) -> dict[str, Any] | None:
        """Download, run, deliver; return what went wrong, or None."""
        submission = lease.download(folder)
        found = read_submission(submission, unit=lease.job.unit).digest
        if found != lease.job.submission:
            return _problem(f"the list that came has digest {found}, not {lease.job.submission}")
        write_job(folder, lease.document, submission, self._settings)
        handle = self._executor.submit(_task(lease, folder))
        try:
            ended = self._wait(handle, heart)
        finally:
            handle.cancel()
        if ended is None:
            return _problem(STOPPED)
        heart.beat()
        record = folder / RECORD_FILE
        if record.is_file():
            return self._deliver(lease, record.read_bytes(), heart)
        if (folder / FAILURE_FILE).is_file():
            return json.loads((folder / FAILURE_FILE).read_bytes())
        problem = _problem(f"the run ended without a word: {ended.reason}")
        return problem | {"preempted": ended.preempted}

    def _wait(self, handle: Handle, heart: Heartbeat) -> Ended | None:
        """Wait until the run has ended; None where it must be ended."""
        while not (heart.lost.is_set() or self._stopping.is_set()):
            if ended := handle.poll():
                return ended
            self._stopping.wait(POLL_SECONDS)
        return None

    def _deliver(self, lease: Lease, record: bytes, heart: Heartbeat) -> dict[str, Any] | None:
        """Send the result, for as long as the lease holds; return why it was refused, or None."""
        folder = run_folder(json.loads(record)["digests"]["run"])
        while True:
            try:
                lease.deliver(record, folder / OUTPUTS_FILE, folder / TRACE_FILE)
                return None
            except RemoteError as error:
                # A server that fails over this very result would do so for ever.
                final = not _passing(error) or error.status == 500
                if final or heart.lost.is_set() or self._stopping.is_set():
                    return _problem(str(error))
            self._stopping.wait(LONGEST_IDLE)

    def _hand_back(self, lease: Lease, reason: str) -> None:
        say(f"{lease.job.name}: handed back: {reason}")
        try:
            lease.hand_back(reason)
        except RemoteError as error:
            say(f"{lease.job.name}: {error}")

    def _give_back(self, lease: Lease, problem: dict[str, Any], folder: Path) -> None:
        self._resume_at = time.monotonic() + min(FIRST_PAUSE * 2**self._failures, LONGEST_PAUSE)
        self._failures += 1
        say(f"{lease.job.name}: {problem['reason']} (log: {folder / LOG_FILE})")
        try:
            lease.fail(problem["reason"], problem["retryable"])
        except RemoteError as error:
            # The server takes it back by itself when the lease expires.
            say(f"{lease.job.name}: {error}")


def _task(lease: Lease, folder: Path) -> Task:
    return Task(
        name=f"assay-{lease.job.track}-{lease.job.scale}-{lease.id[:8]}",
        command=(sys.executable, "-m", "assay.remote.execute", str(folder)),
        log=folder / LOG_FILE,
        environment={
            "ASSAY_HOME": str(assay_home()),
            PROGRESS_VARIABLE: str(folder / PROGRESS_FILE),
            "PYTHONUNBUFFERED": "1",
        },
    )


def _problem(reason: str, retryable: bool = True) -> dict[str, Any]:
    return {"reason": reason, "retryable": retryable}


def _passing(error: RemoteError) -> bool:
    """Say whether the server may answer otherwise later."""
    return error.status is None or error.status in RETRIED


def _join(threads: Sequence[threading.Thread]) -> None:
    for thread in threads:
        thread.join()
