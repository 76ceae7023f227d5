"""What the baselines of a scale scored, as the track ships it: `expected/<scale>.json`.

Beside the law, in the track's folder, outside of every sealed byte; it names the seal that it belongs to.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from assay.board import metrics_of
from assay.stats.noise import mean, pooled_sd
from assay.track.load import LoadedScale
from assay.track.measured import read_measured, write_measured


@dataclass(frozen=True)
class ExpectedMetric:
    """One primary metric of one baseline.

    Attributes:
        mean: Over seeds.
        sd: Over seeds; None with one.
        n: Seeds.
        values: One a seed, in the order in which the harness derives seeds.
    """

    mean: float
    sd: float | None
    n: int
    values: tuple[float, ...]


@dataclass(frozen=True)
class ExpectedBaseline:
    """One baseline.

    Attributes:
        submission: Digest of the list that it made.
        metrics: By name.
    """

    submission: str
    metrics: dict[str, ExpectedMetric]


@dataclass(frozen=True)
class Expected:
    """The file.

    Attributes:
        seal: What the scores were measured under.
        pool: Root of the pool.
        baselines: By name.
    """

    seal: str
    pool: str
    baselines: dict[str, ExpectedBaseline]


def expected_path(loaded: LoadedScale) -> Path:
    """Return where the expected scores of a scale are."""
    return loaded.folder / "expected" / f"{loaded.scale}.json"


def read_expected(loaded: LoadedScale, pool: str) -> Expected | None:
    """Return the expected scores, or None where there are none under this seal and pool.

    Raises:
        TrackError: If the file is not as `write_expected` writes it.
    """
    again = f"assay reproduce --track {loaded.track} --scale {loaded.scale} --write-expected"
    expected = read_measured(Expected, expected_path(loaded), again)
    if expected is None or (expected.seal, expected.pool) != (loaded.seal, pool):
        return None
    return expected


def write_expected(
    loaded: LoadedScale, pool: str, scored: Mapping[str, list[dict[str, Any]]]
) -> Path:
    """Make these scores the expected ones; of other baselines under the same seal they stay as they are.

    Args:
        loaded: The scale.
        pool: Root of the pool.
        scored: Baseline to its records, one a seed.
    """
    before = read_expected(loaded, pool)
    baselines = dict(before.baselines) if before else {}
    baselines |= {name: _expected(records) for name, records in scored.items()}
    expected = Expected(loaded.seal, pool, dict(sorted(baselines.items())))
    return write_measured(expected, expected_path(loaded))


def _expected(records: list[dict[str, Any]]) -> ExpectedBaseline:
    metrics = {}
    for name in metrics_of(records[0]):
        values = tuple(record["metrics"][name] for record in records)
        metrics[name] = ExpectedMetric(mean(values), pooled_sd([values])[0], len(values), values)
    return ExpectedBaseline(records[0]["submission"]["digest"], metrics)
