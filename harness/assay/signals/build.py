"""Compute the signals of a pool that are missing, in bounded memory.

All per-example signals that are wanted are computed in one reading, on all cores. The pool is cut
into parts of some ten thousand examples; each part's columns become a Parquet file, written
atomically. Once all parts are there, one column after another is brought into the order of the
pool's rows. A build that was killed goes on with the parts that are missing. Whole-pool signals
follow, after what they need, each in one process and from its beginning.
"""

import multiprocessing
import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from assay.artifact import only_one
from assay.console import progress, say
from assay.errors import SignalError
from assay.pool import AnyPool
from assay.signals.catalogue import find_signal
from assay.signals.columns import (
    PerExample,
    PoolInputs,
    Setting,
    Signal,
    TrainedModel,
    WholePool,
)
from assay.signals.parts import compute_part, cpu_seconds, join_column, parts_of
from assay.signals.store import (
    StoredSignal,
    check_columns,
    finish,
    open_stored,
    signal_folder,
    signal_key,
    work_folder,
    write_column,
)
from assay.spec import did_you_mean


@dataclass(frozen=True)
class Wanted:
    """A signal with a value for each of its parameters."""

    signal: Signal
    parameters: Mapping[str, Setting] = field(default_factory=dict)


def want(name: str, pool: AnyPool, **parameters: Setting) -> Wanted:
    """Return the signal of this name, or that has a column of this name, with parameters checked.

    Raises:
        SignalError: If there is none for this kind of pool, or it has no such parameter, or a value is
            of another type than the default, or a package or a reference is missing that it takes.
    """
    signal = find_signal(name, pool.manifest.kind)
    if isinstance(signal, PerExample) and signal.check:
        signal.check()
    settings = dict(signal.parameters)
    for key, value in parameters.items():
        if key not in settings:
            known = ", ".join(settings) or "none"
            hint = did_you_mean(key, settings)
            raise SignalError(
                f"signal {signal.name} has no parameter {key!r}{hint}; it has {known}"
            )
        kind = type(settings[key])
        if type(value) is not kind and not (kind is float and type(value) is int):
            raise SignalError(
                f"signal {signal.name}: {key} is of type {kind.__name__}, got {value!r}"
            )
        settings[key] = kind(value)
    if isinstance(signal, WholePool) and signal.pin:
        settings = dict(signal.pin(pool, settings))
    return Wanted(signal, settings)


def build_signals(
    pool: AnyPool, wanted: Sequence[Wanted], *, workers: int | None = None
) -> list[StoredSignal]:
    """Return signals of a pool, computing what is not kept already, and what that needs.

    Args:
        pool: The candidates.
        wanted: What `want` returned.
        workers: Processes for per-example signals; None takes all cores. Results do not depend on it.

    Raises:
        SignalError: If what is kept of a signal is damaged, or it cannot be computed.
    """
    workers = workers or os.cpu_count() or 1
    needed = _with_needs(pool, wanted)
    missing = [one for one in needed if open_stored(one.signal, pool, one.parameters) is None]
    _build_per_example(
        pool, [w.signal for w in missing if isinstance(w.signal, PerExample)], workers
    )
    for one in missing:
        if isinstance(one.signal, WholePool):
            _build_whole(pool, one.signal, one.parameters)
    stored = [open_stored(one.signal, pool, one.parameters) for one in wanted]
    return [one for one in stored if one is not None]


def stored_with_needs(pool: AnyPool, wanted: Wanted) -> list[StoredSignal]:
    """Return a signal that is there, after all that it needs."""
    stored = (open_stored(w.signal, pool, w.parameters) for w in _with_needs(pool, [wanted]))
    return [one for one in stored if one is not None]


def build_possible(
    pool: AnyPool, signals: Sequence[Signal], *, workers: int | None = None
) -> tuple[list[StoredSignal], dict[str, str]]:
    """Compute signals with their default parameters, and go on where one cannot be computed.

    Args:
        pool: The candidates.
        signals: For pools of its kind.
        workers: Processes; None takes all cores.

    Returns:
        The signals that there are now, in the given order; and why the others cannot be, by name.
    """
    possible: list[Wanted] = []
    refused: dict[str, str] = {}
    for signal in signals:
        try:
            possible.append(want(signal.name, pool))
        except SignalError as error:
            refused[signal.name] = str(error)
    # All that look at one example at a time share one reading.
    build_signals(pool, [w for w in possible if isinstance(w.signal, PerExample)], workers=workers)
    stored: list[StoredSignal] = []
    for number, one in enumerate(possible, start=1):
        if open_stored(one.signal, pool, one.parameters) is None:
            say(f"signal {number} of {len(possible)}: {one.signal.name}")
        try:
            stored += build_signals(pool, [one], workers=workers)
        except SignalError as error:
            refused[one.signal.name] = str(error)
    return stored, refused


