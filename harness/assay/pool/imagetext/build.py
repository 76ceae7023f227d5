"""Build a pool of pairs: one pass over the sources, images left where they lie. It goes on after a kill.

.build/metadata-.../...     candidates that samples are joined with
.build/plan.json            columns, decided once
images/00000.tar            images that lie in no file of their own
shards/00000/pairs.parquet  captions, metadata, where images lie
.build/shards/00000.json    the shard is whole; where in the sources the next one starts
uids.npy rows.npy ...       ids sorted, and what is aligned to them
build_report.json           what went wrong
pool.json                   the pool is finished; .build goes
"""

import shutil
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from assay.artifact import write_atomic
from assay.canonical import digest_json
from assay.console import say
from assay.errors import PoolError
from assay.pool.fill import fill_shards
from assay.pool.frame import Head, build_once, count_repeats, write_report
from assay.pool.imagetext.draft import PairDraft
from assay.pool.imagetext.index import PairIndex, write_pair_index
from assay.pool.imagetext.metadata import Metadata, MetadataFile, metadata_files, prepare
from assay.pool.imagetext.plan import ShardPlan, make_plan
from assay.pool.imagetext.records import PAIR_PROBLEMS, PairFields
from assay.pool.imagetext.shard import PAIRS_FILE
from assay.pool.imagetext.sources import as_pair_sources
from assay.pool.imagetext.store import ImageTextPool
from assay.pool.index import Index, write_index
from assay.pool.journal import Journal
from assay.pool.manifest import (
    FORMAT,
    IMAGE_TEXT,
    MANIFEST_FILE,
    ImageTextManifest,
    SourceEntry,
    StoredShard,
    pool_root,
)
from assay.pool.records import needs_id
from assay.pool.registry import check_name
from assay.pool.report import Tally
from assay.pool.sources import Source
from assay.pool.truth import write_truth
from assay.spec import plain

SHARD_PAIRS = 10_000
"""Pairs of a shard; it bounds the memory of a build."""


@dataclass(frozen=True)
class _Work:
    """A build under way."""

    journal: Journal[ShardPlan, StoredShard]
    plan: ShardPlan
    head: Head
    metadata: Metadata | None


def build_image_text_pool(
    sources: Sequence[str | Path | Source],
    out: Path,
    *,
    name: str | None = None,
    metadata: Sequence[str | Path] = (),
    verify_sha256: bool = False,
    caption_field: str | None = None,
    image_field: str | None = None,
    id_field: str | None = None,
    licence: str = "",
    card: Mapping[str, str] | None = None,
    shard_pairs: int = SHARD_PAIRS,
) -> ImageTextPool:
    """Build a pool of pairs, go on with one that was interrupted, or open the finished one.

    Args:
        sources: Webdataset tars, tables with images in them, folders of images, globs or fsspec URLs
            of these, and generators of `Pair`.
        out: Folder of the pool; absent, empty, or of an earlier attempt at the same pool.
        name: What the pool is called; by default as its folder.
        metadata: Parquet files of candidates, folders or globs of them: DataComp's metadata. Samples
            are joined with them by id; one that is not among them is left out.
        verify_sha256: Leave out images that are not those whose `sha256` the metadata give. It is
            that of the image as downloaded: one that img2dataset has resized has another.
        caption_field: Field of the caption; None takes a caption file, `caption` or `text`.
        image_field: Column of the images in a table; None looks through the usual names.
        id_field: Field of the own id; None looks in the usual ones, `none` ignores own ids.
        licence: Put into the manifest.
        card: Put into the manifest: heading -> text.
        shard_pairs: Pairs of a shard.

    Raises:
        PoolError: If a source cannot be read, the folder holds something else, or there is not one
            pair.
    """
    out = Path(out).expanduser().absolute()
    fields = PairFields(caption_field, image_field, id_field)
    found = as_pair_sources(sources, fields)
    joined = metadata_files([str(word) for word in metadata])
    entries = tuple(SourceEntry(source.name, source.fingerprint) for source in found)
    head = Head(check_name(name or out.name), licence, dict(card or {}), entries)
    candidates = [[file.name, file.fingerprint] for file in joined]
    settings = [FORMAT, IMAGE_TEXT, plain(fields), candidates, verify_sha256, shard_pairs]
    fingerprint = digest_json({"head": plain(head), "settings": settings})
    with build_once(out, fingerprint) as needed:
        if needed:
            work = _begin(out, fingerprint, head, found, joined, id_field)
            schema, table = work.plan.columns, work.metadata
            tally = fill_shards(
                work.journal,
                found,
                lambda: PairDraft(schema, table, verify_sha256, shard_pairs),
            )
            _finish(work, tally)
    return ImageTextPool.open(out)


