"""Columns of signals for whoever chooses: built where they are missing, and what was read is noted."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from numpy.typing import NDArray

from assay.errors import SignalError
from assay.pool import AnyPool
from assay.signals.build import build_signals, stored_with_needs, want
from assay.signals.catalogue import find_signal, is_fitted
from assay.signals.columns import Setting, TrainedModel


class SignalReader:
    """Reads a pool's signals and keeps account.

    Attributes:
        used: What was read -> its digest: columns, with parameters where they were given.
        cpu_seconds: Processor time that computing them took, and all that they need, whenever that was.
        models: Networks that all this rests on, by the digest of their weights.
        fitted: Whether it rests on a model of any kind that was fitted in place, so that another kind of processor
            may give slightly other values.
        spent: Processor time just now that is not to be counted again: computing signals, opening references.
    """

    def __init__(self, pool: AnyPool):
        self._pool = pool
        self._costs: dict[str, float] = {}
        self.used: dict[str, str] = {}
        self.models: dict[str, TrainedModel] = {}
        self.fitted = False
        self.spent = 0.0

    @property
    def cpu_seconds(self) -> float:
        """Return what the signals cost that were read, with what they need."""
        return sum(self._costs.values())

    def column(self, name: str, **parameters: Setting) -> NDArray[Any]:
        """Return a column, (n,) or (n, d), memory-mapped, computed first if need be.

        Raises:
            SignalError: If there is no such column, or it cannot be computed.
        """
        with self.apart():
            wanted = want(name, self._pool, **parameters)
            stored = build_signals(self._pool, [wanted])[0]
        if name not in stored.digests:
            raise SignalError(
                f"signal {name} has several columns, name one of them: {', '.join(stored.digests)}"
            )
        settings = ", ".join(f"{key}={value}" for key, value in sorted(parameters.items()))
        self.used[f"{name}({settings})" if settings else name] = stored.digests[name]
        for one in stored_with_needs(self._pool, wanted):
            self._costs[one.key] = one.cpu_seconds
            self.models |= {model.weights: model for model in one.models}
            self.fitted |= is_fitted(find_signal(one.name, self._pool.manifest.kind))
        return stored.column(name)

    @contextmanager
    def apart(self) -> Iterator[None]:
        """Keep processor time apart that is no part of choosing, or is accounted for where it is kept."""
        started = sum(os.times()[:4])
        try:
            yield
        finally:
            self.spent += sum(os.times()[:4]) - started
