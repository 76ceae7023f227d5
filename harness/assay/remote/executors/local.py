"""Run tasks as processes of this machine, one a slot: a group of GPUs, or the CPU."""

import os
import queue
import subprocess

from assay.remote.executors.task import Ended, Task, describe, end_tree, start


def visible_gpus() -> tuple[str, ...]:
    """Return the CUDA devices that this process may use, as `CUDA_VISIBLE_DEVICES` names them."""
    import torch

    count = torch.cuda.device_count()
    named = os.environ.get("CUDA_VISIBLE_DEVICES", "")
    listed = tuple(word.strip() for word in named.split(",") if word.strip())
    return listed[:count] if listed else tuple(str(index) for index in range(count))


class LocalExecutor:
    """Gives every task a slot of its own.

    Attributes:
        slots: Tasks at once.
    """

    def __init__(self, slots: int = 0, gpus: tuple[str, ...] = (), gpus_each: int = 1):
        """Divide the GPUs into groups.

        Args:
            slots: Tasks at once; 0 takes one a group of GPUs, or one where there are none. More tasks than
                groups share them.
            gpus: Names of CUDA devices.
            gpus_each: Devices of a task.
        """
        size = min(gpus_each, len(gpus)) or 1
        groups = [gpus[i : i + size] for i in range(0, len(gpus) - size + 1, size)]
        self.slots = slots or len(groups) or 1
        self._free: queue.SimpleQueue[str] = queue.SimpleQueue()
        for slot in range(self.slots):
            self._free.put(",".join(groups[slot % len(groups)]) if groups else "")

    def submit(self, task: Task) -> "LocalHandle":
        """Start the task in a free slot; callers keep to `slots`."""
        devices = self._free.get(block=False)
        named = {"CUDA_VISIBLE_DEVICES": devices} if devices else {}
        return LocalHandle(start(task, **named), devices, self._free)


class LocalHandle:
    """A process and the slot that it holds."""

    def __init__(
        self, process: subprocess.Popen[bytes], devices: str, free: "queue.SimpleQueue[str]"
    ):
        self._process, self._devices, self._free = process, devices, free
        self._ended: Ended | None = None

    def poll(self) -> Ended | None:
        """Say how the process ended; None while it runs."""
        code = self._process.poll()
        if self._ended is None and code is not None:
            self._end(Ended(code, describe(code)))
        return self._ended

    def cancel(self) -> None:
        """End the process and all that it started; the slot is free afterwards."""
        if self.poll() is None:
            end_tree(self._process.pid)
            self._process.wait()
            self._end(Ended(None, "cancelled"))

    def _end(self, ended: Ended) -> None:
        self._ended = ended
        if self._process.stdin is not None:
            self._process.stdin.close()
        self._free.put(self._devices)
