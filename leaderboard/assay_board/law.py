"""The tracks that a server scores: loaded once, because the law does not change while it runs."""

import threading
from functools import cached_property
from typing import Any

from assay.errors import UserError
from assay.home import package_folder
from assay.pool import AnyPool, pool_path
from assay.spec import load_yaml, parse
from assay.submission.check import max_entries
from assay.track.costs import Costs
from assay.track.load import LoadedScale, list_scales, load
from assay.track.pools import open_pool
from assay_board.building import PoolBuilder
from assay_board.problems import ProblemError, not_found

BYTES_PER_ENTRY = 128
SLACK_BYTES = 1 << 16


class Law:
    """Loaded tracks and open pools."""

    def __init__(self, max_upload_bytes: int, build_up_to: int):
        """Read every track; pools are opened when they are first asked for.

        Args:
            max_upload_bytes: Of a list, whatever the scale.
            build_up_to: Embedded pools of so many examples are built when they are first asked for.
        """
        self._max_upload_bytes = max_upload_bytes
        self._build_up_to = build_up_to
        self._scales = {pair: load(*pair) for pair in list_scales()}
        self._pools: dict[tuple[str, str], AnyPool] = {}
        self._builder = PoolBuilder()
        self._opening = {pair: threading.Lock() for pair in self._scales}
        path = package_folder("conf") / "costs.yaml"
        self._costs = parse(Costs, load_yaml(path), str(path))

    def scale(self, track: str, scale: str) -> LoadedScale:
        """Return a track at a scale.

        Raises:
            ProblemError: If there is none of that name here.
        """
        found = self._scales.get((track, scale))
        if found is None:
            known = ", ".join("/".join(pair) for pair in self._scales)
            raise not_found(f"track and scale {track[:60]!r}/{scale[:60]!r}; here are {known}")
        return found

    def pool(self, loaded: LoadedScale) -> AnyPool:
        """Open a scale's pool; where it is absent and embedded, begin to build it.

        Raises:
            ProblemError: 503, if the pool is not on this machine; with a time to ask again, if it is being built.
        """
        key = (loaded.track, loaded.scale)
        with self._opening[key]:
            if key not in self._pools:
                if not self._available(loaded):
                    detail = f"{loaded.label} cannot be scored here: its pool is not on this server"
                    raise ProblemError(503, detail, "S2")
                if not self._built(loaded):
                    raise self._builder.wait_for(loaded)
                self._pools[key] = open_pool(loaded)
            return self._pools[key]

    def built_pool(self, track: str, scale: str) -> AnyPool | None:
        """Return the pool of a scale if it is on this machine; never build one.

        Raises:
            UserError: If it does not verify.
        """
        loaded = self._scales.get((track, scale))
        return self.pool(loaded) if loaded is not None and self._built(loaded) else None

    def close(self) -> None:
        """End the build that is under way; the next one goes on with it."""
        self._builder.stop()

    def open_built_pools(self) -> None:
        """Open the pools that are on this machine, before anybody waits for one.

        Raises:
            UserError: If one of them does not verify.
        """
        for pair in self._scales:
            self.built_pool(*pair)

    def _available(self, loaded: LoadedScale) -> bool:
        """Whether a pool is here, or small enough to be built for whoever asks."""
        size = loaded.spec.pool.size
        return self._built(loaded) or (size is not None and size <= self._build_up_to)

    @staticmethod
    def _built(loaded: LoadedScale) -> bool:
        return (pool_path(loaded.spec.pool.name) / "pool.json").is_file()

    @cached_property
    def expected_seconds(self) -> dict[str, float]:
        """How long a run was measured to take somewhere, by seal, of those that somebody measured."""
        found = {
            loaded.seal: self._costs.expect(loaded.modality, loaded.scale).seconds
            for loaded in self._scales.values()
        }
        return {seal: seconds for seal, seconds in found.items() if seconds is not None}

    def tracks(self) -> list[dict[str, Any]]:
        """Return what `GET /v1/tracks` lists."""
        return [self._about(loaded) for loaded in self._scales.values()]

    def _about(self, loaded: LoadedScale) -> dict[str, Any]:
        budget, ref = loaded.recipe.budget, loaded.spec.pool
        expected = self._costs.expect(loaded.modality, loaded.scale)
        return {
            "track": loaded.track,
            "scale": loaded.scale,
            "label": loaded.label,
            "modality": loaded.modality,
            "budget": {"unit": budget.unit, "amount": budget.amount, "steps": budget.steps},
            "pool": {
                "name": ref.name,
                "root": ref.root,
                "size": ref.size,
                "available": self._available(loaded),
            },
            "suite": {"name": loaded.suite.name, "version": loaded.suite.version},
            "rules": {
                "forms": list(loaded.rules.forms),
                "units": list(loaded.rules.units),
                "max_repeats": loaded.rules.max_repeats,
            },
            "seal": loaded.seal,
            "sealed": loaded.sealed,
            "expected_seconds": expected.seconds,
            "max_list_bytes": self._cap(loaded),
        }

    def _cap(self, loaded: LoadedScale) -> int:
        """Return the largest list that a scale takes."""
        if not self._built(loaded):
            return self._max_upload_bytes
        try:
            entries = max_entries(self.pool(loaded))
        except UserError:  # a pool that does not verify; who asks for it is told
            return self._max_upload_bytes
        return min(self._max_upload_bytes, SLACK_BYTES + BYTES_PER_ENTRY * entries)
