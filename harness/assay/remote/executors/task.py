"""What executors take and give back, and a process that ends with whoever started it."""

import contextlib
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol

import psutil

GRACE_SECONDS = 5.0
"""Between asking processes to end and killing them."""


@dataclass(frozen=True)
class Task:
    """A command to run somewhere.

    Attributes:
        name: For people who look at a cluster's queue.
        command: Program and arguments; it must call `end_with_parent` first, so that it never outlives
            an executor that was killed.
        log: File that its output is appended to.
        environment: Variables on top of those that the place has.
    """

    name: str
    command: tuple[str, ...]
    log: Path
    environment: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Ended:
    """How a task ended.

    Attributes:
        code: Exit status; negative for a signal, as `subprocess` has it; None where nobody knows.
        reason: In a few words.
        preempted: Whether the place took its machine away for other work.
    """

    code: int | None
    reason: str
    preempted: bool = False


class Handle(Protocol):
    """A task that was handed over."""

    def poll(self) -> Ended | None:
        """Say how it ended; None while it waits or runs."""
        ...

    def cancel(self) -> None:
        """End it with every process that it started; a task that ended stays as it is."""
        ...


class Executor(Protocol):
    """A place where tasks run."""

    @property
    def slots(self) -> int:
        """How many tasks may be handed over at once."""
        ...

    def submit(self, task: Task) -> Handle:
        """Hand a task over and return at once."""
        ...


def start(task: Task, **environment: str) -> subprocess.Popen[bytes]:
    """Start a task's process here, the head of a session of its own.

    Its standard input is a pipe that nobody writes to: it closes when this process is gone.
    """
    task.log.parent.mkdir(parents=True, exist_ok=True)
    with task.log.open("ab") as log:
        return subprocess.Popen(
            task.command,
            stdin=subprocess.PIPE,
            stdout=log,
            stderr=subprocess.STDOUT,
            env={**os.environ, **task.environment, **environment},
            start_new_session=True,
        )


def run_task(task: Task) -> int:
    """Run a task to its end and return its exit status: what a cluster's node is asked to call."""
    process = start(task)
    try:
        return process.wait()
    finally:
        end_tree(process.pid)


def describe(code: int) -> str:
    """Say what an exit status means."""
    if code >= 0:
        return f"exit status {code}"
    try:
        return f"killed by {signal.Signals(-code).name}"
    except ValueError:
        return f"killed by signal {-code}"


def end_tree(pid: int, grace_seconds: float = GRACE_SECONDS) -> None:
    """End a process and all that came from it: first asked, then killed."""
    try:
        head = psutil.Process(pid)
        tree = [*head.children(recursive=True), head]
    except psutil.NoSuchProcess:
        return
    for process in tree:
        with contextlib.suppress(psutil.NoSuchProcess):
            process.terminate()
    _, alive = psutil.wait_procs(tree, timeout=grace_seconds)
    for process in alive:
        with contextlib.suppress(psutil.NoSuchProcess):
            process.kill()
    psutil.wait_procs(alive, timeout=grace_seconds)


def end_with_parent() -> None:
    """Make this process end, with all that it started, once whoever holds its standard input is gone."""
    threading.Thread(target=_wait_for_parent, name="parent", daemon=True).start()


def _wait_for_parent() -> None:
    # Not sys.stdin: a lock of its buffer that a thread holds would stop the interpreter's exit.
    while os.read(sys.__stdin__.fileno() if sys.__stdin__ else 0, 4096):
        pass
    for process in psutil.Process().children(recursive=True):
        with contextlib.suppress(psutil.NoSuchProcess):
            process.kill()
    os.kill(os.getpid(), signal.SIGKILL)
