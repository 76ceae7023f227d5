"""A pool without texts: what the rules look at, and nothing else."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import pytest
from numpy.typing import NDArray

from assay.pool.uid import UID_DTYPE, sort_order
from assay.track.spec import Rules

RULES = Rules(forms=("ids", "weighted", "staged"), units=("document", "tokens512"), max_repeats=4)


@dataclass
class BarePool:
    uids: NDArray[np.void]
    n_tokens: NDArray[np.int32]
    name: str = "bare"
    root: str = "sha256:" + "0" * 64

    @property
    def n(self) -> int:
        return len(self.uids)

    @property
    def num_tokens(self) -> int:
        return int(self.n_tokens.sum())


def bare_pool(n: int, seed: int = 0, tokens: int = 100) -> BarePool:
    uids = np.random.PCG64(seed).random_raw(2 * n).view(UID_DTYPE)
    return BarePool(uids[sort_order(uids)], np.full(n, tokens, dtype=np.int32))


@pytest.fixture
def make_pool() -> Callable[..., BarePool]:
    return bare_pool


@pytest.fixture
def pool() -> BarePool:
    return bare_pool(50)


@pytest.fixture
def rules() -> Rules:
    return RULES