def _with_needs(pool: AnyPool, wanted: Sequence[Wanted]) -> list[Wanted]:
    """Return what is wanted, each once, after all that it needs."""
    found: dict[str, Wanted] = {}
    for one in wanted:
        needs = [want(column, pool) for column in one.signal.needs]
        for inner in [*_with_needs(pool, needs), one]:
            found.setdefault(signal_key(inner.signal, pool.root, inner.parameters), inner)
    return list(found.values())


def _build_per_example(pool: AnyPool, signals: Sequence[PerExample], workers: int) -> None:
    """Compute several signals in one reading."""
    if not signals:
        return
    folders = {signal.name: signal_folder(signal, pool, {}) for signal in signals}
    parts = parts_of(pool)
    with _alone(list(folders.values())):
        # Whoever held the folders before may have done the work.
        signals = [signal for signal in signals if open_stored(signal, pool, {}) is None]
        tasks = []
        for part in parts:
            files = [(s, work_folder(folders[s.name]) / part.file_name) for s in signals]
            tasks.append((pool.where, part, [(s, f) for s, f in files if not f.is_file()]))
        _compute(pool, [task for task in tasks if task[2]], workers)
        for signal in signals:
            files = [work_folder(folders[signal.name]) / part.file_name for part in parts]
            digests = {
                name: write_column(folders[signal.name], name, join_column(pool, files, name))
                for name in signal.columns
            }
            finish(signal, pool, {}, digests, sum(map(cpu_seconds, files)))


def _compute(pool: AnyPool, tasks: Sequence[tuple[Any, ...]], workers: int) -> None:
    left = sum(task[1].stop - task[1].start for task in tasks)
    total = pool.manifest.stored
    with progress("computing signals", total, "examples", initial=total - left) as bar:
        if workers == 1 or len(tasks) <= 1:
            for task in tasks:
                bar.update(compute_part(*task))
            return
        context = multiprocessing.get_context("spawn")
        with ProcessPoolExecutor(min(workers, len(tasks)), mp_context=context) as executor:
            for done in as_completed([executor.submit(compute_part, *task) for task in tasks]):
                bar.update(done.result())


def _build_whole(pool: AnyPool, signal: WholePool, parameters: Mapping[str, Setting]) -> None:
    folder = signal_folder(signal, pool, parameters)
    work = work_folder(folder)
    with _alone([folder]):
        if open_stored(signal, pool, parameters) is not None:
            return
        work.mkdir(parents=True, exist_ok=True)
        started, ready, models = _cpu_seconds(), list[float](), list[TrainedModel]()
        read = _reader(pool, signal)
        inputs = PoolInputs(pool, dict(parameters), work, read, ready.append, models.append)
        columns = signal.compute(inputs)
        check_columns(signal, columns, pool.n)
        digests = {
            name: write_column(folder, name, np.ascontiguousarray(columns[name]))
            for name in signal.columns
        }
        spent = _cpu_seconds() - started + sum(ready)
        finish(signal, pool, parameters, digests, spent, models)


def _reader(pool: AnyPool, signal: WholePool) -> Callable[[str], NDArray[Any]]:
    """Return what reads the columns that a signal declared to need, and no others."""

    def read(column: str) -> NDArray[Any]:
        assert column in signal.needs, f"{signal.name} reads {column} and does not declare it"
        found = want(column, pool)
        stored = open_stored(found.signal, pool, found.parameters)
        assert stored is not None
        return stored.column(column)

    return read


@contextmanager
def _alone(folders: Sequence[Path]) -> Iterator[None]:
    """Hold the folders against another build of the same signals, in one order for everybody."""
    if not folders:
        yield
        return
    first, *rest = sorted(folders)
    first.mkdir(parents=True, exist_ok=True)
    wait = f"another process is computing {first.name}; waiting for it"
    with only_one(first / "build.lock", lambda: say(wait)), _alone(rest):
        yield


def _cpu_seconds() -> float:
    return sum(os.times()[:4])
