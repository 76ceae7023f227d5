"""Run one job from its folder to its record: `python -m assay.remote.execute FOLDER`, under an executor.

Leaves `record.json`, or `failure.json` with a reason and whether another attempt could fare better.
"""

import json
import sys
from pathlib import Path
from typing import Any

from assay.artifact import write_atomic
from assay.canonical import canonical_json
from assay.console import say
from assay.errors import RemoteError, SubmissionError, TrainingError, UserError
from assay.remote.executors.task import end_with_parent
from assay.remote.job import FAILURE_FILE, RECORD_FILE, Job, read_job


def execute(folder: Path) -> dict[str, Any]:
    """Run the job of a folder and return its record.

    Raises:
        RemoteError: If this machine has another law or pool than the server.
        UserError: If the run cannot start here.
        TrainingError: If training breaks.
    """
    from assay.runner.scoring import score_given
    from assay.track.load import load
    from assay.track.pools import open_pool

    job, submission, settings = read_job(folder)
    loaded = load(job.track, job.scale)
    _check_same("law", job.seal, loaded.seal, job)
    _check_same("pool", job.pool, open_pool(loaded).root, job)
    say(job.name)
    return score_given(
        submission, loaded, job.seed, settings=settings, manifest=job.manifest, unit=job.unit
    )


def _check_same(what: str, there: str, here: str, job: Job) -> None:
    if there != here:
        raise RemoteError(
            f"{job.label}: {what} {there[7:19]} on the server, {here[7:19]} on this worker; install the server's "
            "version of assay, or see: assay tracks"
        )


def main(folder: Path) -> int:
    """Execute, and say in a file how it came out."""
    try:
        record = execute(folder)
    except (UserError, TrainingError) as error:
        # A list that breaks a rule does so everywhere; another machine may have what this one lacks, and a loss
        # that diverged does so again soon, from the last checkpoint.
        failure = {"reason": str(error), "retryable": not isinstance(error, SubmissionError)}
        write_atomic(folder / FAILURE_FILE, json.dumps(failure).encode())
        say(f"assay: {error}")
        return 1
    write_atomic(folder / RECORD_FILE, canonical_json(record) + b"\n")
    return 0


if __name__ == "__main__":
    end_with_parent()
    sys.exit(main(Path(sys.argv[1])))
