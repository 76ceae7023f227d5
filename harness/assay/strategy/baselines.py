"""The package's own strategies with their defaults: which apply to a scale, and the lists that they make."""

from dataclasses import asdict
from pathlib import Path

from assay.canonical import digest_json
from assay.home import assay_home
from assay.pool import AnyPool, pool_path
from assay.pool.manifest import truth_path
from assay.strategy.load import Strategy, list_strategies, load_strategy
from assay.strategy.run import make_list
from assay.submission import Manifest, sidecar_path
from assay.track.load import LoadedScale

SEED = 0
"""Of their choices, as `assay select` has it: the lists are the ones that it writes."""


def applicable_baselines(loaded: LoadedScale) -> list[Strategy]:
    """Return the package's strategies that this scale's pool has what it takes for, by name."""
    pool = loaded.spec.pool
    embedded = pool.size is not None or truth_path(pool_path(pool.name)).is_file()
    found = [load_strategy(name, loaded.modality) for name in list_strategies(loaded.modality)]
    return [strategy for strategy in found if embedded or not strategy.reads_truth]


def default_list_path(loaded: LoadedScale, root: str, strategy: Strategy) -> Path:
    """Return where a strategy's list is kept, named by all that decides it.

    Args:
        loaded: The scale.
        root: Of the pool.
        strategy: One of the package's, or a file.
    """
    budget = asdict(loaded.recipe.budget)
    decides = {"strategy": strategy.digest, "pool": root, "budget": budget, "seed": SEED}
    digest = digest_json(decides).removeprefix("sha256:")[:12]
    folder = assay_home() / "baselines" / loaded.track / loaded.scale
    return folder / f"{strategy.name}-{digest}.parquet"


def make_default_list(loaded: LoadedScale, pool: AnyPool, strategy: Strategy) -> Path:
    """Let a strategy choose with its default parameters, once, and return the list's file.

    Raises:
        StrategyError: If it fails.
        SubmissionError: If what it chose breaks a rule of the track.
    """
    path = default_list_path(loaded, pool.root, strategy)
    if sidecar_path(path).is_file():  # which is written last
        return path
    path.parent.mkdir(parents=True, exist_ok=True)
    declared = Manifest(name=strategy.name, method=strategy.summary)
    make_list(
        strategy, pool, loaded, path, seed=SEED, settings=strategy.defaults, declared=declared
    )
    return path
