"""What pages show of a ledger: a fold over its entries that grows with them and is never changed in place.

A snapshot is slim: headline and task scores as numbers, the rest of each record compressed, so that thirty
thousand runs fit into some hundred megabytes. Readers keep the snapshot that they have; `extended` returns
another one that shares everything that the new entries do not touch.
"""

import json
import math
import zlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from assay.board import PRIMARY_METRICS, Metric
from assay.canonical import canonical_json, digest_json
from assay.compare.entries import TASK_METRICS
from assay.ledger import RANKED_LEVELS, Entry, Standing, standing

LATEST = 200
"""Runs that are kept in order of arrival, for the home page and the feed."""
KEY_DIGITS = 12


@dataclass(frozen=True)
class Run:
    """One run.

    Attributes:
        index: Of its ledger entry.
        time: When the entry was written, ISO 8601.
        level: One of `assay.ledger.LEVELS`.
        digest: Of the record.
        seed: Of initialisation and data order.
        values: Primary metrics, the ranking one first.
        tasks: Tasks x primary metrics; NaN where a task is not part of a metric.
        compressed: The record's canonical JSON, deflated.
    """

    index: int
    time: str
    level: str
    digest: str
    seed: int
    values: tuple[float, ...]
    tasks: NDArray[np.float64]
    compressed: bytes

    def record(self) -> dict[str, Any]:
        """Return the whole record."""
        return json.loads(zlib.decompress(self.compressed))


@dataclass(frozen=True)
class Notice:
    """A retraction, correction or objection, as people read it.

    Attributes:
        kind: Of the entry.
        index: Of the entry.
        time: ISO 8601.
        text: Its reason, or the objection.
        by: Who says so; empty for an objection.
    """

    kind: str
    index: int
    time: str
    text: str
    by: str


@dataclass(frozen=True)
class Entrant:
    """One submission in one table.

    Attributes:
        digest: Of the submission.
        about: Its sizes and manifest, as the newest record has them.
        runs: Oldest first; of one seed at one level only the newest.
    """

    digest: str
    about: Mapping[str, Any]
    runs: tuple[Run, ...]


@dataclass(frozen=True)
class Table:
    """Everything measured under one seal, on one pool and one set of items: rows that compare.

    Attributes:
        key: First digits of a digest of what makes rows comparable.
        track: Name.
        scale: Name.
        version: Of track and scale.
        modality: `text` or `clip`.
        sealed: False where a track's files differ from its recorded seal.
        digests: Seal, recipe, suite, pool and evaluation files.
        training: Budget and FLOPs of a run, of one that the harness made if there is any.
        tasks: Names, in the order of `Run.tasks`.
        entrants: By digest.
        stamp: Index of the newest entry in it.
    """

    key: str
    track: str
    scale: str
    version: int
    modality: str
    sealed: bool
    digests: Mapping[str, str]
    training: Mapping[str, Any]
    tasks: tuple[str, ...]
    entrants: Mapping[str, Entrant]
    stamp: int

    @property
    def metrics(self) -> tuple[Metric, ...]:
        """Return the primary metrics, the ranking one first."""
        return PRIMARY_METRICS[self.modality]

    @property
    def by_compute(self) -> tuple[float, int, str]:
        """What scales are sorted by: FLOPs of a run, then the shorter name."""
        return self.training.get("flops") or 0, len(self.scale), self.scale

    @property
    def label(self) -> str:
        """Return `track/scale@version`."""
        return f"{self.track}/{self.scale}@{self.version}"


