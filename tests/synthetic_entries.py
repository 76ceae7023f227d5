"""Ledgers of plausible runs that never were: what pages are looked at and timed with."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import numpy as np

from assay.canonical import digest_bytes, digest_json
from assay.ledger import Entry
from assay.record import build_record

TASKS = {
    "text": {"arithmetic": 0.25, "continuation": 0.25, "determiners": 0.5, "fact_cloze": 0.25, "fact_qa": 0.25,
             "pronouns": 0.5, "word_order": 0.5, "heldout_story": None},
    "clip": {"colour": 1 / 9, "count": 0.25, "relation": 0.5, "retrieval": 0.0, "shape": 0.125, "texture": 0.2},
}  # fmt: skip
FLOPS = {"pico": 3e11, "nano": 5.2e12, "micro": 2.2e14}
POOL = {"pico": 4000, "nano": 24000, "micro": 150000}
METHODS = (
    ("oracle", "Ground truth: the best 30 % of the pool."),
    ("quality_rules", "Keep what passes the published heuristics of Gopher, C4, FineWeb and RefinedWeb."),
    ("fasttext_edu", "A fastText classifier of educational text, top 30 %."),
    ("dedup_minhash", "MinHash near-duplicate removal, then random."),
    ("semantic_clusters", "Balanced sampling over embedding clusters."),
    ("perplexity_middle", "Documents of middling perplexity under an n-gram model."),
    ("random", "Every document equally likely. The line that every method has to beat."),
    ("no_filter", "The whole pool, in one pass."),
    ("short_documents", "The shortest half."),
    ("worst_first", "Ground truth: the worst 30 %."),
)  # fmt: skip
START = datetime(2026, 9, 1, tzinfo=UTC)


class Chain:
    """Numbers, times and links entries."""

    def __init__(self) -> None:
        self.size, self.last = 0, ""

    def add(self, kind: str, body: dict[str, Any], level: str = "") -> Entry:
        index, previous = self.size, self.last
        time = (START + timedelta(minutes=7 * index)).isoformat()
        digest = digest_json([index, previous, kind, level, body.get("digest", "")])
        self.size, self.last = index + 1, digest
        return Entry(index, previous, time, kind, level, body, "made-up", digest, "")


def submission_digest(name: str, scale: str) -> str:
    return digest_json([name, scale])


def run(
    name: str, scale: str, seed: int, quality: float, *, track: str = "text", version: int = 1,
    sd: float = 0.01, method: str = "", manifest: dict[str, Any] | None = None, rng: np.random.Generator,
) -> dict[str, Any]:  # fmt: skip
    """Return a record whose score is `quality` (0 worst, 1 best) and noise."""
    tasks = {}
    luck = rng.normal(0, sd)
    for number, (task, chance) in enumerate(TASKS[track].items()):
        level = float(
            np.clip(
                quality
                + luck
                + 0.05 * np.sin(3.1 * number + 7 * quality)
                + rng.normal(0, 1.5 * sd),
                -0.2,
                0.99,
            )
        )
        tasks[task] = _task(track, level, chance)
    main = [t for t in tasks.values() if t["chance"] is not None]
    fields = {"text": {"bits_per_byte": "bits_per_byte", "centered_accuracy": "centered_accuracy"},
              "clip": {"average": "main_metric", "centered_average": "centered_main_metric"}}[track]  # fmt: skip
    metrics = {key: float(np.mean([t[f] for t in main])) for key, f in fields.items()}
    n = POOL[scale]
    unique = int(n * (0.3 + 0.6 * (hash_fraction(name))))
    digest = submission_digest(name, scale)
    finished = START + timedelta(seconds=seed % 86400)
    return build_record(
        submission={
            "digest": digest, "form": "ids", "unit": "document", "n": unique, "unique": unique, "tokens": 160 * unique,
            "repeats": round(3 * (1 - unique / n) + 0.3, 3), "pool_n": n,
            "manifest": {"name": name, "authors": ["A. Author"], "method": method, "code": "https://example.org/code",
                         "licence": "CC-BY-4.0", "curation_seconds": round(3000 * hash_fraction(name + "c"), 2),
                         "external_data": [], "external_models": [], "used_evaluation_data": False} | (manifest or {}),
        },
        track={"name": track, "scale": scale, "version": version, "modality": track,
               "seal": digest_json([track, scale, version]), "sealed": True},
        seed=seed,
        digests={k: digest_json([k, name, scale, seed]) for k in ("run", "checkpoint", "outputs", "selection", "trace")}
        | {k: digest_json([k, track, scale, version]) for k in ("pool", "recipe", "suite", "tokenizer")},
        training={"final_loss": 2.2 - quality, "flops": FLOPS[scale], "parameters": 639616, "steps": 1200, "tokens_seen": 1228800},
        metrics=metrics | {"tasks": tasks},
        software={"assay": "0.1.0", "python": "3.11.7", "torch": "2.13.0", "commit": "0" * 40, "dirty": False},
        device={"type": "cpu", "name": "AMD EPYC", "threads": 2, "processes": 1, "platform": "Linux-x86_64", "cuda": None},
        clock={"started": (finished - timedelta(seconds=130)).isoformat(), "finished": finished.isoformat(),
               "train_seconds": 120.0, "evaluate_seconds": 5.4, "peak_memory_bytes": 703016960},
    )  # fmt: skip


def _task(track: str, level: float, chance: float | None) -> dict[str, Any]:
    bits = 1.1 * (1 - level) + 0.1
    if track == "text":
        known = chance is not None
        accuracy = chance + level * (1 - chance) if chance is not None else None
        return {"accuracy": accuracy, "chance": chance, "centered_accuracy": level if known else None,
                "bits_per_byte": bits, "bits_per_byte_stderr": 0.004, "num_items": 280, "stderr": 0.029 if known else None}  # fmt: skip
    assert chance is not None
    return {"main_metric": chance + level * (1 - chance), "centered_main_metric": level, "chance": chance,
            "bits_per_answer": 4 * bits, "num_items": 252, "stderr": 0.027, "metrics": {"acc1": level}}  # fmt: skip


def hash_fraction(text: str) -> float:
    return int(digest_json(text)[7:15], 16) / 0xFFFFFFFF


def qualities(name: str, rank: int, count: int) -> dict[str, float]:
    """Return a method's quality at each scale: mostly the same, and a little its own."""
    base = 0.85 - 0.6 * rank / max(count - 1, 1)
    return {
        s: base + 0.05 * (hash_fraction(name + s) - 0.5) + 0.04 * i for i, s in enumerate(FLOPS)
    }


