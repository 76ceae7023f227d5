"""Ledgers of made-up records, to draw reports from."""

import json
from pathlib import Path

import numpy as np

from assay import ledger
from assay.home import run_folder
from assay.record import build_record

TASKS = ("facts", "sums", "words")
FLOPS = {"pico": 1e12, "nano": 1e13, "micro": 1e14}
HOSTILE = "<script>alert(1)</script>\"'&"


def task(bits: float) -> dict:
    return {"accuracy": 0.5, "centered_accuracy": 1 - bits / 4, "bits_per_byte": bits}


def record(
    name: str,
    scale: str,
    seed: int,
    tasks: list[float],
    track: str = "text",
    pool: str = "sha256:bb",
    list_name: str = "",
) -> dict:
    """Return a record; its list, and so its submission, is `list_name`'s or the one of that name everywhere."""
    bits = float(np.mean(tasks))
    return build_record(
        submission={
            "digest": "sha256:" + (list_name or name).encode().hex().ljust(64, "0")[:64], "form": "ids", "unit": "document", "n": 10,
            "unique": 10, "tokens": 100, "repeats": 1.5, "pool_n": 100, "manifest": {"name": name},
        },
        track={
            "name": track, "scale": scale, "version": 1, "modality": "text", "seal": f"sha256:{scale}", "sealed": True,
        },
        seed=seed,
        digests={"run": f"sha256:{name.encode().hex()[:12]}{scale}{seed}", "pool": pool},
        training={"flops": FLOPS[scale]},
        metrics={
            "bits_per_byte": bits,
            "centered_accuracy": 1 - bits / 4,
            "tasks": {n: task(x) for n, x in zip(TASKS, tasks, strict=True)},
        },
        software={}, device={}, clock={"finished": "2026-01-01T00:00:00+00:00"},
    )  # fmt: skip


def fill(names: list[str], scales: list[str], seeds: int = 3) -> None:
    """Append records of submissions that get worse in the order given, with a curve each."""
    rng = np.random.default_rng(41)
    for scale in scales:
        for quality, name in enumerate(names):
            for seed in range(seeds):
                tasks = 1 + 0.1 * quality + rng.normal(0, 0.02, 3)
                made = record(name, scale, 1000 * quality + seed, tasks.tolist())
                ledger.append(made)
                write_losses(made, np.linspace(4 + quality, 1 + quality, 150) + 0.1 * seed)


def write_losses(made: dict, losses: np.ndarray) -> None:
    folder: Path = run_folder(made["digests"]["run"])
    folder.mkdir(parents=True, exist_ok=True)
    lines = (json.dumps({"step": i, "loss": float(x)}) + "\n" for i, x in enumerate(losses))
    (folder / "metrics.jsonl").write_text("".join(lines))