@dataclass(frozen=True)
class Snapshot:
    """A ledger as pages show it.

    Attributes:
        size: Entries seen.
        time: Of the newest entry, empty where there is none.
        tables: By key.
        latest: Table and submission digest of the newest runs, newest last.
        notices: Retractions, corrections and objections by the digest that they are about.
        standing: What holds after them: what is retracted or corrected, and keys of seeds.
        noticed: Index of the newest entry that is no run.
    """

    size: int = 0
    time: str = ""
    tables: Mapping[str, Table] = field(default_factory=dict)
    latest: tuple[tuple[str, str, Run], ...] = ()
    notices: Mapping[str, tuple[Notice, ...]] = field(default_factory=dict)
    standing: Standing = field(default_factory=Standing)
    noticed: int = -1

    def extended(self, entries: Iterable[Entry]) -> "Snapshot":
        """Return the snapshot with these entries added; they continue the ones seen."""
        tables, opened = dict(self.tables), {}
        notices, latest, others = dict(self.notices), list(self.latest), []
        size, time = self.size, self.time
        for entry in entries:
            assert entry.index == size, f"entry {entry.index} after {size} entries"
            size, time = entry.index + 1, entry.time
            if entry.kind == "run":
                table, run = _placed(tables, opened, entry)
                latest.append((table.key, entry.body["submission"]["digest"], run))
                continue
            others.append(entry)
            if entry.kind not in ("epoch", "suite"):
                _note(notices, entry)
        for key, entrants in opened.items():
            tables[key] = replace(tables[key], entrants=entrants)
        return Snapshot(
            size=size,
            time=time,
            tables=tables,
            latest=tuple(latest[-LATEST:]),
            notices=notices,
            standing=standing(others, self.standing) if others else self.standing,
            noticed=others[-1].index if others else self.noticed,
        )

    def manifest(self, entrant: Entrant) -> dict[str, Any]:
        """Return a submission's manifest with its corrections."""
        manifest = dict(entrant.about["manifest"])
        for target in (entrant.digest, *(run.digest for run in entrant.runs)):
            manifest |= self.standing.corrected.get(target, {})
        return manifest

    def name(self, entrant: Entrant) -> str:
        """Return what a submission is called: its name, or the first digits of its digest."""
        return str(self.manifest(entrant).get("name") or entrant.digest[7:19])

    def said_of(self, targets: Iterable[str]) -> list[Notice]:
        """Return what was said of submissions and records, oldest first."""
        found = (notice for target in set(targets) for notice in self.notices.get(target, ()))
        return sorted(found, key=lambda notice: notice.index)

    def run(self, digest: str) -> Run | None:
        """Return the run whose record has this digest."""
        every = (e for table in self.tables.values() for e in table.entrants.values())
        return next((run for e in every for run in e.runs if run.digest == digest), None)

    def boards(self, track: str | None = None, scale: str | None = None) -> list[Table]:
        """Return tables of a track and scale, or of all, the one with the newest run first."""
        found = (t for t in self.tables.values() if track in (None, t.track))
        return sorted((t for t in found if scale in (None, t.scale)), key=lambda t: -t.stamp)


def _placed(
    tables: dict[str, Table], opened: dict[str, dict[str, Entrant]], entry: Entry
) -> tuple[Table, Run]:
    """Put a run into its table; `opened` holds the tables that were copied to be added to."""
    record = entry.body
    key = table_key(record)
    if key not in tables:
        tables[key] = _new_table(key, record)
    table = replace(tables[key], stamp=entry.index)
    if entry.level in RANKED_LEVELS:
        table = replace(table, training=_training(record))
    tables[key] = table
    if key not in opened:
        opened[key] = dict(table.entrants)
    run = _run(table, entry)
    digest = record["submission"]["digest"]
    former = opened[key].get(digest)
    others = () if former is None else former.runs
    kept = tuple(r for r in others if (r.seed, r.level) != (run.seed, run.level))
    opened[key][digest] = Entrant(digest, record["submission"], (*kept, run))
    return table, run


def table_key(record: Mapping[str, Any]) -> str:
    """Return the first digits of a digest of what `assay.board.group_records` groups by."""
    track, digests = record["track"], record["digests"]
    parts = (track["seal"], digests["pool"], digests.get("suite_data", ""), track["sealed"])
    named = [track["name"], track["scale"], *parts]
    return digest_json(named).removeprefix("sha256:")[:KEY_DIGITS]


def _new_table(key: str, record: Mapping[str, Any]) -> Table:
    track, digests = record["track"], record["digests"]
    kept = {name: digests[name] for name in ("recipe", "suite", "pool", "suite_data", "tokenizer")
            if name in digests}  # fmt: skip
    return Table(
        key=key,
        track=track["name"],
        scale=track["scale"],
        version=track["version"],
        modality=track["modality"],
        sealed=track["sealed"],
        digests={"seal": track["seal"], **kept},
        training=_training(record),
        tasks=tuple(record["metrics"].get("tasks", {})),
        entrants={},
        stamp=-1,
    )


def _training(record: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in record["training"].items() if name != "final_loss"}


def _run(table: Table, entry: Entry) -> Run:
    record = entry.body
    metrics = record["metrics"]
    names = [metric.name for metric in table.metrics]
    tasks = metrics.get("tasks", {})
    # A record with other tasks than the table's first one cannot be: the seal covers the suite.
    rows = [[tasks[task][TASK_METRICS[name]] for name in names] for task in table.tasks]
    numbers = [[math.nan if value is None else value for value in row] for row in rows]
    return Run(
        index=entry.index,
        time=entry.time,
        level=entry.level,
        digest=record["digest"],
        seed=record["seed"],
        values=tuple(float(metrics[name]) for name in names),
        tasks=np.array(numbers, dtype=np.float64).reshape(len(table.tasks), len(names)),
        compressed=zlib.compress(canonical_json(record), 1),
    )


def _note(notices: dict[str, tuple[Notice, ...]], entry: Entry) -> None:
    body = entry.body
    text = body["text"] if entry.kind == "objection" else body["reason"]
    notice = Notice(entry.kind, entry.index, entry.time, text, body.get("by", ""))
    notices[body["target"]] = (*notices.get(body["target"], ()), notice)
