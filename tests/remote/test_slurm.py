"""The Slurm executor, with commands on PATH that do at once what Slurm would do on a node."""

import json
import os
import signal
import stat
import sys
import threading
import time
from pathlib import Path

import httpx
import pytest

from assay.errors import SettingsError
from assay.remote.client import Client
from assay.remote.executors import Ended, Task, make_executor
from assay.remote.executors.slurm import SlurmExecutor, SlurmHandle
from assay.remote.worker import Worker
from assay.settings import ExecutorSettings, Settings, compose
from fake_leaderboard import FakeLeaderboard

SlurmJob = pytest.importorskip("submitit").SlurmJob

# sbatch gives out a number and runs the script, whose srun runs its command; sacct reads what became of it.
SBATCH = """#!{python}
import itertools, os, re, subprocess, sys
jobs = os.environ["FAKE_SLURM"]
number = next(n for n in itertools.count(100) if not os.path.exists(f"{{jobs}}/{{n}}"))
script = open(sys.argv[-1]).read()
os.mkdir(f"{{jobs}}/{{number}}")
open(f"{{jobs}}/{{number}}/script", "w").write(script)
runner = f'''
import os, subprocess
open("{{jobs}}/{{number}}/state", "w").write("RUNNING")
code = subprocess.call(["bash", "{{jobs}}/{{number}}/script"])
if not os.path.exists("{{jobs}}/{{number}}/cancelled"):
    open("{{jobs}}/{{number}}/state", "w").write("COMPLETED" if code == 0 else "FAILED")
'''
env = os.environ | {{"SLURM_JOB_ID": str(number), "SLURM_PROCID": "0", "SLURM_LOCALID": "0", "SLURM_NTASKS": "1",
    "SLURM_JOB_NUM_NODES": "1", "SLURM_NODEID": "0", "SLURM_JOB_NODELIST": "here"}}
child = subprocess.Popen([sys.executable, "-c", runner], env=env, start_new_session=True,
    stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
open(f"{{jobs}}/{{number}}/pid", "w").write(str(child.pid))
print("Submitted batch job", number)
"""
SRUN = """#!{python}
import os, sys
words = sys.argv[1:]
while words and words[0].startswith("-"):
    words = words[1 if "=" in words[0] or words[0] in ("--unbuffered", "--kill-on-bad-exit") else 2:]
os.execvp(words[0], words)
"""
SACCT = """#!{python}
import os, pathlib
print("JobID|State|NodeList")
for job in sorted(pathlib.Path(os.environ["FAKE_SLURM"]).iterdir()):
    state = job / "state"
    print(f"{{job.name}}|{{state.read_text() if state.exists() else 'PENDING'}}|here")
"""
SCANCEL = """#!{python}
import os, pathlib, signal, sys
job = pathlib.Path(os.environ["FAKE_SLURM"]) / sys.argv[-1]
(job / "cancelled").touch()
(job / "state").write_text("CANCELLED by 0")
os.killpg(int((job / "pid").read_text()), signal.SIGKILL)
"""


