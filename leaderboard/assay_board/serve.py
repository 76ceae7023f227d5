"""`assay board serve`: the server in this process, one worker beside it."""

import os
import socket
import subprocess
import sys
import threading
from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace
from functools import partial
from typing import Any

import sqlalchemy as sa
import uvicorn
from fastapi.concurrency import run_in_threadpool

from assay.console import say
from assay.errors import SettingsError
from assay.remote.client import in_the_clear
from assay_board.app import create_app
from assay_board.audit import OPERATOR
from assay_board.context import Board
from assay_board.database import Token
from assay_board.settings import BoardSettings
from assay_board.tokens import mint, revoke

LOCAL_WORKER = "local worker"
RESTART_SECONDS = 5.0
TOKEN_VARIABLE = "ASSAY_WORKER_TOKEN"
BACKLOG = 1024


def serve(
    *,
    database_url: str,
    host: str,
    port: int,
    public_url: str,
    worker: bool,
    open_registration: bool,
    runs_per_week: int | None,
    announce: Callable[[dict[str, Any], str], None],
) -> int:
    """Serve until stopped.

    Args:
        database_url: Empty for SQLite under `ASSAY_HOME`.
        host: Address to listen at.
        port: 0 takes a free one.
        public_url: As participants reach it; empty for host and port, and for this machine's address on its
            network where it listens at every one.
        worker: Whether to train on this machine.
        open_registration: Whether anybody may register a team.
        runs_per_week: Quota of a team on one track and scale; None for the default.
        announce: Tells the operator where the server is, as a document and in words.

    Raises:
        SettingsError: If the address cannot be listened at.
    """
    listening = _listen(host, port)
    port = listening.getsockname()[1]
    local = f"http://{_reachable(host)}:{port}"
    settings = BoardSettings(
        database_url=database_url,
        public_url=(public_url or f"http://{_shown(host)}:{port}").rstrip("/"),
        open_registration=open_registration,
    )
    if runs_per_week is not None:
        settings = replace(settings, runs_per_week=runs_per_week)
    app = create_app(settings)
    config = uvicorn.Config(app, log_level="warning", access_log=False, backlog=BACKLOG)
    command = (
        f"assay submit s.npy --track text --scale nano --name NAME --server {settings.public_url}"
    )
    document = {"url": settings.public_url, "submit": command, "home": str(settings.home)}
    announce(document, f"serving {settings.public_url}\nhand a list in with:\n  {command}")
    if in_the_clear(settings.public_url):
        say(
            f"warning: {settings.public_url} is plain http: whoever is on the way can read tokens; put a proxy with "
            "TLS before it, and say where that is: --url https://..."
        )
    beside = _LocalWorker(app.state.board, local) if worker else None
    # uvicorn ends in good order, then raises the signal that it was stopped by once more.
    with suppress(KeyboardInterrupt):
        _Server(config, partial(app.state.warm, local), beside).run(sockets=[listening])
    return 0


class _Server(uvicorn.Server):
    """Answers at once and gets warm meanwhile; ends its worker while that can still hand its run back."""

    def __init__(
        self, config: uvicorn.Config, warm: Callable[[], None], worker: "_LocalWorker | None"
    ):
        super().__init__(config)
        self._warm, self._worker = warm, worker

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        if not self.should_exit:
            threading.Thread(target=self._warm, name="warming", daemon=True).start()
            if self._worker is not None:
                self._worker.start()

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        if self._worker is not None:
            await run_in_threadpool(self._worker.stop)
        await super().shutdown(sockets)


def _listen(host: str, port: int) -> socket.socket:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    try:
        return socket.create_server((host, port), family=family, backlog=BACKLOG)
    except (OSError, OverflowError) as error:
        raise SettingsError(
            f"cannot listen at {host} port {port}: {error}; try --port 0, which takes a free one"
        ) from None


def _reachable(host: str) -> str:
    """Return the address that a process of this machine connects to."""
    anywhere = {"0.0.0.0": "127.0.0.1", "::": "::1"}
    host = anywhere.get(host, host)
    return f"[{host}]" if ":" in host else host


def _shown(host: str) -> str:
    """Return the address that other machines reach this one at, where it listens at all of its own."""
    if host not in _ANYWHERE:
        return _reachable(host)
    family, elsewhere = _ANYWHERE[host]
    with socket.socket(family, socket.SOCK_DGRAM) as probe:
        try:
            # Nothing is sent: the system only says from which of its addresses it would be.
            probe.connect((elsewhere, 9))
        except OSError:
            return socket.gethostname()
        return _reachable(probe.getsockname()[0])


_ANYWHERE = {
    "0.0.0.0": (socket.AF_INET, "192.0.2.1"),
    "::": (socket.AF_INET6, "2001:db8::1"),
}
"""Hosts that stand for every address of a machine, and an address elsewhere (RFC 5737, RFC 3849)."""


class _LocalWorker:
    """One worker beside the server, with a token that ends with it; it is started again when it ends."""

    def __init__(self, board: Board, url: str):
        self._command = [sys.executable, "-m", "assay", "worker", "--server", url]
        self._environment = os.environ | {TOKEN_VARIABLE: _worker_token(board)}
        self._stopping = threading.Event()
        self._guard = threading.Lock()
        self._process: subprocess.Popen[bytes] | None = None
        self._thread = threading.Thread(target=self._keep, name="worker", daemon=True)

    def start(self) -> None:
        self._thread.start()

    def stop(self) -> None:
        """Ask it to end, and wait until it has."""
        with self._guard:
            self._stopping.set()
            if self._process is not None:
                self._process.terminate()
        self._thread.join()

    def _keep(self) -> None:
        while True:
            with self._guard:
                if self._stopping.is_set():
                    return
                self._process = subprocess.Popen(
                    self._command, env=self._environment, stdout=sys.stderr
                )
            code = self._process.wait()
            if not self._stopping.wait(RESTART_SECONDS):
                say(f"the local worker ended with exit code {code}; starting it again")


def _worker_token(board: Board) -> str:
    """Return a new token; those of servers before this one end, and with them workers that outlived them."""
    now = board.now()
    query = sa.select(Token.id).where(Token.label == LOCAL_WORKER, Token.revoked.is_(None))
    with board.database.write() as session:
        for number in session.scalars(query).all():
            revoke(session, now, OPERATOR, number)
        return mint(
            session,
            now,
            OPERATOR,
            scope="work",
            expires=now + board.settings.token_seconds,
            label=LOCAL_WORKER,
        )
