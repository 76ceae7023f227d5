"""The reference table: every baseline with its interval, beside what was expected of it."""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

from assay.board import PRIMARY_METRICS, Metric
from assay.reproduce.expected import Expected
from assay.reproduce.lists import ListFacts
from assay.reproduce.verdicts import Verdict, judge
from assay.stats.noise import Noise, estimate_noise, mean, pooled_sd
from assay.stats.rules import rerun_tolerance
from assay.strategy.cards import Ranking
from assay.track.load import LoadedScale

Status = Literal["identical", "agrees", "deviates", "no noise estimate", "not expected yet"]


@dataclass(frozen=True)
class Reproduced:
    """One metric of one baseline.

    Attributes:
        mean: Over seeds.
        sd: Over seeds; None with one.
        half_width: Of the 95 % interval, by the noise pooled over the table; None where it is unknown.
        seeds: How many.
        expected: Mean that was expected; None where nothing was.
        gap: Mean minus the expected one.
        tolerance: How far apart chance brings the two in 99 of 100 cases, by the expected scores' own noise.
        status: `identical` where every value is, to the last bit.
    """

    mean: float
    sd: float | None
    half_width: float | None
    seeds: int
    expected: float | None
    gap: float | None
    tolerance: float | None
    status: Status


@dataclass(frozen=True)
class ReproducedBaseline:
    """One baseline.

    Attributes:
        name: Of the strategy.
        submission: Digest of the list that it made.
        other_list: Whether the expected scores are of another list, because the strategy changed, or a model that was
            fitted in place.
        metrics: By name.
        unique: Distinct examples that it chose.
        pool_n: Examples that there were.
        repeats: Times that the budget shows what it chose.
        made: What is known of the list besides.
        curation_seconds: Processor seconds that choosing took, that of signals and models included; None where
            the list's manifest does not say.
        verdict: On its paper's claim, by the metric that ranks.
    """

    name: str
    submission: str
    other_list: bool
    metrics: dict[str, Reproduced]
    unique: int
    pool_n: int
    repeats: float
    made: ListFacts
    curation_seconds: float | None
    verdict: Verdict

    @property
    def deviates(self) -> bool:
        """Whether it is not what was expected; a fitted model may choose other examples on another processor."""
        others = self.other_list and not self.made.fitted
        return others or any(m.status == "deviates" for m in self.metrics.values())


@dataclass(frozen=True)
class ReferenceTable:
    """All baselines of a scale.

    Attributes:
        label: `track/scale@version`.
        seal: What the scores were measured under.
        sealed: False where the track's files differ from its recorded seal.
        pool: Root of the pool.
        metrics: The two primary ones.
        pooled_sd: By metric; None where no baseline has two seeds.
        degrees: By metric, of freedom.
        baselines: Best first.
        skipped: Baseline to the reason why it has no list here.
        lost: Those of the skipped that are expected to have scores.
    """

    label: str
    seal: str
    sealed: bool
    pool: str
    metrics: tuple[Metric, ...]
    pooled_sd: dict[str, float | None]
    degrees: dict[str, int]
    baselines: tuple[ReproducedBaseline, ...]
    skipped: dict[str, str]
    lost: tuple[str, ...]

    @property
    def knows_truth(self) -> bool:
        """Whether it is known which examples are undamaged."""
        return any(baseline.made.clean is not None for baseline in self.baselines)

    @property
    def knows_networks(self) -> bool:
        """Whether the accuracy of a network is known that a baseline chooses by."""
        return any(baseline.made.networks for baseline in self.baselines)

    @property
    def deviating(self) -> list[str]:
        """Names of the baselines that are not what was expected."""
        return [baseline.name for baseline in self.baselines if baseline.deviates] + [*self.lost]


def accuracies(baseline: ReproducedBaseline) -> str:
    """Return the own accuracies of the networks that a baseline chooses by, `-` where it chooses by none."""
    return ", ".join(f"{model.accuracy:.1%}" for model in baseline.made.networks) or "-"


def reference_table(
    loaded: LoadedScale,
    pool: str,
    scored: Mapping[str, list[dict[str, Any]]],
    expected: Expected | None,
    skipped: Mapping[str, str],
    claims: Mapping[str, Ranking | None],
    lists: Mapping[str, ListFacts] | None = None,
) -> ReferenceTable:
    """Lay scores beside what was expected.

    Args:
        loaded: The scale.
        pool: Root of the pool.
        scored: Baseline to its records, one a seed.
        expected: What the track ships; None where it ships nothing under this seal and pool.
        skipped: Baseline to the reason why it was not scored.
        claims: Baseline to what its paper claims of it.
        lists: Baseline to what is known of its list.
    """
    metrics = PRIMARY_METRICS[loaded.modality]
    values = {
        metric.name: {
            name: [r["metrics"][metric.name] for r in runs] for name, runs in scored.items()
        }
        for metric in metrics
    }
    noise = {name: estimate_noise(by_baseline) for name, by_baseline in values.items()}
    before = {name: _expected_noise(expected, name) for name in noise}
    first = metrics[0]
    sign = 1 if first.lower_is_better else -1
    verdicts = judge(noise[first.name], claims, lower_is_better=first.lower_is_better)
    order = sorted(scored, key=lambda name: sign * mean(values[first.name][name]))
    rows = []
    for name in order:
        digest = scored[name][0]["submission"]["digest"]
        known = expected.baselines.get(name) if expected else None
        other = known is not None and known.submission != digest
        columns = {m: _reproduced(noise[m], before[m], name) for m in noise}
        about = scored[name][-1]["submission"]
        rows.append(
            ReproducedBaseline(
                name=name,
                submission=digest,
                other_list=other,
                metrics=columns,
                unique=about["unique"],
                pool_n=about["pool_n"],
                repeats=about["repeats"],
                made=(lists or {}).get(name, ListFacts()),
                curation_seconds=about["manifest"].get("curation_seconds"),
                verdict=verdicts[name],
            )
        )
    return ReferenceTable(
        label=loaded.label,
        seal=loaded.seal,
        sealed=loaded.sealed,
        pool=pool,
        metrics=metrics,
        pooled_sd={name: found.sd for name, found in noise.items()},
        degrees={name: found.degrees for name, found in noise.items()},
        baselines=tuple(rows),
        skipped=dict(skipped),
        lost=tuple(name for name in skipped if expected and name in expected.baselines),
    )


def _expected_noise(expected: Expected | None, metric: str) -> Noise:
    baselines = expected.baselines if expected else {}
    return estimate_noise({name: list(b.metrics[metric].values) for name, b in baselines.items()})


def _reproduced(noise: Noise, before: Noise, name: str) -> Reproduced:
    values, claimed = noise.values[name], before.values.get(name)
    known = before.variance(name) if claimed else None
    gap = None if claimed is None else mean(values) - mean(claimed)
    tolerance = None
    if claimed and known:
        tolerance = rerun_tolerance(math.sqrt(known[0]), known[1], len(claimed), len(values))
    status: Status = "not expected yet"
    if claimed is not None and gap is not None:
        shared = min(len(values), len(claimed))
        if list(values[:shared]) == list(claimed[:shared]):
            status = "identical"
        elif tolerance is None:
            status = "no noise estimate"
        else:
            status = "agrees" if abs(gap) <= tolerance else "deviates"
    return Reproduced(
        mean=mean(values),
        sd=pooled_sd([values])[0],
        half_width=noise.half_width(name),
        seeds=len(values),
        expected=None if claimed is None else mean(claimed),
        gap=gap,
        tolerance=tolerance,
        status=status,
    )
