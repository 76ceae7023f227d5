"""The package's own strategies, as they are or with other settings: which apply to a scale, and their lists."""

from dataclasses import asdict, dataclass
from functools import lru_cache
from pathlib import Path

from assay.canonical import digest_bytes, digest_json
from assay.home import assay_home
from assay.pool import AnyPool, pool_path
from assay.pool.manifest import truth_path
from assay.strategy.load import (
    Setting,
    Strategy,
    list_strategies,
    load_strategy,
    parse_settings,
)
from assay.strategy.run import make_list
from assay.submission import Manifest, sidecar_path
from assay.track.load import LoadedScale

SEED = 0
"""Of their choices, as `assay select` has it: the lists are the ones that it writes."""


@dataclass(frozen=True)
class Baseline:
    """One of the package's strategies, ready to choose.

    Attributes:
        name: The strategy's; where a setting is not its default, `NAME:KEY=VALUE KEY=VALUE`.
        strategy: The file.
        settings: A value for every parameter.
    """

    name: str
    strategy: Strategy
    settings: dict[str, Setting]


def load_baseline(word: str, modality: str) -> Baseline:
    """Load what `NAME` or `NAME:KEY=VALUE KEY=VALUE` stands for.

    Raises:
        StrategyError: If there is no such strategy, or it has no such setting.
    """
    name, _, words = word.partition(":")
    strategy = load_strategy(name, modality)
    settings = parse_settings(strategy, words.split())
    changed = {key: value for key, value in settings.items() if value != strategy.defaults[key]}
    said = " ".join(f"{key}={value}" for key, value in changed.items())
    return Baseline(f"{name}:{said}" if changed else name, strategy, settings)


def applicable_baselines(loaded: LoadedScale) -> list[Baseline]:
    """Return the package's strategies that this scale's pool has what it takes for, by name."""
    pool = loaded.spec.pool
    embedded = pool.size is not None or truth_path(pool_path(pool.name)).is_file()
    found = [load_baseline(name, loaded.modality) for name in list_strategies(loaded.modality)]
    return [baseline for baseline in found if embedded or not baseline.strategy.reads_truth]


def list_path(loaded: LoadedScale, root: str, baseline: Baseline) -> Path:
    """Return where a baseline's list is kept, named by all that decides it, our own code included.

    Args:
        loaded: The scale.
        root: Of the pool.
        baseline: Whose list.
    """
    strategy = baseline.strategy
    decides = {
        "strategy": strategy.digest,
        "code": _code_digest(),
        "pool": root,
        "budget": asdict(loaded.recipe.budget),
        "seed": SEED,
    }
    if baseline.settings != strategy.defaults:
        decides["settings"] = baseline.settings
    digest = digest_json(decides).removeprefix("sha256:")[:12]
    folder = assay_home() / "baselines" / loaded.track / loaded.scale
    return folder / f"{strategy.name}-{digest}.parquet"


def make_baseline_list(loaded: LoadedScale, pool: AnyPool, baseline: Baseline) -> Path:
    """Let a baseline choose, once, and return the list's file.

    Raises:
        StrategyError: If it fails.
        SubmissionError: If what it chose breaks a rule of the track.
    """
    path = list_path(loaded, pool.root, baseline)
    if sidecar_path(path).is_file():  # which is written last
        return path
    path.parent.mkdir(parents=True, exist_ok=True)
    strategy = baseline.strategy
    declared = Manifest(name=baseline.name, method=strategy.summary)
    make_list(
        strategy, pool, loaded, path, seed=SEED, settings=baseline.settings, declared=declared
    )
    return path


@lru_cache(maxsize=1)
def _code_digest() -> str:
    """Return the digest of what strategies are made with: signals, sampling, the view of a pool."""
    package = Path(__file__).parents[1]
    files = sorted(
        path for part in ("signals", "strategy") for path in (package / part).rglob("*.py")
    )
    return digest_json([[str(f.relative_to(package)), digest_bytes(f.read_bytes())] for f in files])
