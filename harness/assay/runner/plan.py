"""What one run is, before it runs: enough to start it in another process and to find it again."""

import hashlib
import json
from dataclasses import asdict, dataclass
from pathlib import Path

from assay.artifact import write_atomic
from assay.canonical import digest_json
from assay.home import run_folder
from assay.pool import AnyPool
from assay.settings import LoggingSettings, MachineSettings, Settings
from assay.submission import Submission, Unit, write_submission
from assay.suite.clip import ClipSuite
from assay.suite.clip.lock import data_digest
from assay.track.load import LoadedScale
from assay.train.device import resolve_device
from assay.versions import versions

PLAN_FILE = "plan.json"
SUBMISSION_FILE = "submission.parquet"
SEED_BITS = 48
"""Seeds stay below 2^53, which is what JSON readers hold exactly."""


@dataclass(frozen=True)
class RunPlan:
    """One run: submission x track x scale x seed.

    Attributes:
        track: Name of the track.
        scale: Name of the scale.
        submission: Digest of the submission.
        unit: What its ids name.
        seed: Of initialisation and data order.
        key: Digest of everything that decides the run's bits; names its folder.
    """

    track: str
    scale: str
    submission: str
    unit: Unit
    seed: int
    key: str

    @property
    def folder(self) -> Path:
        """Where the run's artifacts are."""
        return run_folder(self.key)


def derive_seed(submission: str, label: str, index: int) -> int:
    """Return the seed of a submission's run number `index`; nobody gets to choose one.

    Args:
        submission: Digest.
        label: `track/scale@version`.
        index: From 0.
    """
    named = hashlib.sha256(f"assay seed\0{submission}\0{label}\0{index}".encode())
    return int.from_bytes(named.digest()[:8], "big") >> (64 - SEED_BITS)


def make_plan(
    loaded: LoadedScale, submission: Submission, pool: AnyPool, index: int, settings: Settings
) -> RunPlan:
    """Plan run number `index` of a submission.

    The key holds what the bits of a result depend on besides the law: versions, device, threads and
    the split into processes and micro-batches. A run under other settings is another run: it never
    resumes this one's checkpoint.
    """
    seed = derive_seed(submission.digest, loaded.label, index)
    key = digest_json(
        {
            "submission": submission.digest,
            "label": loaded.label,
            "seal": loaded.seal,
            "pool": pool.root,
            "seed": seed,
            "software": versions(loaded.modality),
            "device": resolve_device(settings),
            "threads": settings.threads,
            "micro_batch": settings.micro_batch,
            "machine": asdict(settings.machine),
            **_open_data(loaded),
        }
    )
    return RunPlan(loaded.track, loaded.scale, submission.digest, submission.unit, seed, key)


def _open_data(loaded: LoadedScale) -> dict[str, str]:
    """Return the digest of evaluation files that the suite itself does not pin."""
    suite = loaded.suite
    if not isinstance(suite, ClipSuite) or all(task.shards for task in suite.tasks):
        return {}
    return {"suite_data": data_digest(suite, loaded.suite_folder)}


def write_plan(plan: RunPlan, submission: Submission, settings: Settings) -> None:
    """Put the plan, the submission and the settings into the run's folder."""
    plan.folder.mkdir(parents=True, exist_ok=True)
    write_submission(submission, plan.folder / SUBMISSION_FILE)
    document = {"plan": asdict(plan), "settings": asdict(settings)}
    write_atomic(plan.folder / PLAN_FILE, json.dumps(document, indent=2).encode())


def read_plan(folder: Path) -> tuple[RunPlan, Settings]:
    """Read what `write_plan` wrote."""
    document = json.loads((folder / PLAN_FILE).read_bytes())
    settings = document["settings"]
    settings["machine"] = MachineSettings(**settings["machine"])
    settings["logging"] = LoggingSettings(**settings["logging"])
    return RunPlan(**document["plan"]), Settings(**settings)
