"""Fork a text track onto one's own pool: same recipes, own candidates, own held-out documents."""

import hashlib
import re
import shutil
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path, PurePosixPath
from typing import Any

import yaml

from assay.artifact import atomic_folder, write_atomic
from assay.console import progress, say
from assay.errors import TrackError
from assay.home import assay_home, package_folder
from assay.pool import AnyPool, Pool, load_pool, pool_path
from assay.pool.records import Fields, Record, derive_uid, url_of
from assay.pool.registry import register
from assay.pool.report import Tally
from assay.pool.sources import Source, expand, is_url
from assay.pool.uid import find, uids_from_bytes
from assay.spec import plain
from assay.suite.continuation import heldout_tasks
from assay.suite.files import dump_suite_yaml, load_suite, read_items, write_suite
from assay.suite.items import Item
from assay.suite.spec import Suite
from assay.track.fitting import filled_scales, specs_of
from assay.track.load import (
    embedded_pools,
    load,
    load_from,
    suite_path,
    write_seals,
)
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
        items: Held-out domain to number of documents, or task to number of images.
        dropped: Held-out documents left out because the pool has them too.
        modality: `text` or `clip`.
    """

    name: str
    folder: Path
    scales: list[str]
    items: dict[str, int]
    dropped: int
    modality: str


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
        pool: The candidates, in a local folder, which is made known by its name.
        heldout: Files, folders, globs or URLs; every file is one domain, named by its stem.
        suites: Folders of suites that `assay suite build` made, whose tasks are asked as well.
        domain_bytes: Held-out text taken from each domain, at most, first documents first.
        items: Continuation items made from each domain, at most.

    Raises:
        TrackError: If the name is taken or unusable, `like` trains no language models, no recipe fits
            the pool's tokenizer, the pool is at a URL or its name is another's, or two domains or
            tasks share a name.
        SuiteError: If the held-out documents are too few to ask anything.
    """
    folder = new_folder(name)
    fitting = _fitting_scales(like, pool)
    make_known(pool)
    ref = PoolRef(pool.name, pool.root, embedded_size(pool))
    domains, dropped = read_domains(heldout, pool, domain_bytes)
    suite = _write_suite(name, domains, suites, items)
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
        write_seals([load_from(partial, name, scale) for scale in fitting])
    counts = {domain: len(texts) for domain, texts in domains.items()}
    return Forked(name, folder, list(fitting), counts, dropped, "text")


def _fitting_scales(like: str, pool: Pool) -> dict[str, Scale]:
    """Return the scales whose token table holds the pool's vocabulary and whose budget it can fill."""
    scales: dict[str, Scale] = {}
    for scale, spec in specs_of(like).items():
        if not isinstance(spec, Scale):
            raise TrackError(
                f"pool {pool.name!r} holds text, but track {like!r} trains on image-text pairs; give --like text"
            )
        scales[scale] = spec
    fitting = {
        s: spec for s, spec in scales.items() if pool.vocab_size <= spec.recipe.model.vocab_size
    }
    if not fitting:
        largest = max(spec.recipe.model.vocab_size for spec in scales.values())
        raise TrackError(
            f"pool {pool.name!r} has a tokenizer of {pool.vocab_size} pieces and no recipe of {like!r} has more than "
            f"{largest}; rebuild it with: assay pool build ... --vocab-size 2048"
        )
    return filled_scales(like, fitting, pool.name, pool.num_tokens)


def new_folder(name: str) -> Path:
    """Return where a new private track goes.

    Raises:
        TrackError: If the name is taken or unusable.
    """
    folder = assay_home() / "tracks" / name
    if not re.fullmatch(r"[a-z0-9][a-z0-9-]{0,39}", name):
        raise TrackError(f"track name {name!r}: use up to 40 of a-z, 0-9 and '-', such as my-web")
    if folder.exists() or (package_folder("tracks") / name).exists():
        raise TrackError(
            f"there is a track {name!r} already; choose another name, see: assay tracks"
        )
    return folder


def embedded_size(pool: AnyPool) -> int | None:
    """Return the size of one of the package's own pools, None for another's."""
    sizes = {(ref.name, ref.root): ref.size for ref in embedded_pools()}
    return sizes.get((pool.name, pool.root))


