"""Build a pool: stream documents into shards, then sort their ids. Killed at any point, it goes on.

    .build/plan.json            columns and tokenizer, decided once
    shards/00000/...            documents and tokens of about 64 MB of text
    .build/shards/00000.json    the shard is whole; where in the sources the next one starts
    uids.npy rows.npy ...       ids sorted, the first document with each
    build_report.json           what went wrong
    pool.json                   the pool is finished; .build goes

Which documents share a shard depends on the sources and settings alone, so a build that was
interrupted ends with the very bytes of one that was not.

Floor: 2 MB of text a second and core, in at most 1 GB whatever the size of the pool. Measured on real
web text: 3 MB/s, nine tenths of it tokenising, and 0.8 GB.
"""

import shutil
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from assay.artifact import only_one, write_atomic
from assay.canonical import digest_file, digest_json
from assay.console import say
from assay.errors import PoolError
from assay.pool.fill import fill_shards
from assay.pool.index import Index, write_index
from assay.pool.journal import Journal
from assay.pool.manifest import (
    BUILD_FOLDER,
    FORMAT,
    MANIFEST_FILE,
    REPORT_FILE,
    Manifest,
    ShardEntry,
    SourceEntry,
    parse_manifest,
    pool_root,
    to_json,
)
from assay.pool.plan import Plan, make_plan
from assay.pool.records import PROBLEMS, Fields
from assay.pool.registry import check_name
from assay.pool.report import Tally
from assay.pool.sources import Source, as_sources
from assay.pool.store import Pool
from assay.pool.tokenizer import MIN_VOCAB_SIZE
from assay.pool.truth import write_truth
from assay.spec import plain

SHARD_BYTES = 64_000_000
"""Text of a shard; it bounds the memory of a build."""


@dataclass(frozen=True)
class _Head:
    """What a build is told, apart from where and with which tokenizer."""

    name: str
    licence: str
    card: dict[str, str]
    sources: tuple[SourceEntry, ...]


def build_pool(
    sources: Sequence[str | Path | Source],
    out: Path,
    *,
    name: str | None = None,
    tokenizer: Path | None = None,
    vocab_size: int = 2048,
    id_field: str | None = None,
    text_field: str = "text",
    licence: str = "",
    card: Mapping[str, str] | None = None,
    shard_bytes: int = SHARD_BYTES,
) -> Pool:
    """Build a text pool, go on with one that was interrupted, or open the finished one.

    Args:
        sources: Files, folders, globs or fsspec URLs, and generators of records.
        out: Folder of the pool; absent, empty, or of an earlier attempt at the same pool.
        name: What the pool is called; by default as its folder.
        tokenizer: A `tokenizers` JSON with an end-of-text token; None trains one.
        vocab_size: Pieces of a trained tokenizer.
        id_field: Field of the own id; None looks in the usual ones, `none` ignores own ids.
        text_field: Field of the text.
        licence: Put into the manifest.
        card: Put into the manifest: heading -> text.
        shard_bytes: Text of a shard.

    Raises:
        PoolError: If a source cannot be read, the settings make no sense, the folder holds something
            else, or there is not one document.
    """
    out = Path(out).expanduser().absolute()
    found = as_sources(sources, Fields(text_field, id_field))
    entries = tuple(SourceEntry(source.name, source.fingerprint) for source in found)
    head = _Head(check_name(name or out.name), licence, dict(card or {}), entries)
    settings = [FORMAT, _tokenizer_digest(tokenizer, vocab_size), text_field, id_field, shard_bytes]
    fingerprint = digest_json({"head": plain(head), "settings": settings})
    if not _is_finished(out, fingerprint):
        with _only_builder(out):
            if not _is_finished(out, fingerprint):
                journal = Journal(out, fingerprint)
                plan = journal.plan or make_plan(journal, found, tokenizer, vocab_size)
                tally = fill_shards(journal, plan, found, shard_bytes)
                _finish(journal, plan, head, tally)
    shutil.rmtree(out / BUILD_FOLDER, ignore_errors=True)
    return Pool.open(out)


def _tokenizer_digest(tokenizer: Path | None, vocab_size: int) -> str:
    if tokenizer is not None:
        return digest_file(tokenizer) if tokenizer.is_file() else "absent"
    if vocab_size < MIN_VOCAB_SIZE:
        raise PoolError(
            f"a vocabulary of {vocab_size} cannot hold every byte; the least is --vocab-size {MIN_VOCAB_SIZE}"
        )
    return f"train {vocab_size}"


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


def _finish(journal: Journal, plan: Plan, head: _Head, tally: Tally) -> None:
    """Write everything that needs all shards, the manifest last."""
    shards = tuple(state.entry for state in journal.shards)
    if not shards:
        shutil.rmtree(journal.folder)
        raise PoolError(
            f"not one document in {len(head.sources)} sources ({tally.summary()}); name the field "
            "with the documents: --text-field NAME"
        )
    index = write_index(journal.folder, journal.work, shards)
    _count_repeats(tally, index, journal, [source.name for source in head.sources])
    write_truth(journal.folder, [(journal.truth_part(s.name), s.rows) for s in shards])
    write_atomic(journal.folder / REPORT_FILE, _report(tally, plan))
    files = {
        plan.tokenizer.file: plan.tokenizer.digest,
        REPORT_FILE: digest_file(journal.folder / REPORT_FILE),
        **index.files,
    }
    manifest = _manifest(plan, head, shards, index, files, tally)
    write_atomic(journal.folder / MANIFEST_FILE, manifest.to_bytes())
    say(
        f"pool {manifest.name}: {manifest.n:,} documents, {manifest.num_tokens:,} tokens, "
        f"{manifest.num_bytes / 1e6:,.1f} MB of text; {tally.summary()}"
    )


def _count_repeats(tally: Tally, index: Index, journal: Journal, names: list[str]) -> None:
    """Add documents with an id seen before to the problems; these are found only by sorting."""
    if not index.repeats:
        return
    tally.counts["repeated_id"] = index.repeats
    for position, kept in index.examples:
        source, place = journal.place_of(position)
        first_source, first_place = journal.place_of(kept)
        detail = f"its id is that of {names[first_source]}, line {first_place + 1}, which stays"
        tally.list("repeated_id", names[source], place, detail)


def _report(tally: Tally, plan: Plan) -> bytes:
    kinds: dict[str, Any] = {
        kind: {
            "meaning": PROBLEMS[kind],
            "count": count,
            "first": tally.examples.get(kind, []),
        }
        for kind, count in tally.counts.items()
    }
    return to_json({"format": FORMAT, "problems": kinds, "fields_left_out": list(plan.left_out)})


def _manifest(
    plan: Plan,
    head: _Head,
    shards: tuple[ShardEntry, ...],
    index: Index,
    files: dict[str, str],
    tally: Tally,
) -> Manifest:
    return Manifest(
        format=FORMAT,
        name=head.name,
        kind="text",
        n=index.n,
        num_tokens=index.num_tokens,
        num_bytes=index.num_bytes,
        root=pool_root(shards, plan.tokenizer.digest),
        fingerprint=plan.fingerprint,
        tokenizer=plan.tokenizer,
        columns=plan.columns,
        shards=shards,
        files=files,
        sources=head.sources,
        licence=head.licence,
        report=dict(tally.counts),
        card=head.card,
    )
