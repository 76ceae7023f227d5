"""Fork a track onto one's own pool: same recipes, own candidates, own held-out documents."""

import re
import shutil
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path, PurePosixPath
from typing import Any

import yaml

from assay.artifact import atomic_folder, write_atomic
from assay.console import say
from assay.errors import TrackError
from assay.home import assay_home, package_folder
from assay.pool import Pool
from assay.pool.records import Fields, Record, derive_uid, url_of
from assay.pool.sources import expand
from assay.pool.uid import find, uids_from_bytes
from assay.spec import plain
from assay.suite.continuation import heldout_tasks
from assay.suite.files import dump_suite_yaml, load_suite, read_items, write_suite
from assay.suite.items import Item
from assay.suite.spec import Suite
from assay.track.load import list_scales, load, suite_path, write_seals
from assay.track.spec import PoolRef, Scale, SuiteRef

MAX_DOCUMENT_CHARS = 8_000
"""Held-out documents are cut here: bits per byte of a long one is dominated by that one."""


@dataclass(frozen=True)
class Forked:
    """What `fork` made.

    Attributes:
        name: Of the new track.
        folder: Where its files are.
        scales: That its pool can be used at.
        domains: Held-out domain to number of documents.
        dropped: Held-out documents left out because the pool has them too.
    """

    name: str
    folder: Path
    scales: list[str]
    domains: dict[str, int]
    dropped: int


def fork(
    name: str,
    *,
    like: str,
    pool: Pool,
    heldout: Sequence[str],
    suites: Sequence[Path] = (),
    domain_bytes: int = 100_000,
    items: int = 100,
) -> Forked:
    """Write a private track under `$ASSAY_HOME/tracks`.

    Args:
        name: Of the new track.
        like: The track whose rules and recipes are taken.
        pool: The candidates.
        heldout: Files, folders, globs or URLs; every file is one domain, named by its stem.
        suites: Folders of suites that `assay suite build` made, whose tasks are asked as well.
        domain_bytes: Held-out text taken from each domain, at most, first documents first.
        items: Continuation items made from each domain, at most.

    Raises:
        TrackError: If the name is taken or unusable, or no recipe fits the pool's tokenizer.
        SuiteError: If the held-out documents are too few to ask anything.
    """
    folder = assay_home() / "tracks" / name
    if not re.fullmatch(r"[a-z0-9][a-z0-9-]{0,39}", name):
        raise TrackError(f"track name {name!r}: use up to 40 of a-z, 0-9 and '-', such as my-web")
    if folder.exists() or (package_folder("tracks") / name).exists():
        raise TrackError(
            f"there is a track {name!r} already; choose another name, see: assay tracks"
        )
    fitting = _fitting_scales(like, pool)
    domains, dropped = read_domains(heldout, pool, domain_bytes)
    suite = _write_suite(name, domains, suites, items)
    ref = PoolRef(name=pool.name, root=pool.root)
    with atomic_folder(folder) as partial:
        write_atomic(
            partial / "track.yaml",
            (load(like, next(iter(fitting))).folder / "track.yaml").read_bytes(),
        )
        write_atomic(partial / "suites" / f"{name}.yaml", dump_suite_yaml(suite).encode())
        for scale, spec in fitting.items():
            per_task = spec.suite.items_per_task
            forked = replace(spec, version=1, pool=ref, suite=SuiteRef(name, per_task))
            text = yaml.safe_dump(plain(forked), sort_keys=False, width=100)
            write_atomic(partial / "scales" / f"{scale}.yaml", text.encode())
    write_seals([load(name, scale) for scale in fitting])
    return Forked(
        name, folder, list(fitting), {d: len(texts) for d, texts in domains.items()}, dropped
    )


def _fitting_scales(like: str, pool: Pool) -> dict[str, Scale]:
    """Return the scales whose token table holds the pool's vocabulary."""
    scales = {scale: load(like, scale).spec for track, scale in list_scales() if track == like}
    if not scales:
        load(like, "")  # says that there is no such track, and which there are
    fitting = {
        s: spec for s, spec in scales.items() if pool.vocab_size <= spec.recipe.model.vocab_size
    }
    if not fitting:
        largest = max(spec.recipe.model.vocab_size for spec in scales.values())
        raise TrackError(
            f"pool {pool.name!r} has a tokenizer of {pool.vocab_size} pieces and no recipe of {like!r} has more than "
            f"{largest}; rebuild it with: assay pool build ... --vocab-size 2048"
        )
    return fitting


def read_domains(
    words: Sequence[str], pool: Pool, domain_bytes: int
) -> tuple[dict[str, list[str]], int]:
    """Read held-out documents, leaving out those that the pool has too.

    Returns:
        Texts by domain (a file's stem), and how many documents the pool had.
    """
    domains: dict[str, list[str]] = {}
    dropped = 0
    for source in expand(words, Fields()):
        domain = re.sub(
            r"[^a-z0-9]+", "_", PurePosixPath(source.name).name.split(".")[0].lower()
        ).strip("_")
        texts = domains.setdefault(domain, [])
        taken = 0
        for _, record in source.records(0):
            if not isinstance(record, Record):
                continue
            if find(pool.uids, uids_from_bytes(_uid(record)))[0] >= 0:
                dropped += 1
                continue
            text = record.text[:MAX_DOCUMENT_CHARS]
            taken += len(text.encode())
            if taken > domain_bytes and texts:
                break
            texts.append(text)
    if dropped:
        say(f"left out {dropped} held-out documents that the pool has too")
    return {domain: texts for domain, texts in domains.items() if texts}, dropped


def _uid(record: Record) -> bytes:
    """Return the uid that the record would have in a pool."""
    if record.uid is not None:
        return record.uid
    own = record.columns.get("source_id")
    return derive_uid(None if own is None else str(own), url_of(record.columns), record.text)


def _write_suite(
    name: str, domains: dict[str, list[str]], others: Sequence[Path], items: int
) -> Suite:
    """Write the item files where `LoadedScale.suite_folder` looks for them."""
    tasks: dict[str, tuple[Sequence[Item], Mapping[str, Any]]] = dict(
        heldout_tasks(domains, seed=0, count=items)
    )
    for folder in others:
        other = load_suite(folder)
        tasks |= {task.name: (read_items(other, task, folder), vars(task)) for task in other.tasks}
    staging = assay_home() / "suites" / f".{name}.staging"
    shutil.rmtree(staging, ignore_errors=True)
    suite = write_suite(name, 1, tasks, staging)
    target = suite_path(suite)
    if target.exists():
        shutil.rmtree(staging)
    else:
        staging.rename(target)
    return suite
