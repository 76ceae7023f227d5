"""Tasks as processes of this machine: slots, ends, and nothing that outlives its parent."""

import os
import queue
import signal
import subprocess
import sys
import time
from pathlib import Path

import psutil
import pytest

from assay.remote.executors import Ended, Handle, Task
from assay.remote.executors.local import LocalExecutor

FAMILY = """
import subprocess, sys, time
children = [subprocess.Popen([sys.executable, "-c", "import time; time.sleep(60)"]) for _ in range(2)]
print(*[child.pid for child in children], flush=True)
time.sleep(60)
"""


def python(code: str, log: Path, **environment: str) -> Task:
    return Task("task", (sys.executable, "-c", code), log, environment)


def ended(handle: Handle, seconds: float = 20) -> Ended:
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        if found := handle.poll():
            return found
        time.sleep(0.02)
    raise AssertionError("the task did not end")


def words(log: Path, count: int, seconds: float = 20) -> list[str]:
    """Wait for so many words in a log."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        if log.is_file() and len(found := log.read_text().split()) >= count:
            return found
        time.sleep(0.02)
    raise AssertionError("nothing was logged")


def gone(pids: list[int], seconds: float = 10) -> bool:
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        if not any(psutil.pid_exists(pid) and _alive(pid) for pid in pids):
            return True
        time.sleep(0.05)
    return False


def _alive(pid: int) -> bool:
    try:
        return psutil.Process(pid).status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False


def test_a_task_runs_with_its_variables_and_is_logged(tmp_path: Path) -> None:
    log = tmp_path / "deep" / "log.txt"
    task = python("import os, sys; print(os.environ['WORD']); sys.exit('so')", log, WORD="hello")
    assert ended(LocalExecutor().submit(task)) == Ended(1, "exit status 1")
    assert log.read_text().split() == ["hello", "so"]


def test_a_log_is_appended_to(tmp_path: Path) -> None:
    executor = LocalExecutor()
    for _ in range(2):
        assert ended(executor.submit(python("print('again')", tmp_path / "log"))).code == 0
    assert (tmp_path / "log").read_text() == "again\nagain\n"


def test_a_killed_task_says_by_what(tmp_path: Path) -> None:
    handle = LocalExecutor().submit(python("import os; os.kill(os.getpid(), 9)", tmp_path / "log"))
    assert ended(handle) == Ended(-9, "killed by SIGKILL")


def test_cancel_ends_the_whole_tree_and_frees_the_slot(tmp_path: Path) -> None:
    executor = LocalExecutor()
    handle = executor.submit(python(FAMILY, tmp_path / "log"))
    pids = [int(word) for word in words(tmp_path / "log", 2)]
    with pytest.raises(queue.Empty):
        executor.submit(python("", tmp_path / "log"))
    handle.cancel()
    assert gone(pids)
    assert handle.poll() == Ended(None, "cancelled")
    assert ended(executor.submit(python("", tmp_path / "log"))).code == 0


def test_cancel_kills_what_does_not_listen(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("assay.remote.executors.task.end_tree.__defaults__", (0.2,))
    deaf = "import os, signal, time; signal.signal(15, signal.SIG_IGN); print(os.getpid(), flush=True); time.sleep(60)"
    handle = LocalExecutor().submit(python(deaf, tmp_path / "log"))
    (pid,) = words(tmp_path / "log", 1)
    handle.cancel()
    assert gone([int(pid)])


@pytest.mark.parametrize(
    ("slots", "gpus", "each", "devices"),
    [
        (0, (), 1, [""]),
        (3, (), 1, ["", "", ""]),
        (0, ("0", "1", "2"), 1, ["0", "1", "2"]),
        (0, ("0", "1", "2", "3", "4"), 2, ["0,1", "2,3"]),
        (0, ("GPU-a", "GPU-b"), 8, ["GPU-a,GPU-b"]),
        (4, ("0", "1"), 1, ["0", "1", "0", "1"]),
    ],
)
def test_every_slot_has_devices_of_its_own(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, slots: int, gpus: tuple[str, ...], each: int, devices: list[str]
) -> None:  # fmt: skip
    monkeypatch.delenv("CUDA_VISIBLE_DEVICES", raising=False)
    executor = LocalExecutor(slots, gpus, each)
    assert executor.slots == len(devices)
    code = "import os; print(repr(os.environ.get('CUDA_VISIBLE_DEVICES', '')))"
    handles = [
        executor.submit(python(code, tmp_path / str(slot))) for slot in range(executor.slots)
    ]
    assert all(ended(handle).code == 0 for handle in handles)
    found = [(tmp_path / str(slot)).read_text().strip() for slot in range(executor.slots)]
    assert found == [repr(device) for device in devices]


def test_a_task_ends_when_its_executor_is_killed(tmp_path: Path) -> None:
    """SIGKILL gives nobody a chance to clean up; the task sees its standard input close."""
    task = "from assay.remote.executors.task import end_with_parent\nend_with_parent()\n" + FAMILY
    parent = f"""
import sys, time
from pathlib import Path
from assay.remote.executors import Task
from assay.remote.executors.local import LocalExecutor
handle = LocalExecutor().submit(Task("t", (sys.executable, "-c", {task!r}), Path({str(tmp_path / "log")!r})))
print(handle._process.pid, flush=True)
time.sleep(60)
"""
    process = subprocess.Popen([sys.executable, "-c", parent], stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    head = int(process.stdout.readline())
    pids = [head, *map(int, words(tmp_path / "log", 2))]
    assert not gone(pids, seconds=0.2)
    os.kill(process.pid, signal.SIGKILL)
    process.wait()
    process.stdout.close()
    assert gone(pids)