def make_known(pool: AnyPool) -> None:
    """Make a pool in a local folder known by its name, as tracks refer to it.

    Raises:
        TrackError: If it is at a URL, or its name is another pool's.
    """
    if is_url(pool.where):
        raise TrackError(
            f"{pool.where} is a URL, and a track needs a pool on this machine; copy that folder here and "
            "give the copy: assay track new ... --pool FOLDER"
        )
    known = pool_path(pool.name)
    if known.absolute() != pool.path.absolute():
        if (known / "pool.json").is_file() and load_pool(known).root != pool.root:
            raise TrackError(
                f"the pool in {pool.path} is called {pool.name!r}, and so is another one in {known}; build "
                "it under a name of its own: assay pool build ... --name NAME"
            )
        if not (known / "pool.json").is_file():
            register(pool.name, pool.path)


def read_domains(
    words: Sequence[str], pool: Pool, domain_bytes: int
) -> tuple[dict[str, list[str]], int]:
    """Read held-out documents, leaving out those that the pool has too, by id or by exact text.

    Returns:
        Texts by domain (a file's stem), and how many documents the pool had.

    Raises:
        TrackError: If two files are the same domain.
    """
    read: dict[str, list[tuple[bytes, str]]] = {}
    dropped = 0
    for source in expand(words, Fields()):
        domain = _domain(source.name)
        if domain in read:
            raise TrackError(
                f"{source.name} and another held-out file are both the domain {domain!r}; rename one, "
                "or put both into one file"
            )
        read[domain], known = _read_domain(source, pool, domain_bytes)
        dropped += known
    leaked = _digests_in(pool, {digest for texts in read.values() for digest, _ in texts})
    domains: dict[str, list[str]] = {}
    for domain, texts in read.items():
        kept = [text for digest, text in texts if digest not in leaked]
        dropped += len(texts) - len(kept)
        if kept:
            domains[domain] = kept
        else:
            say(f"domain {domain!r} has no documents of its own; it is left out")
    if dropped:
        say(f"left out {dropped} held-out documents that the pool has too")
    return domains, dropped


def _read_domain(
    source: Source, pool: Pool, domain_bytes: int
) -> tuple[list[tuple[bytes, str]], int]:
    """Return each document's digest and its text as cut, and how many the pool has by id."""
    texts: list[tuple[bytes, str]] = []
    problems = Tally()
    taken = dropped = 0
    for place, record in source.records(0):
        if not isinstance(record, Record):
            problems.add(record.kind, source.name, place, record.detail)
            continue
        if find(pool.uids, uids_from_bytes(_uid(record)))[0] >= 0:
            dropped += 1
            continue
        text = record.text[:MAX_DOCUMENT_CHARS]
        taken += len(text.encode())
        if taken > domain_bytes and texts:
            break
        texts.append((_digest(record.text), text))
    if problems.counts:
        say(f"{source.name}: left out {problems.summary()}")
    return texts, dropped


def _digest(text: str) -> bytes:
    return hashlib.blake2b(text.encode(), digest_size=16).digest()


def _digests_in(pool: Pool, digests: set[bytes]) -> set[bytes]:
    """Return those that are digests of one of the pool's texts, in one pass over the pool."""
    found: set[bytes] = set()
    with progress("comparing with the pool", pool.manifest.stored, "docs") as bar:
        for _, batch in pool.scan(("text",)):
            found |= digests.intersection(map(_digest, batch.column(0).to_pylist()))
            bar.update(batch.num_rows)
    return found


def _domain(name: str) -> str:
    stem = PurePosixPath(name).name.split(".")[0].lower()
    return re.sub(r"[^a-z0-9]+", "_", stem).strip("_")


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
        for task in other.tasks:
            if task.name in tasks:
                raise TrackError(
                    f"{folder}: a task {task.name!r} is there already, from another --suite or a "
                    "held-out file; rename the file, or leave one out"
                )
            tasks[task.name] = (read_items(other, task, folder), vars(task))
    staging = assay_home() / "suites" / f".{name}.staging"
    shutil.rmtree(staging, ignore_errors=True)
    suite = write_suite(name, 1, tasks, staging)
    target = suite_path(suite)
    if target.exists():
        shutil.rmtree(staging)
    else:
        staging.rename(target)
    return suite
