"""Select, validate and score every baseline of a scale; what is finished is taken up again."""

from dataclasses import dataclass
from typing import Any

from assay.console import say
from assay.errors import SignalError, StrategyError, SubmissionError
from assay.runner.campaign import score_list
from assay.settings import Settings
from assay.spec import did_you_mean
from assay.strategy import Strategy
from assay.strategy.baselines import applicable_baselines, make_default_list
from assay.track.load import LoadedScale
from assay.track.pools import open_pool


@dataclass(frozen=True)
class Scored:
    """What a reproduction produced.

    Attributes:
        pool: Root of the pool.
        records: Baseline to its records, one a seed.
        skipped: Baseline to the reason why it has no list here.
    """

    pool: str
    records: dict[str, list[dict[str, Any]]]
    skipped: dict[str, str]


def choose_baselines(loaded: LoadedScale, only: list[str]) -> list[Strategy]:
    """Return the baselines that apply to a scale, or those of them that are named.

    Raises:
        StrategyError: If a name is none of them.
    """
    found = {strategy.name: strategy for strategy in applicable_baselines(loaded)}
    for name in only:
        if name not in found:
            raise StrategyError(
                f"no baseline {name!r} applies to {loaded.label}{did_you_mean(name, found)}; there are "
                f"{', '.join(found)}"
            )
    return [strategy for name, strategy in found.items() if not only or name in only]


def score_baselines(
    loaded: LoadedScale, strategies: list[Strategy], *, seeds: int, settings: Settings
) -> Scored:
    """Score each baseline with each seed, one after the other.

    A baseline that cannot choose from this pool, such as for lack of a reference, or whose list the track refuses, is skipped with its reason.

    Raises:
        UserError: If the track, its pool or its suite cannot be used.
    """
    pool = open_pool(loaded)
    records: dict[str, list[dict[str, Any]]] = {}
    skipped: dict[str, str] = {}
    for number, strategy in enumerate(strategies, start=1):
        say(f"baseline {number} of {len(strategies)}: {strategy.name}")
        try:
            path = make_default_list(loaded, pool, strategy)
        except (SignalError, StrategyError, SubmissionError) as error:
            skipped[strategy.name] = str(error)
            say(f"  skipped: {error}")
            continue
        records[strategy.name] = score_list(path, loaded, seeds=seeds, settings=settings)
    return Scored(pool.root, records, skipped)
