"""A private PostgreSQL cluster for tests, from the binaries of Debian's package."""

import os
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest


def _postgres_binaries() -> Path | None:
    found = shutil.which("initdb")
    if found:
        return Path(found).resolve().parent
    folders = sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"))
    return folders[-1].parent if folders else None


@contextmanager
def cluster() -> Iterator[Callable[[], str]]:
    """A private PostgreSQL cluster on a Unix socket; calling it makes an empty database."""
    binaries = _postgres_binaries()
    if binaries is None:
        pytest.skip("no PostgreSQL here; Debian's package is postgresql")
    folder = Path(tempfile.mkdtemp(prefix="assay-pg-"))
    # PostgreSQL refuses to run as root, whose temporary folders nobody else may enter.
    user: dict[str, Any] = {}
    if os.geteuid() == 0:
        user = {"user": "nobody", "group": "nogroup", "extra_groups": []}
        shutil.chown(folder, "nobody", "nogroup")
    data = folder / "data"
    options = {"check": True, "stdout": subprocess.DEVNULL, "cwd": folder, **user}
    subprocess.run(
        [
            binaries / "initdb",
            "-D",
            data,
            "-U",
            "assay",
            "-A",
            "trust",
            "-N",
            "-E",
            "UTF8",
            "--locale=C",
        ],
        **options,
    )
    process = subprocess.Popen(
        [
            binaries / "postgres",
            "-D",
            data,
            "-k",
            folder,
            "-c",
            "listen_addresses=",
            "-c",
            "fsync=off",
        ],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        cwd=folder,
        **user,
    )
    try:
        _wait_for(folder)
        numbers = iter(range(1_000_000))

        def make() -> str:
            name = f"board{next(numbers)}"
            _execute(folder, f'CREATE DATABASE "{name}"')
            return f"postgresql://assay@/{name}?host={folder}"

        yield make
    finally:
        # SIGTERM would wait for whoever is still connected.
        process.send_signal(signal.SIGINT)
        process.wait(30)
        shutil.rmtree(folder, ignore_errors=True)


def _execute(folder: Path, statement: str) -> None:
    import psycopg

    with psycopg.connect(
        f"user=assay dbname=postgres host={folder}", autocommit=True
    ) as connection:
        connection.execute(statement)  # pyright: ignore[reportArgumentType]


def _wait_for(folder: Path) -> None:
    import psycopg

    for _ in range(100):
        try:
            _execute(folder, "SELECT 1")
            return
        except psycopg.OperationalError:
            time.sleep(0.1)
    raise AssertionError("PostgreSQL does not start")
