"""The record of one run: immutable canonical JSON that says everything that led to a score.

A record has two digests. `result_digest` covers what was asked and what came out, to the bit: law,
submission, seed, loss trace, checkpoint, per-item outputs and metrics. It leaves out clock readings,
the machine, versions and the manifest's prose, so an interrupted run and an undisturbed one agree on
it, and so do two machines that compute the same bits. `digest` covers the whole record.
"""

from typing import Any

from assay.canonical import digest_json

FORMAT = 1
RESULT_FIELDS = ("format", "kind", "track", "seed", "training", "metrics")
"""What `result_digest` covers, besides the digests of the submission and of every artifact."""


def build_record(
    *,
    submission: dict[str, Any],
    track: dict[str, Any],
    seed: int,
    digests: dict[str, str],
    training: dict[str, Any],
    metrics: dict[str, Any],
    software: dict[str, Any],
    device: dict[str, Any],
    clock: dict[str, Any],
    seed_source: dict[str, Any] | None = None,
) -> dict[str, Any]:
    """Assemble a record and seal it with both digests.

    Args:
        submission: `digest`, `form`, `unit`, sizes and the participant's `manifest`.
        track: `name`, `scale`, `version`, `modality`, `seal`, `sealed`.
        seed: Of initialisation and data order.
        digests: Of run, pool, tokenizer, selection, recipe, suite, trace, checkpoint, outputs.
        training: Budget, steps, parameters, FLOPs, last loss.
        metrics: As `as_json` of the metrics gives them.
        software: Versions and commit.
        device: Type, name, threads, processes.
        clock: Times, durations and memory: nothing here is part of the result.
        seed_source: `epoch` and `index` of a seed that a leaderboard drew; None leaves the field out. The
            result is the seed's, wherever it came from.
    """
    record: dict[str, Any] = {
        "format": FORMAT,
        "kind": "run",
        "submission": submission,
        "track": track,
        "seed": seed,
        "digests": digests,
        "training": training,
        "metrics": metrics,
        "software": software,
        "device": device,
        "clock": clock,
    }
    if seed_source is not None:
        record["seed_source"] = seed_source
    record["result_digest"] = result_digest(record)
    record["digest"] = record_digest(record)
    return record


def result_digest(record: dict[str, Any]) -> str:
    """Digest of what was asked and what came out."""
    result = {field: record[field] for field in RESULT_FIELDS}
    # The run's key has versions and threads in it: what may change bits, not what did.
    artifacts = {name: value for name, value in record["digests"].items() if name != "run"}
    return digest_json(
        result | {"submission": record["submission"]["digest"], "digests": artifacts}
    )


def record_digest(record: dict[str, Any]) -> str:
    """Digest of a whole record (without the digest itself)."""
    return digest_json({key: value for key, value in record.items() if key != "digest"})
