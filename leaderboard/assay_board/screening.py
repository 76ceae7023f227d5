"""The first stage, on the CPU: what a list holds of evaluation items and copies, before anything trains.

It informs and never refuses: the rules do that when a list is handed in. `assay audit` runs in a process of
its own, so that reading a pool takes neither memory nor time from the server.
"""

import json
import logging
import os
import subprocess
import sys
import threading
from contextlib import suppress
from pathlib import Path
from typing import Any

import sqlalchemy as sa

from assay_board.context import Board
from assay_board.database import STANDS, Submission
from assay_board.states import settle

LIMIT_SECONDS = 900
NICENESS = 10
_SHOWN = 5
_log = logging.getLogger(__name__)


class Screening:
    """A thread that screens accepted lists, oldest first; one that was interrupted is screened again."""

    def __init__(self, board: Board):
        self._board = board
        self._wake = threading.Event()
        self._stopped = threading.Event()
        self._process: subprocess.Popen[str] | None = None
        self._thread = threading.Thread(target=self._work, name="screening", daemon=True)

    def start(self) -> None:
        """Begin, with what an earlier server left."""
        self._wake.set()
        self._thread.start()

    def wake(self) -> None:
        """Say that something came in."""
        self._wake.set()

    def stop(self) -> None:
        """End, leaving what is not screened for the next start."""
        self._stopped.set()
        self._wake.set()
        if self._process is not None:
            self._process.kill()
        self._thread.join()

    def _work(self) -> None:
        while not self._stopped.is_set():
            self._wake.wait()
            self._wake.clear()
            while not self._stopped.is_set() and self._screen_next():
                pass

    def _screen_next(self) -> bool:
        """Screen one list; say whether there was one."""
        query = sa.select(Submission).where(
            Submission.state == "screening", Submission.screened.is_(False)
        )
        with self._board.database.read() as session:
            found = session.scalar(query.order_by(Submission.number).limit(1))
        if found is None:
            return False
        audit = self._audit(found)
        if self._stopped.is_set():
            return False
        with self._board.database.write() as session:
            row = session.get_one(Submission, found.number, with_for_update=True)
            row.report = row.report | {"audit": audit}
            row.screened = True
            settle(row, self._board.now())
            session.info[STANDS] = True
        return True

    def _audit(self, submission: Submission) -> dict[str, Any]:
        path = self._board.list_path(submission.digest)
        command = [sys.executable, "-m", "assay", "audit", str(path), "--json"]
        command += ["--track", submission.track, "--scale", submission.scale]
        if submission.unit != "document":
            command += ["--unit", submission.unit]
        with subprocess.Popen(
            command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, cwd=Path.home()
        ) as process:
            self._process = process
            with suppress(OSError):
                # Nobody waits for it; for an answer of the server somebody does.
                os.setpriority(os.PRIO_PROCESS, process.pid, NICENESS)
            try:
                answer, told = process.communicate(timeout=LIMIT_SECONDS)
            except subprocess.TimeoutExpired:
                process.kill()
                return {"done": False, "reason": f"took more than {LIMIT_SECONDS} s"}
            finally:
                self._process = None
        if process.returncode:
            if not self._stopped.is_set():
                _log.warning("no audit of %s: %s", submission.id, told[-2000:])
            return {"done": False, "reason": "it could not be read for leaks and copies"}
        return _short(json.loads(answer))


def _short(document: dict[str, Any]) -> dict[str, Any]:
    """Return what a page shows of an audit."""
    contamination = document["contamination"]
    return {
        "done": True,
        "leaked_items": contamination["num_leaks"],
        "matches": contamination["num_matches"],
        "duplicates": document["duplicates"],
        "overlaps": document["overlaps"][:_SHOWN],
        "issues": document["issues"],
    }