@pytest.fixture
def slurm(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    programs, jobs = tmp_path / "bin", tmp_path / "jobs"
    programs.mkdir()
    jobs.mkdir()
    for name, text in {"sbatch": SBATCH, "srun": SRUN, "sacct": SACCT, "scancel": SCANCEL}.items():
        path = programs / name
        path.write_text(text.format(python=sys.executable))
        path.chmod(path.stat().st_mode | stat.S_IXUSR)
    monkeypatch.setenv("PATH", f"{programs}{os.pathsep}{os.environ['PATH']}")
    monkeypatch.setenv("FAKE_SLURM", str(jobs))
    # submitit keeps what it knows of jobs for the whole process, and numbers start anew here.
    SlurmJob.watcher.clear()
    return jobs


def _ended(handle, seconds: float = 40) -> Ended:
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        if found := handle.poll():
            return found
        time.sleep(0.1)
    raise AssertionError("the job did not end")


def _task(tmp_path: Path, code: str) -> Task:
    return Task(
        "assay-test", (sys.executable, "-c", code), tmp_path / "run" / "log.txt", {"WORD": "hello"}
    )


def test_a_job_runs_and_what_it_asks_for_is_in_its_script(slurm: Path, tmp_path: Path) -> None:
    settings = compose(
        ["executor=slurm", "executor.partition=big", "executor.account=me"], clusters=True
    )
    executor = make_executor(settings, tmp_path / "cluster")
    assert executor.slots == 8
    handle = executor.submit(
        _task(tmp_path, "import os, sys; print(os.environ['WORD']); sys.exit(3)")
    )
    assert _ended(handle) == Ended(3, "exit status 3")
    assert (tmp_path / "run" / "log.txt").read_text() == "hello\n"
    script = (slurm / "100" / "script").read_text()
    asked = ["job-name=assay-test", "time=720", "gpus-per-node=1", "cpus-per-task=4"]
    for words in [*asked, "partition=big", "account=me"]:
        assert f"#SBATCH --{words}\n" in script
    assert "qos" not in script


def _at_work(tmp_path: Path) -> tuple[SlurmHandle, int]:
    """Return a job that would take long, and the process that it runs as."""
    executor = SlurmExecutor(ExecutorSettings(kind="slurm"), tmp_path / "cluster")
    code = "import os, time; print(os.getpid(), flush=True); time.sleep(60)"
    handle = executor.submit(_task(tmp_path, code))
    log = tmp_path / "run" / "log.txt"
    deadline = time.monotonic() + 60
    while not (log.is_file() and log.read_text()):
        assert time.monotonic() < deadline, "the job did not begin"
        time.sleep(0.1)
    return handle, int(log.read_text())


def test_a_job_that_slurm_ends_is_told_with_slurms_word(slurm: Path, tmp_path: Path) -> None:
    handle, _ = _at_work(tmp_path)
    handle.cancel()
    assert _ended(handle) == Ended(None, "Slurm job 100 is CANCELLED by 0")


@pytest.mark.parametrize("state", ["PREEMPTED", "TIMEOUT"])
def test_a_preempted_job_is_told_from_one_that_took_too_long(
    slurm: Path, tmp_path: Path, state: str
) -> None:
    """Both are asked to end in the same way; why is in Slurm's books a little later."""
    handle, process = _at_work(tmp_path)
    (slurm / "100" / "cancelled").touch()
    os.kill(process, signal.SIGTERM)
    deadline = time.monotonic() + 60
    while not list(tmp_path.rglob("exit.json")) and time.monotonic() < deadline:
        time.sleep(0.1)
    assert handle.poll() is None
    (slurm / "100" / "state").write_text(state)
    SlurmJob.watcher.clear()  # or it asks again when a minute has passed
    told = f"Slurm job 100 is {state}"
    assert _ended(handle) == Ended(-signal.SIGTERM, told, preempted=state == "PREEMPTED")


def test_without_slurm_it_says_so(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(SettingsError, match="sbatch, srun, sacct is not on PATH"):
        make_executor(Settings(executor=ExecutorSettings(kind="slurm")), tmp_path)


def test_a_refusal_of_sbatch_is_one_line(slurm: Path, tmp_path: Path) -> None:
    sbatch = tmp_path / "bin" / "sbatch"
    sbatch.write_text("#!/bin/sh\necho 'invalid partition\nspecified' >&2\nexit 1\n")
    executor = SlurmExecutor(ExecutorSettings(kind="slurm"), tmp_path / "cluster")
    with pytest.raises(SettingsError, match="sbatch refused the job") as caught:
        executor.submit(_task(tmp_path, ""))
    assert "\n" not in str(caught.value)


@pytest.mark.slow
def test_a_leased_run_goes_through_slurm_to_its_result(slurm: Path, tiny_home: Path) -> None:
    """The whole way: sbatch's script, submitit on the node, training, and the result back to the server."""
    board = FakeLeaderboard(tiny_home)
    settings = compose(["device=cpu", "threads=1", "executor=slurm"], clusters=True)
    client = Client("http://b", "t", transport=httpx.MockTransport(board))
    worker = Worker(
        client,
        make_executor(settings, tiny_home / "jobs" / "cluster"),
        settings,
        name="login-node",
        capabilities={},
        stopping=threading.Event(),
    )
    assert worker.run_once() is True
    (result,) = board.bodies("result")
    run = next((tiny_home / "runs").glob("*/outputs.parquet")).parent
    assert (run / "outputs.parquet").read_bytes() in result
    assert (run / "trace.npy").read_bytes() in result
    assert b'"seed_source":{"epoch":"sha256:' in result
    assert json.loads((run / "plan.json").read_text())["plan"]["seed"] == board.job["seed"]
