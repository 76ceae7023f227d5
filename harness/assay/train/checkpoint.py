"""Resumable state as safetensors: weights, their running mean, optimiser moments, loss trace.

No pickle anywhere: tensors go under `model.<name>`, `mean.<name>` and `optim.<name>.<key>`, the few
numbers beside them into the file's own metadata. One file, replaced atomically, so a kill at any
moment leaves the last whole checkpoint.
"""

import json
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from safetensors import safe_open
from safetensors.torch import save as save_tensors
from torch import Tensor, nn

from assay.artifact import write_atomic
from assay.train.average import WeightAverage
from assay.train.shards import full_tensor, like

RESUME_FILE = "resume.safetensors"


def weights_file(checkpoint: Path) -> Path | None:
    """Return the file of weights in a checkpoint's folder, whatever its field calls it."""
    return next(iter(sorted(checkpoint.glob("*.safetensors"))), None)


def _optimizer_state(
    model: nn.Module, optimizers: list[torch.optim.Optimizer]
) -> dict[str, Tensor]:
    """Return every tensor of optimiser state under its parameter's name."""
    state: dict[str, Tensor] = {}
    for name, parameter in model.named_parameters():
        for optimizer in optimizers:
            for key, value in optimizer.state.get(parameter, {}).items():
                state[f"{name}.{key}"] = torch.as_tensor(value)
    return state


def save_resume(
    folder: Path,
    *,
    step: int,
    model: nn.Module,
    average: WeightAverage,
    optimizers: list[torch.optim.Optimizer],
    trace: NDArray[np.float32],
    main_process: bool,
) -> None:
    """Write the state from which training goes on at `step`.

    Every process calls it (sharded tensors are gathered); the main process writes.
    """
    tensors = {f"model.{k}": full_tensor(v) for k, v in model.state_dict().items()}
    tensors |= {f"mean.{k}": full_tensor(v) for k, v in average.mean.items()}
    tensors |= {
        f"optim.{k}": full_tensor(v) for k, v in _optimizer_state(model, optimizers).items()
    }
    tensors["trace"] = torch.from_numpy(trace[:step].copy())
    if main_process:
        metadata = {"state": json.dumps({"step": step, "averaged": average.count})}
        # Tied weights share storage, which safetensors refuses; clones cost a moment and no meaning.
        plain = {
            name: tensor.detach().cpu().clone().contiguous() for name, tensor in tensors.items()
        }
        write_atomic(folder / RESUME_FILE, save_tensors(plain, metadata=metadata))


def load_resume(
    folder: Path,
    *,
    model: nn.Module,
    average: WeightAverage,
    optimizers: list[torch.optim.Optimizer],
    trace: NDArray[np.float32],
) -> int:
    """Restore the last checkpoint in place.

    Returns:
        The step to take next; 0 where there is no checkpoint.
    """
    path = folder / RESUME_FILE
    if not path.is_file():
        return 0
    with safe_open(path, framework="pt") as stored:
        state = json.loads(stored.metadata()["state"])
        own = model.state_dict()
        names = set(stored.keys())
        with torch.no_grad():
            for name, tensor in own.items():
                tensor.copy_(like(stored.get_tensor(f"model.{name}"), tensor))
            average.count = state["averaged"]
            average.mean = {
                name: like(stored.get_tensor(f"mean.{name}"), parameter)
                for name, parameter in model.named_parameters()
                if f"mean.{name}" in names
            }
            for name, parameter in model.named_parameters():
                _restore_moments(stored, names, name, parameter, optimizers)
        trace[: state["step"]] = stored.get_tensor("trace").numpy()
    return int(state["step"])


def _restore_moments(
    stored: safe_open,
    names: set[str],
    name: str,
    parameter: nn.Parameter,
    optimizers: list[torch.optim.Optimizer],
) -> None:
    """Give one parameter's moments back to the optimiser that owns it."""
    for optimizer in optimizers:
        if not any(parameter is p for group in optimizer.param_groups for p in group["params"]):
            continue
        prefix = f"optim.{name}."
        for key in (k for k in names if k.startswith(prefix)):
            value = stored.get_tensor(key)
            short = key.removeprefix(prefix)
            # Fused steps ask that counters live where the weights live, and that moments lie in memory
            # as the weights do (channels last).
            optimizer.state[parameter][short] = (
                torch.empty_like(parameter).copy_(like(value, parameter))
                if value.ndim
                else value.to(parameter.device)
            )


def discard_resume(folder: Path) -> None:
    """Delete the resumable state of a run that is finished."""
    (folder / RESUME_FILE).unlink(missing_ok=True)
