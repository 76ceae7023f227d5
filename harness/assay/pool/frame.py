"""What every build has around it: one builder at a time, whole or not at all, and a report."""

import shutil
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from assay.artifact import only_one, write_atomic
from assay.canonical import digest_file
from assay.console import say
from assay.errors import PoolError
from assay.pool.index import Index
from assay.pool.journal import Journal
from assay.pool.manifest import (
    BUILD_FOLDER,
    FORMAT,
    MANIFEST_FILE,
    REPORT_FILE,
    SourceEntry,
    parse_manifest,
    to_json,
)
from assay.pool.report import Tally


@dataclass(frozen=True)
class Head:
    """What a build is told, apart from where and how."""

    name: str
    licence: str
    card: dict[str, str]
    sources: tuple[SourceEntry, ...]


@contextmanager
def build_once(out: Path, fingerprint: str) -> Iterator[bool]:
    """Hold the folder while a pool is built in it, and clear up behind.

    Yields:
        Whether there is anything left to build.

    Raises:
        PoolError: If the folder holds another pool, or something else.
    """
    if _is_finished(out, fingerprint):
        yield False
    else:
        with _only_builder(out):
            yield not _is_finished(out, fingerprint)
    shutil.rmtree(out / BUILD_FOLDER, ignore_errors=True)


def _is_finished(out: Path, fingerprint: str) -> bool:
    """Tell whether the folder holds this pool, whole; refuse another."""
    path = out / MANIFEST_FILE
    if not path.is_file():
        return False
    if parse_manifest(path.read_bytes(), str(path)).fingerprint != fingerprint:
        raise PoolError(
            f"{out} holds a pool built from other sources or with other settings; choose another "
            "folder (--out DIR) or name (--name NAME), or remove that one"
        )
    return True


@contextmanager
def _only_builder(out: Path) -> Iterator[None]:
    """Hold the folder against a second build of the same pool; the system frees it after a kill."""
    work = out / BUILD_FOLDER
    if out.exists() and not work.is_dir() and any(out.iterdir()):
        raise PoolError(f"{out} holds files that are no pool; choose another folder: --out DIR")
    work.mkdir(parents=True, exist_ok=True)
    with only_one(work / "lock", lambda: say(f"another process builds {out}; waiting for it")):
        yield


def count_repeats(
    tally: Tally, index: Index, journal: Journal[Any, Any], names: Sequence[str]
) -> None:
    """Add examples with an id seen before to the problems; these are found only by sorting."""
    if not index.repeats:
        return
    tally.counts["repeated_id"] = index.repeats
    for position, kept in index.examples:
        source, place = journal.place_of(position)
        first_source, first_place = journal.place_of(kept)
        detail = f"its id is that of {names[first_source]}, line {first_place + 1}, which stays"
        tally.list("repeated_id", names[source], place, detail)


def write_report(
    folder: Path, tally: Tally, meanings: Mapping[str, str], left_out: Sequence[str]
) -> dict[str, str]:
    """Write `build_report.json`; return its digest by name.

    Args:
        folder: The pool.
        tally: All problems.
        meanings: Kind of problem -> what it is.
        left_out: Fields that found no room among the columns.
    """
    kinds: dict[str, Any] = {
        kind: {"meaning": meanings[kind], "count": count, "first": tally.examples.get(kind, [])}
        for kind, count in tally.counts.items()
    }
    report = {"format": FORMAT, "problems": kinds, "fields_left_out": list(left_out)}
    write_atomic(folder / REPORT_FILE, to_json(report))
    return {REPORT_FILE: digest_file(folder / REPORT_FILE)}
