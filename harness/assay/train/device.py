"""Device, precision and determinism, chosen once and said aloud."""

import os
import platform
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import torch
from accelerate import Accelerator
from accelerate.state import AcceleratorState
from torch import nn
from torch.distributed.device_mesh import init_device_mesh
from torch.distributed.fsdp import fully_shard

from assay.errors import SettingsError
from assay.modality import Modality
from assay.settings import Settings


def build_accelerator(settings: Settings, precision: str) -> Accelerator:
    """Set up the device for bitwise repeatable steps and return accelerate's handle on it.

    Raises:
        SettingsError: If CUDA is asked for and there is none.
    """
    device = resolve_device(settings)
    configure_torch(settings)
    # accelerate refuses a second precision in one process; runs of several scales may need it.
    AcceleratorState._reset_state()
    return Accelerator(
        cpu=device == "cpu",
        mixed_precision="bf16" if precision == "bf16" else "no",
    )


def configure_torch(settings: Settings) -> None:
    """Make this process's arithmetic repeatable: training and evaluation both start with it."""
    # cuBLAS reads this once, when CUDA starts.
    os.environ.setdefault("CUBLAS_WORKSPACE_CONFIG", ":4096:8")
    torch.use_deterministic_algorithms(True)
    # Else every new tensor is filled first, to expose reads of memory that nobody wrote: a tenth of a step.
    torch.utils.deterministic.fill_uninitialized_memory = False  # pyright: ignore[reportAttributeAccessIssue]
    torch.backends.cudnn.benchmark = False
    torch.backends.cuda.matmul.allow_tf32 = False
    torch.backends.cudnn.allow_tf32 = False
    if settings.threads:
        torch.set_num_threads(settings.threads)


@contextmanager
def one_thread() -> Iterator[None]:
    """Compute in one thread, whatever the machine has: the order of sums, and so the bits, depend on their number."""
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        yield
    finally:
        torch.set_num_threads(before)


def resolve_device(settings: Settings) -> str:
    """Return `cuda` or `cpu`, as `device=auto` and this machine have it.

    Raises:
        SettingsError: If CUDA is asked for and there is none.
    """
    if settings.device == "cuda" and not torch.cuda.is_available():
        raise SettingsError(
            "device=cuda: torch sees no CUDA device; use device=cpu, or see what is wrong with: assay doctor"
        )
    return "cpu" if settings.device == "cpu" or not torch.cuda.is_available() else "cuda"


def distribute(
    model: nn.Module, modality: Modality, accelerator: Accelerator, sharding: str
) -> nn.Module:
    """Prepare a model for the processes of this launch: nothing, DDP, or FSDP2 block by block."""
    if accelerator.num_processes == 1:
        return model
    if sharding == "none":
        return accelerator.prepare_model(model)
    assert modality.optimizer.name != "muon", "Muon needs whole matrices"
    mesh = init_device_mesh(accelerator.device.type, (accelerator.num_processes,))
    for block in modality.blocks(model):
        fully_shard(block, mesh=mesh)
    fully_shard(model, mesh=mesh)
    return model


def processor_name() -> str:
    """Return the CPU's model name as the kernel gives it."""
    try:
        for line in Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines():
            if line.startswith("model name"):
                return line.split(":", 1)[1].strip()
    except OSError:
        pass
    return platform.processor() or platform.machine()


def device_facts(accelerator: Accelerator) -> dict[str, Any]:
    """Return what the bits of a result may depend on: device, threads, processes, platform."""
    kind = accelerator.device.type
    name = torch.cuda.get_device_name() if kind == "cuda" else processor_name()
    return {
        "type": kind,
        "name": name,
        "threads": torch.get_num_threads(),
        "processes": accelerator.num_processes,
        "platform": f"{platform.system()}-{platform.machine()}",
        "cuda": torch.version.cuda if kind == "cuda" else None,
    }
