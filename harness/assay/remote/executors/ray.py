"""Run every task as one Ray task, which Ray gives GPUs of its own."""

from typing import Any

from assay.errors import SettingsError
from assay.remote.executors.task import Ended, Task, describe, run_task
from assay.settings import ExecutorSettings

DEFAULT_SLOTS = 8


class RayExecutor:
    """Hands tasks to a Ray cluster.

    Attributes:
        slots: Tasks in Ray's queue at once.
    """

    def __init__(self, settings: ExecutorSettings):
        """Connect to the cluster, or start one on this machine where there is none.

        Raises:
            SettingsError: If Ray is missing or the cluster cannot be reached.
        """
        try:
            import ray  # pyright: ignore[reportMissingImports]
        except ImportError:
            raise SettingsError(
                "executor=ray: ray is not installed; run: pip install -c constraints.txt -e '.[ray]'"
            ) from None
        self._ray: Any = ray
        if not ray.is_initialized():
            try:
                ray.init(
                    address=settings.address or None, include_dashboard=False, log_to_driver=False
                )
            except (ConnectionError, ValueError) as error:
                told = str(error).splitlines()[0]
                raise SettingsError(
                    f"executor.address={settings.address}: {told}; see: ray status"
                ) from None
        self.slots = settings.slots or DEFAULT_SLOTS
        self._remote: Any = ray.remote(run_task)
        # A task that is lost is its caller's to hand over again, not Ray's.
        self._asked = {
            "num_gpus": settings.gpus,
            "num_cpus": settings.cpus or 1,
            "max_retries": 0,
        }

    def submit(self, task: Task) -> "RayHandle":
        """Put a task into Ray's queue."""
        return RayHandle(
            self._ray, self._remote.options(name=task.name, **self._asked).remote(task)
        )


class RayHandle:
    """A task in Ray's hands."""

    def __init__(self, ray: Any, reference: Any):
        self._ray, self._reference = ray, reference

    def poll(self) -> Ended | None:
        """Say how the task ended; None while it waits or runs."""
        ready, _ = self._ray.wait([self._reference], timeout=0)
        if not ready:
            return None
        try:
            code = self._ray.get(self._reference)
        except self._ray.exceptions.RayError as error:
            return Ended(None, f"Ray: {type(error).__name__}")
        return Ended(code, describe(code))

    def cancel(self) -> None:
        """Kill Ray's process of the task; the task's own ends with it."""
        if self.poll() is None:
            self._ray.cancel(self._reference, force=True)
