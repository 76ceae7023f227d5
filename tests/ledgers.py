"""Records and ledgers for the tests of the ledger."""

from pathlib import Path
from typing import Any

from assay.canonical import digest_json
from assay.ledger import Ledger
from assay.record import build_record

Record = dict[str, Any]


def digest(word: Any) -> str:
    return digest_json(word)


def record(
    name: str, seed: int = 0, bits: float = 2.0, scale: str = "s", **manifest: Any
) -> Record:
    return build_record(
        submission={
            "digest": digest(name), "form": "ids", "unit": "document", "n": 10, "unique": 10, "tokens": 100,
            "repeats": 1.5, "pool_n": 100, "manifest": {"name": name, **manifest},
        },
        track={
            "name": "t", "scale": scale, "version": 1, "modality": "text", "seal": digest("seal"),
            "sealed": True,
        },
        seed=seed,
        digests={"run": digest([name, seed, scale]), "pool": digest("pool")},
        training={"flops": 1e12},
        metrics={
            "bits_per_byte": bits,
            "centered_accuracy": 0.5,
            "tasks": {
                "facts": {"accuracy": 0.5, "centered_accuracy": 0.5, "bits_per_byte": bits}
            },
        },
        software={},
        device={},
        clock={"finished": f"2026-01-01T00:00:{seed % 60:02d}+00:00"},
    )  # fmt: skip


def open_ledger(folder: Path) -> Ledger:
    return Ledger.open(folder / "ledger", folder / "keys" / "ledger.ed25519")


def filled(folder: Path, runs: int) -> Ledger:
    ledger = open_ledger(folder)
    for seed in range(runs):
        ledger.append("run", record("m", seed, 2.0 + seed / 10), "rerun")
    return ledger


def retraction(target: str, reason: str = "wrong data") -> Record:
    return {"target": target, "reason": reason, "by": "operator"}


def correction(target: str, **manifest: Any) -> Record:
    return {"target": target, "manifest": manifest, "reason": "typo", "by": "operator"}
