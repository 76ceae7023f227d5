"""Noise as it was measured at a scale, and the tasks that are nothing else: beside the law, in the track's folder.

`noisy/<scale>.json` says what seeds do to the primary metrics, for plans on machines that have no runs yet, and which
tasks a metric averages without learning from them there. It changes no score: a suite is sealed, and a task that is
dead at one scale may speak at the next.
"""

from dataclasses import dataclass
from pathlib import Path

from assay.errors import CompareError
from assay.noise.measure import NoiseReport, PooledNoise, pooled_noise
from assay.track.load import LoadedScale
from assay.track.measured import read_measured, write_measured

FEWEST = 4
"""Submissions below which signal is no yardstick: two equally good ones make any task look dead."""


@dataclass(frozen=True)
class Marks:
    """The file.

    Attributes:
        seal: Of the scale that was measured; marks of another seal do not count.
        submissions: How many the signal rests on.
        runs: How many runs.
        noise: Primary metric to what seeds do to it.
        tasks: Primary metric to task to the reason.
    """

    seal: str
    submissions: int
    runs: int
    noise: dict[str, PooledNoise]
    tasks: dict[str, dict[str, str]]


def marks_path(loaded: LoadedScale) -> Path:
    """Return where a scale's marks are."""
    return loaded.folder / "noisy" / f"{loaded.scale}.json"


def read_marks(loaded: LoadedScale) -> Marks | None:
    """Return the marks of a scale, or None where it has none under this seal.

    Raises:
        TrackError: If the file is not as `write_marks` writes it.
    """
    again = f"assay noise --track {loaded.track} --scale {loaded.scale} --ledger-only --mark"
    marks = read_measured(Marks, marks_path(loaded), again)
    return marks if marks and marks.seal == loaded.seal else None


def write_marks(loaded: LoadedScale, report: NoiseReport) -> Path:
    """Keep the noise of a report, and mark its dead tasks.

    Raises:
        CompareError: If the ledger holds too few submissions, or no two runs of one.
    """
    noise = pooled_noise(report)
    if len(report.seeds) < FEWEST or len(noise) < len(report.metrics):
        raise CompareError(
            f"marks rest on {FEWEST} submissions or more with repeated seeds, and the ledger has "
            f"{len(report.seeds)} at {report.label}; score the baselines first: assay reproduce "
            f"--track {loaded.track} --scale {loaded.scale}"
        )
    tasks = {
        found.metric.name: {task.task: task.dead for task in found.tasks if task.dead}
        for found in report.metrics
    }
    marks = Marks(loaded.seal, len(report.seeds), sum(report.seeds.values()), noise, tasks)
    return write_measured(marks, marks_path(loaded))
