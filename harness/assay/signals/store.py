"""What is kept of a signal: a `.npy` a column, aligned to the pool's rows, and `signal.json`, written last.

    $ASSAY_HOME/signals/<pool>/<signal>-<key>/<column>.npy, signal.json

The key is made of all that decides the values: the pool's root, the signal's version and parameters,
and the keys of the signals that it needs. So what is there is never stale, only unused.
"""

import json
import shutil
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from assay.artifact import atomic_file, write_atomic
from assay.canonical import canonical_json, digest_bytes, digest_json
from assay.errors import SignalError
from assay.home import assay_home
from assay.pool import AnyPool
from assay.signals.catalogue import find_signal
from assay.signals.columns import Columns, Setting, Signal, TrainedModel

MANIFEST_FILE = "signal.json"


@dataclass(frozen=True)
class StoredSignal:
    """A signal of a pool, whole.

    Attributes:
        folder: Where it is.
        name: Of the signal.
        key: `sha256:...` of all that decides its values.
        parameters: That it was computed with.
        digests: Column -> `sha256:...` of its values.
        cpu_seconds: Processor time that computing it takes, alone, with every model that it trains, but without
            the signals that it needs.
        models: Networks that it rests on.
    """

    folder: Path
    name: str
    key: str
    parameters: dict[str, Setting]
    digests: dict[str, str]
    cpu_seconds: float
    models: tuple[TrainedModel, ...] = ()

    def column(self, name: str) -> NDArray[Any]:
        """Return a column, (n,) or (n, d), memory-mapped.

        Raises:
            SignalError: If its file is gone or damaged.
        """
        path = self.folder / f"{name}.npy"
        try:
            return np.load(path, mmap_mode="r", allow_pickle=False).view(np.ndarray)
        except (OSError, ValueError, EOFError) as error:
            raise SignalError(
                f"{path} is damaged ({error}); remove the folder {self.folder} and build it again with: "
                f"assay signals build POOL --only {self.name}"
            ) from None


def signal_key(signal: Signal, root: str, parameters: Mapping[str, Setting]) -> str:
    """Return the digest of all that decides a signal's values on the pool with this root."""
    needs = {
        column: signal_key(found, root, found.parameters)
        for column in signal.needs
        if (found := find_signal(column, signal.kind))
    }
    decides = {"signal": signal.name, "version": signal.version, "pool": root}
    return digest_json(decides | {"parameters": dict(parameters), "needs": needs})


def signal_folder(signal: Signal, pool: AnyPool, parameters: Mapping[str, Setting]) -> Path:
    """Return where a signal of a pool is kept, or will be."""
    key = signal_key(signal, pool.root, parameters).removeprefix("sha256:")[:12]
    return assay_home() / "signals" / pool.name / f"{signal.name}-{key}"


def open_stored(
    signal: Signal, pool: AnyPool, parameters: Mapping[str, Setting]
) -> StoredSignal | None:
    """Return what is kept of a signal, or None where it is not whole.

    Raises:
        SignalError: If its manifest cannot be read.
    """
    folder = signal_folder(signal, pool, parameters)
    path = folder / MANIFEST_FILE
    if not path.is_file():
        return None
    try:
        value = json.loads(path.read_bytes())
        return StoredSignal(
            folder=folder,
            name=value["name"],
            key=value["key"],
            parameters=value["parameters"],
            digests=value["digests"],
            cpu_seconds=value["cpu_seconds"],
            models=tuple(TrainedModel(w, **m) for w, m in value.get("models", {}).items()),
        )
    except (ValueError, KeyError, TypeError) as error:
        raise SignalError(
            f"{path} is damaged ({type(error).__name__}: {error}); remove the folder {folder} and run the same "
            "command again"
        ) from None


def write_column(folder: Path, name: str, values: NDArray[Any]) -> str:
    """Write one column and return the digest of its values."""
    with atomic_file(folder / f"{name}.npy") as stream:
        np.save(stream, values, allow_pickle=False)
    about = canonical_json([values.dtype.str, list(values.shape)])
    return digest_bytes(about, values.view(np.uint8).data if values.size else b"")


def finish(
    signal: Signal,
    pool: AnyPool,
    parameters: Mapping[str, Setting],
    digests: dict[str, str],
    cpu_seconds: float,
    models: Sequence[TrainedModel] = (),
) -> StoredSignal:
    """Declare a signal whole: its columns are written, its working folder goes."""
    folder = signal_folder(signal, pool, parameters)
    stored = StoredSignal(
        folder=folder,
        name=signal.name,
        key=signal_key(signal, pool.root, parameters),
        parameters=dict(parameters),
        digests=digests,
        cpu_seconds=round(cpu_seconds, 3),
        models=tuple(models),
    )
    manifest = {
        "format": 1,
        "name": stored.name,
        "version": signal.version,
        "key": stored.key,
        "pool": pool.name,
        "pool_root": pool.root,
        "n": pool.n,
        "parameters": stored.parameters,
        "columns": dict(signal.columns),
        "digests": stored.digests,
        "cpu_seconds": stored.cpu_seconds,
        "models": {model.weights: model.plain() for model in stored.models},
    }
    write_atomic(folder / MANIFEST_FILE, (json.dumps(manifest, indent=2) + "\n").encode())
    shutil.rmtree(work_folder(folder), ignore_errors=True)
    return stored


def work_folder(folder: Path) -> Path:
    """Return where a signal keeps what it has so far."""
    return folder / "unfinished"


def check_columns(signal: Signal, columns: Columns, n: int) -> None:
    """Check that a signal's function kept its word: an error of whoever wrote it."""
    assert set(columns) == set(signal.columns), (signal.name, sorted(columns))
    for name, values in columns.items():
        assert len(values) == n, (signal.name, name, values.shape, n)
        assert values.dtype.kind in "biufSU", (signal.name, name, values.dtype)
