"""Training a small model for the sake of a signal: once, kept with what it took.

In one thread: what a strategy chooses by such a model is then the same on machines with other numbers of cores.
"""

import json
import os
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from assay.artifact import atomic_folder, only_one, write_atomic
from assay.canonical import digest_file
from assay.console import say
from assay.modality import Modality
from assay.settings import Settings
from assay.train.checkpoint import discard_resume, weights_file
from assay.train.device import one_thread
from assay.train.loop import train

COST_FILE = "cost.json"
"""In the checkpoint: what training took."""


@dataclass(frozen=True)
class Once:
    """A model that was trained by this call or an earlier one.

    Attributes:
        checkpoint: Its folder.
        weights: `sha256:...` of its file of weights.
        cpu_seconds: Processor time that training took, on every core; of a killed attempt's successor alone.
        ready: Whether an earlier call trained it.
    """

    checkpoint: Path
    weights: str
    cpu_seconds: float
    ready: bool


def train_once(
    folder: Path, build: Callable[[], Modality], *, seed: int, settings: Settings
) -> Once:
    """Train and leave a checkpoint, going on where a killed attempt stopped, or take what an earlier call left.

    Args:
        folder: Named by all that decides the model.
        build: Returns what is trained; not called where the model is there.
        seed: Of initialisation and data order.
        settings: How to run here; of threads it says nothing.
    """
    assert not settings.threads, "one, always"
    checkpoint = folder / "checkpoint"
    folder.mkdir(parents=True, exist_ok=True)
    with only_one(folder / "training.lock", lambda: say("another process trains the same model")):
        ready = checkpoint.is_dir()
        if not ready:
            modality = build()
            started = sum(os.times()[:4])
            with one_thread():
                trained = train(modality, seed=seed, folder=folder, settings=settings)
            cost = {"cpu_seconds": round(sum(os.times()[:4]) - started, 3)}
            with atomic_folder(checkpoint) as partial:
                modality.save_checkpoint(trained.model, partial)
                write_atomic(partial / COST_FILE, json.dumps(cost).encode())
            discard_resume(folder)
    cost = json.loads((checkpoint / COST_FILE).read_bytes())
    weights = weights_file(checkpoint)
    assert weights is not None, "a checkpoint has weights"
    return Once(checkpoint, digest_file(weights), cost["cpu_seconds"], ready)
