"""Run every task as a Slurm job, through submitit."""

import json
import shutil
import signal
import threading
from pathlib import Path
from typing import Any

from assay.artifact import write_atomic
from assay.errors import SettingsError
from assay.remote.executors.task import Ended, Task, describe, run_task
from assay.settings import ExecutorSettings

EXIT_FILE = "exit.json"
DEFAULT_SLOTS = 8


def run_and_note(task: Task, note: Path) -> None:
    """Run a task on a node and leave its exit status in a file.

    submitit hands results back as pickles, which are never read.
    """
    write_atomic(note, json.dumps({"code": run_task(task)}).encode())


class SlurmExecutor:
    """Hands tasks to `sbatch`.

    Attributes:
        slots: Jobs in Slurm's queue at once.
    """

    def __init__(self, settings: ExecutorSettings, folder: Path):
        """Check that jobs can be handed over.

        Args:
            settings: What a job asks for.
            folder: For submitit's scripts and logs; on a file system that the nodes share.

        Raises:
            SettingsError: If submitit or Slurm is missing.
        """
        try:
            import submitit
        except ImportError:
            raise SettingsError(
                "executor=slurm: submitit is not installed; run: pip install -c constraints.txt -e '.[slurm]'"
            ) from None
        if lacking := [name for name in ("sbatch", "srun", "sacct") if shutil.which(name) is None]:
            raise SettingsError(
                f"executor=slurm: {', '.join(lacking)} is not on PATH; start the worker on a login node of the "
                "cluster, or take executor=local"
            )
        self.slots = settings.slots or DEFAULT_SLOTS
        self._slurm: Any = submitit.SlurmExecutor(folder=folder)
        # submitit is not made for threads, and a worker has one for every run.
        self._alone = threading.Lock()
        asked = {
            "time": settings.minutes,
            "gpus_per_node": settings.gpus,
            "cpus_per_task": settings.cpus,
            "partition": settings.partition,
            "account": settings.account,
            "qos": settings.qos,
        }
        self._asked = {name: value for name, value in asked.items() if value}

    def submit(self, task: Task) -> "SlurmHandle":
        """Hand a task to `sbatch`.

        Raises:
            SettingsError: If Slurm refuses it.
        """
        from submitit.core.utils import FailedJobError

        note = task.log.with_name(EXIT_FILE)
        try:
            with self._alone:
                self._slurm.update_parameters(job_name=task.name, **self._asked)
                job = self._slurm.submit(run_and_note, task, note)
            return SlurmHandle(job, note, self._alone)
        except FailedJobError as error:
            told = " ".join(str(error).split())[-300:]
            raise SettingsError(f"executor=slurm: sbatch refused the job: {told}") from None


class SlurmHandle:
    """A job in Slurm's hands."""

    def __init__(self, job: Any, note: Path, alone: threading.Lock):
        self._job, self._note, self._alone = job, note, alone

    def poll(self) -> Ended | None:
        """Say how the job ended; None while it waits or runs."""
        # Asked before the note is looked for: a job that ends in between has left its note.
        with self._alone:
            gone = self._job.watcher.is_done(self._job.job_id)
            state = self._job.watcher.get_state(self._job.job_id, mode="cache")
        code = json.loads(self._note.read_bytes())["code"] if self._note.is_file() else None
        # Slurm asks jobs to end in this way, and says why a little later.
        if code not in (None, -signal.SIGTERM):
            return Ended(code, describe(code))
        told = f"Slurm job {self._job.job_id} is {state}"
        if state.startswith("PREEMPTED"):
            # It may be meant to begin again, as a run that another worker has by then.
            self._job.cancel(check=False)
            return Ended(code, told, preempted=True)
        return Ended(code, told) if gone else None

    def cancel(self) -> None:
        """Cancel the job, unless it has ended."""
        if self.poll() is None:
            self._job.cancel(check=False)
