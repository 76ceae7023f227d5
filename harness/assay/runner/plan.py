"""What one run is, before it runs: enough to start it in another process and to find it again."""

import json
from dataclasses import asdict, dataclass
from pathlib import Path

from assay.artifact import write_atomic
from assay.canonical import digest_json
from assay.home import run_folder
from assay.pool import AnyPool
from assay.seeds import GivenSeed, derive_seed
from assay.settings import Settings, read_settings
from assay.submission import Submission, Unit, write_submission
from assay.suite.clip import ClipSuite
from assay.suite.clip.lock import data_digest
from assay.track.load import LoadedScale
from assay.train.device import resolve_device
from assay.versions import versions

PLAN_FILE = "plan.json"
SUBMISSION_FILE = "submission.parquet"


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
        seed_source: Epoch and index of a seed that a leaderboard drew; None for one that was derived.
    """

    track: str
    scale: str
    submission: str
    unit: Unit
    seed: int
    key: str
    seed_source: dict[str, str | int] | None = None

    @property
    def folder(self) -> Path:
        """Where the run's artifacts are."""
        return run_folder(self.key)


def make_plan(
    loaded: LoadedScale,
    submission: Submission,
    pool: AnyPool,
    seed: int | GivenSeed,
    settings: Settings,
) -> RunPlan:
    """Plan one run of a submission: number `seed` of those derived from its digest, or with a given seed.

    The key holds what the bits of a result depend on besides the law: versions, device, threads and
    the split into processes and micro-batches. A run under other settings is another run: it never
    resumes this one's checkpoint.
    """
    if isinstance(seed, GivenSeed):
        value, source = seed.value, seed.source
    else:
        value, source = derive_seed(submission.digest, loaded.label, seed), None
    key = digest_json(
        {
            "submission": submission.digest,
            "label": loaded.label,
            "seal": loaded.seal,
            "pool": pool.root,
            "seed": value,
            "software": versions(loaded.modality),
            "device": resolve_device(settings),
            "threads": settings.threads,
            "micro_batch": settings.micro_batch,
            "machine": asdict(settings.machine),
            **_open_data(loaded),
        }
    )
    return RunPlan(
        loaded.track, loaded.scale, submission.digest, submission.unit, value, key, source
    )


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
    return RunPlan(**document["plan"]), read_settings(document["settings"])
