"""Embedded pools are built in a process of their own: no request waits, and no thread of the server loses turns."""

import multiprocessing
import signal
import sys
import threading
from multiprocessing.context import SpawnProcess

from assay.console import say
from assay.errors import UserError
from assay.track.load import LoadedScale, load
from assay.track.pools import open_pool
from assay_board.problems import ProblemError

ASK_AGAIN = 5.0
"""Seconds."""
_CONTEXT = multiprocessing.get_context("spawn")


class PoolBuilder:
    """Builds one pool at a time; whoever needs one is told to ask again."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._building: tuple[str, str] | None = None
        self._process: SpawnProcess | None = None

    def wait_for(self, loaded: LoadedScale) -> ProblemError:
        """See to it that a scale's pool is built; return what its absence is answered with until then."""
        key = (loaded.track, loaded.scale)
        with self._lock:
            if self._process is None or not self._process.is_alive():
                failed = self._process is not None and self._process.exitcode
                if failed and self._building == key:
                    # Whoever asks next has it tried once more: the disk may have been full.
                    self._building = self._process = None
                    told = "could not be built; whoever runs the server finds why in its log"
                    return ProblemError(503, f"the pool of {loaded.label} {told}")
                # Daemonic: it ends with the server, and the next attempt goes on where this one stopped.
                self._building = key
                self._process = _CONTEXT.Process(target=_build, args=key, daemon=True)
                self._process.start()
        told = "is being built, once; try again in a minute"
        return ProblemError(503, f"the pool of {loaded.label} {told}", retry_after=ASK_AGAIN)

    def stop(self) -> None:
        """End the build that is under way."""
        with self._lock:
            if self._process is not None:
                self._process.terminate()
                self._process.join()


def _build(track: str, scale: str) -> None:
    # Ctrl-C is for the server, which ends this one in good order.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    try:
        open_pool(load(track, scale))
    except (UserError, OSError) as error:
        say(f"the pool of {track}/{scale} cannot be built: {error}")
        sys.exit(1)
