"""Where commands run: on this machine, through Slurm or through Ray. Nothing here knows of leaderboards."""

from pathlib import Path

from assay.remote.executors.task import Ended, Executor, Handle, Task
from assay.settings import Settings

__all__ = ["Ended", "Executor", "Handle", "Task", "make_executor"]


def make_executor(settings: Settings, folder: Path) -> Executor:
    """Return the executor that conf/ names; what it needs is imported only here.

    Args:
        settings: How to run.
        folder: Where a cluster's own files go; on a file system that its nodes share.

    Raises:
        SettingsError: If what it needs is not installed or not reachable.
    """
    kind = settings.executor.kind
    if kind == "slurm":
        from assay.remote.executors.slurm import SlurmExecutor

        return SlurmExecutor(settings.executor, folder)
    if kind == "ray":
        from assay.remote.executors.ray import RayExecutor

        return RayExecutor(settings.executor)
    from assay.remote.executors.local import LocalExecutor, visible_gpus

    gpus = () if settings.device == "cpu" else visible_gpus()
    return LocalExecutor(settings.executor.slots, gpus, settings.machine.processes)
