"""Strategies: Python files with one function, `select`, that turns a pool into a submission.

    def select(pool: PoolView, *, seed: int, fraction: float = 0.3) -> NDArray[np.void]:
        ...
        return pool.uids[rows]

On an image-text track the function is given a `PairView`.

The package's own baselines and a participant's file are loaded and run the same way, with one
exception: a keyword `truth` is granted to the package's own files alone. That guards against accident: a
file that wants to cheat finds the truth beside an embedded pool.
"""

from assay.strategy.load import Strategy, list_strategies, load_strategy, parse_settings
from assay.strategy.run import Outcome, make_list, manifest_of, run_strategy
from assay.strategy.view import PairView, PoolView

__all__ = [
    "Outcome",
    "PairView",
    "PoolView",
    "Strategy",
    "list_strategies",
    "load_strategy",
    "make_list",
    "manifest_of",
    "parse_settings",
    "run_strategy",
]