def _begin(
    out: Path,
    fingerprint: str,
    head: Head,
    sources: Sequence[Source],
    files: Sequence[MetadataFile],
    id_field: str | None,
) -> _Work:
    journal = Journal(out, fingerprint, ShardPlan, StoredShard)
    metadata = None
    if files:
        field = id_field if id_field and needs_id(id_field) else "uid"
        folder = journal.work / f"metadata-{fingerprint.removeprefix('sha256:')[:16]}"
        metadata = prepare(folder, files, field)
    plan = journal.plan
    if plan is None:
        plan = make_plan(fingerprint, sources, metadata, files)
        journal.write_plan(plan)
    return _Work(journal, plan, head, metadata)


def _finish(work: _Work, tally: Tally) -> None:
    """Write everything that needs all shards, the manifest last."""
    journal = work.journal
    shards = tuple(state.entry for state in journal.shards)
    if not shards:
        shutil.rmtree(journal.folder)
        raise PoolError(
            f"not one pair in {len(work.head.sources)} sources ({tally.summary()}); see which files "
            "are pairs with: assay pool build --help"
        )
    index = write_index(journal.folder, journal.work, shards, table=PAIRS_FILE, sizes={})
    pairs = write_pair_index(journal.folder, journal.work, shards, work.plan.sidecars)
    count_repeats(tally, index, journal, [source.name for source in work.head.sources])
    if work.metadata and work.metadata.candidates > index.n:
        tally.counts["missing_sample"] = work.metadata.candidates - index.n
    write_truth(journal.folder, [(journal.truth_part(s.name), s.rows) for s in shards])
    report = write_report(journal.folder, tally, PAIR_PROBLEMS, work.plan.left_out)
    manifest = _manifest(
        work, shards, index, pairs, {**index.files, **pairs.files, **report}, tally
    )
    write_atomic(journal.folder / MANIFEST_FILE, manifest.to_bytes())
    say(
        f"pool {manifest.name}: {manifest.n:,} pairs, {manifest.num_bytes / 1e6:,.1f} MB of captions, "
        f"{manifest.image_bytes / 1e6:,.1f} MB of images; {tally.summary()}"
    )


def _manifest(
    work: _Work,
    shards: tuple[StoredShard, ...],
    index: Index,
    pairs: PairIndex,
    files: dict[str, str],
    tally: Tally,
) -> ImageTextManifest:
    return ImageTextManifest(
        format=FORMAT,
        kind=IMAGE_TEXT,
        name=work.head.name,
        n=index.n,
        num_bytes=pairs.num_bytes,
        image_bytes=pairs.image_bytes,
        root=pool_root(shards),
        fingerprint=work.plan.fingerprint,
        columns=work.plan.columns,
        shards=shards,
        files=files,
        sources=work.head.sources,
        candidates=work.metadata.candidates if work.metadata else None,
        sidecars=work.plan.sidecars,
        embeddings=work.plan.embeddings,
        licence=work.head.licence,
        report=dict(tally.counts),
        card=work.head.card,
    )
