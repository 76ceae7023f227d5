"""The Ray executor on a real Ray of one core."""

import sys
import time
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest

from assay.remote.executors import Ended, Handle, Task
from assay.settings import ExecutorSettings

pytestmark = [
    pytest.mark.slow,
    pytest.mark.filterwarnings("ignore"),
]
ray = pytest.importorskip("ray")

PARENTED = "from assay.remote.executors.task import end_with_parent\nend_with_parent()\n"


@pytest.fixture(scope="module")
def cluster() -> Iterator[None]:
    with pytest.MonkeyPatch.context() as patch:
        # Else Ray would leave a token in the home folder.
        patch.setenv("RAY_AUTH_MODE", "disabled")
        ray.init(num_cpus=1, include_dashboard=False, log_to_driver=False, configure_logging=False)
        yield
        ray.shutdown()


def _ended(handle: Handle, seconds: float = 60) -> Ended:
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        if found := handle.poll():
            return found
        time.sleep(0.1)
    raise AssertionError("the task did not end")


def _task(tmp_path: Path, code: str) -> Task:
    return Task("t", (sys.executable, "-c", code), tmp_path / "log.txt", {"WORD": "hello"})


def test_tasks_run_and_end_and_are_cancelled(cluster: None, tmp_path: Path) -> None:
    from assay.remote.executors.ray import RayExecutor

    executor = RayExecutor(ExecutorSettings(kind="ray"))
    assert executor.slots == 8
    handle = executor.submit(
        _task(tmp_path, "import os, sys; print(os.environ['WORD']); sys.exit(3)")
    )
    assert _ended(handle) == Ended(3, "exit status 3")
    log = tmp_path / "log.txt"
    assert log.read_text() == "hello\n"

    log.unlink()
    code = PARENTED + "import os, time; print(os.getpid(), flush=True); time.sleep(120)"
    handle = executor.submit(_task(tmp_path, code))
    deadline = time.monotonic() + 60
    while not (log.is_file() and log.read_text().strip()) and time.monotonic() < deadline:
        time.sleep(0.1)
    assert handle.poll() is None
    handle.cancel()
    found = _ended(handle)
    assert found.code is None
    assert found.reason.startswith("Ray: ")
    pid = int(log.read_text())
    deadline = time.monotonic() + 20
    while psutil.pid_exists(pid) and time.monotonic() < deadline:
        time.sleep(0.1)
    assert not psutil.pid_exists(pid)
