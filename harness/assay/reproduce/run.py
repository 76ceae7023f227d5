"""Select, validate and score every baseline of a scale; what is finished is taken up again."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from assay.console import say
from assay.errors import SignalError, StrategyError, SubmissionError
from assay.reproduce.lists import ListFacts, list_facts
from assay.runner.campaign import score_list
from assay.settings import Settings
from assay.spec import did_you_mean
from assay.strategy.baselines import (
    Baseline,
    applicable_baselines,
    load_baseline,
    make_baseline_list,
)
from assay.track.load import LoadedScale
from assay.track.pools import open_pool


@dataclass(frozen=True)
class Scored:
    """What a reproduction produced.

    Attributes:
        pool: Root of the pool.
        records: Baseline to its records, one a seed.
        skipped: Baseline to the reason why it has no list here.
        lists: Baseline to what is known of its list.
    """

    pool: str
    records: dict[str, list[dict[str, Any]]]
    skipped: dict[str, str]
    lists: dict[str, ListFacts]


def choose_baselines(
    loaded: LoadedScale, only: Sequence[str], also: Sequence[str] = ()
) -> list[Baseline]:
    """Return the baselines that apply to a scale, or those of them that are named, and variants.

    Args:
        loaded: The scale.
        only: Names; none for all.
        also: `NAME:KEY=VALUE` each: the baseline with this setting, after those as they are.

    Raises:
        StrategyError: If a name is none of them, or it has no such setting.
    """
    found = {baseline.name: baseline for baseline in applicable_baselines(loaded)}
    for name in [*only, *(word.partition(":")[0] for word in also)]:
        if name not in found:
            raise StrategyError(
                f"no baseline {name!r} applies to {loaded.label}{did_you_mean(name, found)}; there are "
                f"{', '.join(found)}"
            )
    chosen = {name: baseline for name, baseline in found.items() if not only or name in only}
    variants = [load_baseline(word, loaded.modality) for word in also]
    return [*(chosen | {variant.name: variant for variant in variants}).values()]


def score_baselines(
    loaded: LoadedScale, baselines: list[Baseline], *, seeds: int, settings: Settings
) -> Scored:
    """Score each baseline with each seed, one after the other.

    A baseline that cannot choose from this pool, such as for lack of a reference, or whose list the track refuses,
    is skipped with its reason.

    Raises:
        UserError: If the track, its pool or its suite cannot be used.
    """
    pool = open_pool(loaded)
    records: dict[str, list[dict[str, Any]]] = {}
    skipped: dict[str, str] = {}
    lists: dict[str, ListFacts] = {}
    for number, baseline in enumerate(baselines, start=1):
        say(f"baseline {number} of {len(baselines)}: {baseline.name}")
        try:
            path = make_baseline_list(loaded, pool, baseline)
        except (SignalError, StrategyError, SubmissionError) as error:
            skipped[baseline.name] = str(error)
            say(f"  skipped: {error}")
            continue
        records[baseline.name] = score_list(path, loaded, seeds=seeds, settings=settings)
        lists[baseline.name] = list_facts(path, pool)
    return Scored(pool.root, records, skipped, lists)
