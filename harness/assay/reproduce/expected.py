"""What the baselines of a scale scored, as the track ships it: `expected/<scale>.json`.

Beside the law, in the track's folder; it names the seal that it belongs to, and `SEALS.json` holds its digest.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from assay.board import metrics_of
from assay.canonical import digest_json
from assay.errors import TrackError
from assay.spec import plain
from assay.stats.noise import mean, pooled_sd
from assay.track.load import LoadedScale
from assay.track.measured import read_measured, write_measured
from assay.track.seals import SEALS_FILE, add_seals, read_seals


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
        TrackError: If the file is not as `write_expected` wrote and sealed it.
    """
    expected = sealed_expected(loaded)
    if expected is None or (expected.seal, expected.pool) != (loaded.seal, pool):
        return None
    return expected


def sealed_expected(loaded: LoadedScale) -> Expected | None:
    """Return the expected scores under whatever seal and pool they are, or None where there are none.

    Raises:
        TrackError: If the file is not as `write_expected` wrote and sealed it.
    """
    again = f"assay reproduce --track {loaded.track} --scale {loaded.scale} --write-expected"
    path = expected_path(loaded)
    expected = read_measured(Expected, path, again)
    if expected and read_seals(loaded.folder).get(_label(loaded)) != digest_json(plain(expected)):
        raise TrackError(
            f"{path} is not what {SEALS_FILE} sealed as {_label(loaded)!r}; restore it with git checkout, or "
            f"remove it and expect what this machine measures: {again}"
        )
    return expected


def _label(loaded: LoadedScale) -> str:
    return f"{loaded.label} expected"


def write_expected(
    loaded: LoadedScale, pool: str, scored: Mapping[str, list[dict[str, Any]]]
) -> Path:
    """Make these scores the expected ones, sealed; of other baselines under the same seal they stay as they are.

    Args:
        loaded: The scale.
        pool: Root of the pool.
        scored: Baseline to its records, one a seed.

    Raises:
        TrackError: If there are expected scores that are not as they were sealed.
    """
    before = read_expected(loaded, pool)
    baselines = dict(before.baselines) if before else {}
    baselines |= {name: _expected(records) for name, records in scored.items()}
    expected = Expected(loaded.seal, pool, dict(sorted(baselines.items())))
    path = write_measured(expected, expected_path(loaded))
    add_seals(loaded.folder, {_label(loaded): digest_json(plain(expected))})
    return path


def _expected(records: list[dict[str, Any]]) -> ExpectedBaseline:
    metrics = {}
    for name in metrics_of(records[0]):
        values = tuple(record["metrics"][name] for record in records)
        metrics[name] = ExpectedMetric(mean(values), pooled_sd([values])[0], len(values), values)
    return ExpectedBaseline(records[0]["submission"]["digest"], metrics)
