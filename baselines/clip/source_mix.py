"""Source mix: a fixed number of pairs, shared out among sources by given weights.

Claim:  Mixing two sources interpolates between what each is robust to, so equal parts dilute the best one:
        quality, not quantity.
Ranks:  no claim
Source: Nguyen et al. 2022, Quality Not Quantity, https://arxiv.org/abs/2208.05516.
Cost:   Nothing.
Form:   ids
Needs:  Nothing but a column that names sources; without it, hosts are taken from `url`.

The paper's grid is a `select` for each point, such as `--set mixture=a.example=0.7,b.example=0.3`; only equal parts, by
default, mean the same for every pool (the embedded one has 40 hosts, none of which fills a tenth of it). A source that has
too little gives all it has, and the rest of its share goes to the others.
"""

from urllib.parse import urlsplit

import numpy as np
from numpy.typing import NDArray

from assay.errors import StrategyError
from assay.strategy import PairView
from assay.strategy.sampling import choose, gumbel_noise


def select(
    pool: PairView,
    *,
    seed: int,
    fraction: float = 0.3,
    mixture: str = "uniform",
    column: str = "host",
) -> NDArray[np.void]:
    """Draw a fraction of the pool, by source."""
    sources = _sources(pool, column)
    shares = mixture
    if mixture not in ("uniform", "proportional"):
        shares = _weights(mixture, set(sources.tolist()))
    noise = gumbel_noise(pool.uids, seed, "source mix")
    amount = round(fraction * pool.n)
    return pool.uids[choose(np.zeros(pool.n), noise, amount, groups=sources, shares=shares)]


def _sources(pool: PairView, column: str) -> NDArray[np.str_]:
    if column in pool.column_names:
        return np.array([str(value) for value in pool.column(column).to_pylist()])
    if column == "host" and "url" in pool.column_names:
        return np.array([urlsplit(url or "").netloc for url in pool.column("url").to_pylist()])
    raise StrategyError(
        f"source_mix: the pool has no column {column!r}; it has {', '.join(pool.column_names)}: --set column=NAME"
    )


def _weights(mixture: str, known: set[str]) -> dict[object, float]:
    """Read `a=0.7,b=0.3`."""
    weights: dict[object, float] = {}
    for part in mixture.split(","):
        name, _, text = part.rpartition("=")
        try:
            weights[name] = float(text)
        except ValueError:
            weights[name] = -1.0
        if name not in known or not 0 <= weights[name] < float("inf"):
            raise StrategyError(
                f"source_mix: in mixture, {part!r} is not SOURCE=WEIGHT with a source of the pool, such as "
                f"{min(known)}=0.5; or say uniform, or proportional"
            )
    return weights
