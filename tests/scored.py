"""Records of runs that never were, under the seal of a real scale."""

from typing import Any

from assay.record import build_record
from assay.track.load import LoadedScale, load

Tasks = dict[str, dict[str, Any]]


def text_task(bits: float, accuracy: float, chance: float = 0.25) -> dict[str, Any]:
    return {
        "accuracy": accuracy,
        "chance": chance,
        "centered_accuracy": (accuracy - chance) / (1 - chance),
        "bits_per_byte": bits,
        "stderr": 0.03,
        "bits_per_byte_stderr": 0.04,
        "num_items": 200,
    }


def clip_task(main: float, chance: float = 0.1) -> dict[str, Any]:
    return {
        "metrics": {"acc1": main},
        "main_metric": main,
        "chance": chance,
        "centered_main_metric": (main - chance) / (1 - chance),
        "stderr": 0.02,
        "bits_per_answer": 2.0,
        "num_items": 100,
    }


def _mean(tasks: Tasks, field: str) -> float:
    return sum(task[field] for task in tasks.values()) / len(tasks)


def metrics(modality: str, tasks: Tasks) -> dict[str, Any]:
    fields = {"bits_per_byte": "bits_per_byte", "centered_accuracy": "centered_accuracy"}
    if modality == "clip":
        fields = {"average": "main_metric", "centered_average": "centered_main_metric"}
    return {name: _mean(tasks, field) for name, field in fields.items()} | {"tasks": tasks}


def scored(
    loaded: LoadedScale, name: str, seed: int, tasks: Tasks, *, seal: str = "", pool: str = "bb"
) -> dict[str, Any]:
    """Return a record of `name`; later seeds finish later."""
    return build_record(
        submission={
            "digest": "sha256:" + name.encode().hex().ljust(64, "0"), "form": "ids", "unit": "document",
            "n": 10, "unique": 10, "tokens": 100, "repeats": 1.5, "pool_n": 100, "manifest": {"name": name},
        },
        track={
            "name": loaded.track, "scale": loaded.scale, "version": loaded.spec.version,
            "modality": loaded.modality, "seal": seal or loaded.seal, "sealed": loaded.sealed,
        },
        seed=seed,
        digests={"run": f"sha256:{name}{seed}{seal}{pool}", "pool": f"sha256:{pool}"},
        training={},
        metrics=metrics(loaded.modality, tasks),
        software={},
        device={"type": "cpu", "processes": 1},
        clock={
            "finished": f"2026-01-01T00:{seed // 60:02d}:{seed % 60:02d}+00:00",
            "train_seconds": 60.0, "evaluate_seconds": 30.0,
        },
    )  # fmt: skip


def nano(track: str = "text") -> LoadedScale:
    return load(track, "nano")
