"""Linear probes of a run's checkpoint: a diagnostic beside its record, never part of it."""

import json
from pathlib import Path
from typing import Any

from assay.artifact import write_atomic
from assay.errors import UserError
from assay.runner.plan import run_folder
from assay.runner.training import CHECKPOINT
from assay.settings import Settings
from assay.suite.clip import ClipSuite
from assay.track.clip_spec import ClipRecipe
from assay.track.load import LoadedScale, load
from assay.train.device import configure_torch, resolve_device

PROBE_FILE = "linear_probe.json"


def check_probe(track: str, scale: str) -> None:
    """Refuse what has no image features, before anything is trained.

    Raises:
        UserError: If the track trains language models.
    """
    if load(track, scale).modality != "clip":
        raise UserError(
            f"--linear-probe: track {track!r} trains language models, and a probe needs image features; leave "
            "the option out"
        )


def probe_record(record: dict[str, Any], settings: Settings) -> dict[str, Any]:
    """Fit and test the probes of a record's checkpoint, or read what an earlier call left.

    Returns:
        Task to `lp_acc1`, `lp_mean_per_class_recall`, `num_train` and `num_test`.

    Raises:
        UserError: If the run's folder is gone.
    """
    folder = run_folder(record["digests"]["run"])
    path = folder / PROBE_FILE
    if not path.is_file():
        if not (folder / CHECKPOINT).is_dir():
            raise UserError(f"{folder} is gone, and its checkpoint with it; make it again: --fresh")
        found = _probe(load(record["track"]["name"], record["track"]["scale"]), folder, settings)
        write_atomic(path, json.dumps(found, indent=2).encode())
    return json.loads(path.read_bytes())


def _probe(loaded: LoadedScale, folder: Path, settings: Settings) -> dict[str, Any]:
    from assay.clip.images import eval_transform
    from assay.clip.model import load_checkpoint
    from assay.clip.probe import linear_probe

    recipe, suite = loaded.recipe, loaded.suite
    assert isinstance(recipe, ClipRecipe)
    assert isinstance(suite, ClipSuite)
    configure_torch(settings)
    device = resolve_device(settings)
    scores = linear_probe(
        load_checkpoint(folder / CHECKPOINT, device),
        eval_transform(recipe.preprocess, recipe.model.image.image_size),
        suite,
        loaded.suite_folder,
        device=device,
        show_progress=settings.progress,
    )
    return {task: vars(score) for task, score in scores.items()}