def many(count: int, seeds: int = 3, scale: str = "nano", track: str = "text") -> Iterator[Entry]:
    """Yield runs of `count` submissions at one scale."""
    rng = np.random.default_rng(7)
    chain = Chain()
    for number in range(count):
        name = f"{METHODS[number % len(METHODS)][0]}-{number:05d}"
        quality = float(rng.beta(4, 3))
        for seed in range(seeds):
            record = run(name, scale, 1000 * number + seed, quality, track=track, rng=rng)
            yield chain.add("run", record, "rerun")


def board(seeds: int = 3) -> list[Entry]:
    """Return a small ledger with everything that pages tell apart."""
    chain = Chain()
    return [chain.add(kind, body, level) for kind, body, level in _small(seeds)]


def _small(seeds: int) -> Iterator[tuple[str, dict[str, Any], str]]:
    rng = np.random.default_rng(11)
    yield "epoch", {"epoch": digest_bytes(b"key")}, ""
    for track in ("text", "clip"):
        for rank, (name, method) in reversed(list(enumerate(METHODS))):
            by_scale = qualities(name, rank, len(METHODS))
            for scale in FLOPS if track == "text" else ("pico", "nano"):
                for j in range(seeds):
                    record = run(
                        name,
                        scale,
                        10_000 * rank + j,
                        by_scale[scale],
                        track=track,
                        method=method,
                        rng=rng,
                    )
                    yield "run", record, "rerun"
    yield from _special(rng)


HOSTILE = "<script>alert(1)</script>\"'&"


def _special(rng: np.random.Generator) -> Iterator[tuple[str, dict[str, Any], str]]:
    for j in range(3):
        yield (
            "run",
            run("fresh_seeds", "nano", 700 + j, 0.84, method="Run again by the operator.", rng=rng),
            "official",
        )
    for level, quality in (("reported", 0.97), ("checked", 0.9)):
        yield "run", run(f"only_{level}", "nano", 600, quality, rng=rng), level
    for j in range(2):
        yield "run", run("leaked_items", "nano", 800 + j, 0.95, rng=rng), "rerun"
    leaked, misspelt, oracle = (
        submission_digest(n, "nano") for n in ("leaked_items", "dedup_minhash", "oracle")
    )
    why = "The list was made from the suite's own items."
    yield "retraction", {"target": leaked, "reason": why, "by": "its authors"}, ""
    bad = {"code": "javascript:alert(1)", "method": HOSTILE * 3, "authors": [HOSTILE]}
    for j in range(3):
        yield "run", run(HOSTILE, "nano", 900 + j, 0.5, manifest=bad, rng=rng), "rerun"
    for j in range(3):
        yield "run", run("very_noisy", "nano", 950 + j, 0.55, sd=0.12, rng=rng), "rerun"
    yield "run", run("one_seed", "nano", 960, 0.6, rng=rng), "rerun"
    for j in range(3):
        yield "run", run("random", "nano", 970 + j, 0.45, version=0, rng=rng), "rerun"
    for j in range(3):
        yield "run", run("random", "nano", 970 + j, 0.47, rng=rng), "rerun"
    name = {"name": "minhash_dedup"}
    yield (
        "correction",
        {"target": misspelt, "manifest": name, "reason": "misspelt", "by": "its authors"},
        "",
    )
    yield (
        "objection",
        {"target": oracle, "text": "Ground truth is not a method.", "contact": "a reader"},
        "",
    )
