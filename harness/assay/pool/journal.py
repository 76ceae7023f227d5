"""How far a build has come: its plan, and one file for every whole shard, under `.build/`."""

import json
import shutil
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Generic, Protocol, TypeVar

import numpy as np

from assay.artifact import atomic_file, write_atomic
from assay.errors import PoolError
from assay.pool.manifest import (
    BUILD_FOLDER,
    IMAGES_FOLDER,
    SHARDS_FOLDER,
    StoredShard,
    to_json,
    truth_path,
)
from assay.spec import parse, plain

_PLAN_FILE = "plan.json"


class Plan(Protocol):
    """A build's decisions: a dataclass."""

    @property
    def fingerprint(self) -> str:
        """Digest of sources and settings."""
        ...


PlanT = TypeVar("PlanT", bound=Plan)
EntryT = TypeVar("EntryT", bound=StoredShard)


@dataclass(frozen=True)
class FinishedShard(Generic[EntryT]):
    """A shard that is whole.

    Attributes:
        entry: For the manifest.
        next_source: Number of the source that the next shard starts in.
        next_place: Place in that source.
    """

    entry: EntryT
    next_source: int
    next_place: int


class Journal(Generic[PlanT, EntryT]):
    """The state of one build.

    Attributes:
        folder: The pool.
        work: Its `.build` folder.
        fingerprint: Digest of sources and settings.
        plan: What an interrupted attempt has decided, or None.
        shards: Whole shards, in order.
        problems: What was met on the way to each of them.
    """

    def __init__(
        self, folder: Path, fingerprint: str, plan_type: type[PlanT], entry_type: type[EntryT]
    ):
        """Read what an interrupted attempt left, and clear away what it had half written.

        Raises:
            PoolError: If that attempt was at another pool, and has shards to lose.
        """
        self.folder = folder
        self.work = folder / BUILD_FOLDER
        self.fingerprint = fingerprint
        self.shards: list[FinishedShard[EntryT]] = []
        self.problems: list[Mapping[str, Any]] = []
        for file in sorted((self.work / SHARDS_FOLDER).glob("*.json"), key=lambda f: int(f.stem)):
            state = json.loads(file.read_bytes())
            shard = state["shard"]
            entry = parse(entry_type, shard["entry"], str(file))
            self.shards.append(FinishedShard(entry, shard["next_source"], shard["next_place"]))
            self.problems.append(state["problems"])
        self.plan = self._read_plan(plan_type)
        self._clear_away()

    def write_plan(self, plan: PlanT) -> None:
        """Keep the decisions for a later attempt."""
        write_atomic(self.work / _PLAN_FILE, to_json(plain(plan)))

    def finish_shard(
        self,
        shard: FinishedShard[EntryT],
        problems: Mapping[str, Any],
        places: list[tuple[int, int]],
    ) -> None:
        """Note that a shard is whole; last of all that is written for it.

        Args:
            shard: The shard.
            problems: `Tally.plain()` of what was met on the way.
            places: (source number, place in it) of each document.
        """
        with atomic_file(self.work / "places" / f"{shard.entry.name}.npy") as stream:
            np.save(stream, np.array(places, dtype=np.int64), allow_pickle=False)
        state = {"shard": plain(shard), "problems": problems}
        write_atomic(self.work / SHARDS_FOLDER / f"{shard.entry.name}.json", to_json(state))
        self.shards.append(shard)
        self.problems.append(problems)

    def place_of(self, position: int) -> tuple[int, int]:
        """Return the source number of a stored document, and its place in that source."""
        stops = np.cumsum([shard.entry.rows for shard in self.shards])
        number = int(stops.searchsorted(position, side="right"))
        entry = self.shards[number].entry
        places = np.load(
            self.work / "places" / f"{entry.name}.npy", mmap_mode="r", allow_pickle=False
        )
        source, place = places[position - (stops[number] - entry.rows)]
        return int(source), int(place)

    def truth_part(self, shard: str) -> Path:
        """Where one shard's hidden ground truth waits for the others."""
        return self.work / "truth" / f"{shard}.parquet"

    def _read_plan(self, kind: type[PlanT]) -> PlanT | None:
        path = self.work / _PLAN_FILE
        plan = parse(kind, json.loads(path.read_bytes()), str(path)) if path.is_file() else None
        if plan is None or plan.fingerprint == self.fingerprint:
            return plan
        if self.shards:
            raise PoolError(
                f"{self.folder} holds {len(self.shards)} shards of an unfinished pool, built from other "
                "sources or with other settings; repeat that command to go on, choose another folder "
                "(--out DIR), or remove this one"
            )
        return None

    def _clear_away(self) -> None:
        known = {shard.entry.name for shard in self.shards}
        for folder in (self.folder / SHARDS_FOLDER).glob("*"):
            if folder.name not in known:
                shutil.rmtree(folder)
        for images in (self.folder / IMAGES_FOLDER).glob("*"):
            if images.stem not in known:
                images.unlink()
        beside = f".{truth_path(self.folder).name}.*.tmp"
        for file in (*self.folder.glob(".*.tmp"), *self.folder.parent.glob(beside)):
            file.unlink()
