"""Train one planned run and leave a checkpoint, in this process or in several."""

import json
import os
import subprocess
import sys
from contextlib import nullcontext
from pathlib import Path
from typing import Any

import filelock
import numpy as np

from assay.artifact import atomic_file, atomic_folder, only_one, write_atomic
from assay.canonical import digest_file
from assay.console import say
from assay.errors import RunError, TrainingError
from assay.modality import Modality
from assay.runner.modalities import batch_items, build_modality
from assay.runner.plan import SUBMISSION_FILE, RunPlan, read_plan
from assay.selection import select_rows
from assay.settings import Settings
from assay.submission import read_submission
from assay.track.clip_spec import ClipRecipe
from assay.track.load import load
from assay.track.pools import open_pool
from assay.track.spec import Recipe
from assay.train.checkpoint import discard_resume, weights_file
from assay.train.loop import Trained, train
from assay.train.shards import gather_state

CHECKPOINT = "checkpoint"
TRACE_FILE = "trace.npy"
TRAINED_FILE = "trained.json"
LOCK_FILE = "training.lock"


def ensure_trained(plan: RunPlan, settings: Settings) -> dict[str, Any]:
    """Train unless a whole checkpoint is there already; go on where a killed attempt stopped.

    Returns:
        What `trained.json` holds: digests, counts, durations, device.
    """
    finished = plan.folder / TRAINED_FILE
    # Training processes may outlive a killed parent, and still write here.
    with only_one(plan.folder / LOCK_FILE, lambda: say("waiting for an earlier attempt to end")):
        pass
    if not finished.is_file():
        if settings.machine.processes > 1:
            _check_launch(load(plan.track, plan.scale).recipe, settings)
            _launch(plan.folder, settings)
        else:
            train_run(plan.folder)
    facts = json.loads(finished.read_bytes())
    weights = weights_file(plan.folder / CHECKPOINT)
    if weights is None or digest_file(weights) != facts["checkpoint"]:
        raise RunError(
            f"the weights in {plan.folder / CHECKPOINT} do not match their digest; delete {plan.folder} and score again"
        )
    return facts


def _check_launch(recipe: Recipe | ClipRecipe, settings: Settings) -> None:
    """Refuse what several processes cannot do, before they are started."""
    processes = settings.machine.processes
    count, things = batch_items(recipe)
    if count % processes:
        raise RunError(
            f"machine.processes={processes} does not divide the recipe's global batch of {count} "
            f"{things}; choose a divisor of {count}"
        )
    if settings.machine.sharding == "fsdp" and isinstance(recipe, ClipRecipe):
        raise RunError(
            "machine.sharding=fsdp: FSDP cannot shard a CLIP model's temperature, which is a single number, and "
            "all of the track's models fit one device; use machine.sharding=none"
        )
    if settings.machine.sharding == "fsdp" and recipe.optimizer.name == "muon":
        raise RunError(
            "machine.sharding=fsdp: this recipe's optimiser, Muon, needs whole matrices, and its models "
            "fit one device; use machine.sharding=none"
        )


def _launch(folder: Path, settings: Settings) -> None:
    """Start the worker once a process; accelerate reads rank and world from torchrun's environment."""
    processes = settings.machine.processes
    command = [sys.executable, "-m", "torch.distributed.run", "--standalone"]
    command += ["--nproc_per_node", str(processes), "-m", "assay.runner.worker", str(folder)]
    threads = settings.threads or max(1, (os.cpu_count() or 1) // processes)
    environment = os.environ | {"OMP_NUM_THREADS": str(threads)}
    done = subprocess.run(command, stdout=sys.stderr, env=environment)
    if done.returncode:
        raise TrainingError(
            f"training stopped with exit code {done.returncode} in one of {processes} processes (its "
            "messages are above); the same command goes on from the last checkpoint"
        )


def train_run(folder: Path) -> None:
    """Train the run that `folder` plans; every process of a launch calls this.

    The first process holds the folder meanwhile; no process decides alone whether there is anything
    to train, or the others would wait for it for ever.
    """
    first = os.environ.get("RANK", "0") == "0"
    with filelock.FileLock(folder / LOCK_FILE) if first else nullcontext():
        _train(folder)


def _train(folder: Path) -> None:
    plan, settings = read_plan(folder)
    loaded = load(plan.track, plan.scale)
    pool = open_pool(loaded)
    submission = read_submission(folder / SUBMISSION_FILE, unit=plan.unit)
    assert submission.digest == plan.submission, "the run folder holds another submission"
    selection = select_rows(submission, pool)
    modality = build_modality(
        loaded, pool, selection, seed=plan.seed, settings=settings, folder=folder
    )
    trained = train(modality, seed=plan.seed, folder=folder, settings=settings)
    state = gather_state(trained.model.state_dict())
    if trained.main_process:
        model: Any = modality.build_model(plan.seed)
        model.load_state_dict(state)
        _finish(folder, model, modality, trained, selection.digest, settings)


def _finish(
    folder: Path,
    model: Any,
    modality: Modality,
    trained: Trained,
    selection_digest: str,
    settings: Settings,
) -> None:
    """Write checkpoint and trace, then the file whose existence says that training is done."""
    if not (folder / CHECKPOINT).is_dir():
        with atomic_folder(folder / CHECKPOINT) as partial:
            modality.save_checkpoint(model, partial)
    with atomic_file(folder / TRACE_FILE) as stream:
        np.save(stream, trained.trace, allow_pickle=False)
    weights = weights_file(folder / CHECKPOINT)
    assert weights is not None, "every modality saves safetensors"
    facts = {
        "selection": selection_digest,
        "trace": trained.trace_digest,
        "checkpoint": digest_file(weights),
        "steps": len(trained.trace),
        "final_loss": float(trained.trace[-1]),
        "parameters": sum(parameter.numel() for parameter in model.parameters()),
        "flops": trained.flops,
        "seconds": trained.seconds,
        "extra": modality.facts(),
        "device": trained.facts
        | {"micro_batch": settings.micro_batch, "sharding": settings.machine.sharding},
    }
    write_atomic(folder / TRAINED_FILE, json.dumps(facts, indent=2).encode())
    discard_resume(folder)
