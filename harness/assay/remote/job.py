"""A run that a leaderboard asks for, as its server says it; nothing in it is believed before it is checked."""

import json
import re
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, get_args

from assay.artifact import write_atomic
from assay.errors import RemoteError
from assay.seeds import GivenSeed
from assay.settings import Settings, read_settings
from assay.submission import Manifest, Unit
from assay.submission.manifest import check_manifest

JOB_FILE = "job.json"
LOG_FILE = "log.txt"
PROGRESS_FILE = "progress.json"
RECORD_FILE = "record.json"
FAILURE_FILE = "failure.json"

_DIGEST = re.compile(r"sha256:[0-9a-f]{64}")
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._@/-]{0,199}")


@dataclass(frozen=True)
class Job:
    """One run: a submission at a scale, with the seed that the leaderboard drew.

    Attributes:
        submission: Digest.
        unit: What its ids name.
        manifest: What the participant declared.
        track: Name.
        scale: Name.
        label: `track/scale@version`.
        seal: Of the law under which the leaderboard ranks.
        pool: Root of the pool.
        seed: Drawn by the leaderboard.
    """

    submission: str
    unit: Unit
    manifest: Manifest
    track: str
    scale: str
    label: str
    seal: str
    pool: str
    seed: GivenSeed

    @property
    def name(self) -> str:
        """A few words for people."""
        return f"{self.label} {self.submission[7:19]} seed {self.seed.index + 1}"


def parse_job(document: Any) -> Job:
    """Read what a server says of a run.

    Raises:
        RemoteError: If it is not what a server says.
    """
    try:
        submission = document["submission"]
        manifest, findings = check_manifest(submission["manifest"])
        seed = GivenSeed(
            _whole(document["seed"]),
            _match(_DIGEST, document["epoch"]),
            _whole(document["seed_index"]),
        )
        job = Job(
            submission=_match(_DIGEST, submission["digest"]),
            unit=submission["unit"],
            manifest=manifest,
            track=_match(_NAME, document["track"]),
            scale=_match(_NAME, document["scale"]),
            label=_match(_NAME, document["label"]),
            seal=_match(_DIGEST, document["seal"]),
            pool=_match(_DIGEST, document["pool"]),
            seed=seed,
        )
        if job.unit not in get_args(Unit) or findings:
            raise ValueError(findings[0].message if findings else f"unit {job.unit!r}")
    except (KeyError, TypeError, ValueError) as error:
        raise RemoteError(
            f"the server asks for a run in words that this version does not know ({error!r:.200}); update the one "
            "that is older: assay --version"
        ) from None
    return job


def write_job(folder: Path, document: dict[str, Any], submission: Path, settings: Settings) -> None:
    """Leave in a folder what `assay.remote.execute` needs; `submission` is the list, in that folder."""
    content = {"job": document, "list": submission.name, "settings": asdict(settings)}
    write_atomic(folder / JOB_FILE, json.dumps(content).encode())


def read_job(folder: Path) -> tuple[Job, Path, Settings]:
    """Read what `write_job` left: the run, its list, how to run it."""
    content = json.loads((folder / JOB_FILE).read_bytes())
    return parse_job(content["job"]), folder / content["list"], read_settings(content["settings"])


def _match(form: re.Pattern[str], value: Any) -> str:
    if not isinstance(value, str) or not form.fullmatch(value):
        raise ValueError(f"{value!r:.80}")
    return value


def _whole(value: Any) -> int:
    if type(value) is not int or value < 0:
        raise ValueError(f"{value!r:.80}")
    return value
