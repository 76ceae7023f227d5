"""Boards that were computed once: a page never ranks ten thousand rows while its reader waits."""

import threading
from collections.abc import Mapping
from typing import Any

from assay.stats.noise import Noise
from assay_board.pages.ranking import measure
from assay_board.pages.snapshot import Snapshot, Table
from assay_board.pages.views.board import Board, build_board, counted

LARGE = 300
"""Tables with more submissions are ranked again in the background; until then the former board is shown."""


class BoardCache:
    """Boards and task noise by table, each for the newest state of the ledger that was asked for.

    Attributes:
        built: How many boards were computed so far: what pages show has not changed while this has not, and
            the ledger neither.
    """

    def __init__(self) -> None:
        self.built = 0
        self._lock = threading.Lock()
        self._building: dict[str, threading.Lock] = {}
        self._boards: dict[str, tuple[tuple[int, int], Board]] = {}
        self._noise: dict[str, tuple[Board, list[tuple[Noise, Noise]]]] = {}

    def board(self, snapshot: Snapshot, table: Table) -> Board:
        """Return a table's board; of a large one perhaps a former state, which says its own size."""
        stamp = (table.stamp, snapshot.noticed)
        known = self._boards.get(table.key)
        if known is not None and known[0] == stamp:
            return known[1]
        if known is not None and len(table.entrants) > LARGE:
            if not self._lock_of(table).locked():
                threading.Thread(target=self._build, args=(snapshot, table), daemon=True).start()
            return known[1]
        return self._build(snapshot, table)

    def is_settled(self, snapshot: Snapshot) -> bool:
        """Whether every board would be shown in its present state."""
        for table in snapshot.tables.values():
            known = self._boards.get(table.key)
            former = known is not None and known[0] != (table.stamp, snapshot.noticed)
            if former and len(table.entrants) > LARGE:
                return False
        return True

    def task_noise(self, board: Board) -> list[tuple[Noise, Noise]]:
        """Return the noise of each task over the ranked rows, for both primary metrics."""
        known = self._noise.get(board.table.key)
        if known is None or known[0] is not board:
            known = board, task_noise(board)
            self._noise[board.table.key] = known
        return known[1]

    def _build(self, snapshot: Snapshot, table: Table) -> Board:
        stamp = (table.stamp, snapshot.noticed)
        with self._lock_of(table):
            known = self._boards.get(table.key)
            if known is None or known[0] != stamp:
                known = stamp, build_board(snapshot, table)
                self._boards[table.key] = known
                with self._lock:
                    self.built += 1
            return known[1]

    def _lock_of(self, table: Table) -> threading.Lock:
        with self._lock:
            return self._building.setdefault(table.key, threading.Lock())


def task_noise(board: Board) -> list[tuple[Noise, Noise]]:
    """Return the noise of each task, over the runs that count of ranked submissions."""
    runs: Mapping[str, Any] = {
        e.digest: found
        for e in board.table.entrants.values()
        for state, found, _ in [counted(board.snapshot, e)]
        if state == "ranked"
    }
    names = list(runs)
    return [
        (
            measure(names, [[run.tasks[t, 0] for run in found] for found in runs.values()]).noise,
            measure(names, [[run.tasks[t, 1] for run in found] for found in runs.values()]).noise,
        )
        for t in range(len(board.table.tasks))
    ]
