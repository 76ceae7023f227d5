"""`assay worker`: run what a leaderboard asks for, on this machine or through a cluster."""

import argparse
import os
import signal
import socket
import threading
from typing import Any

from assay.cli import add_common
from assay.cli.output import emit

TAKES_OVERRIDES = True

TOKEN_VARIABLE = "ASSAY_WORKER_TOKEN"

EXAMPLES = f"""examples:
  assay worker --server https://board.example.org --token assay_...
  assay worker --server $BOARD --take text/nano --take clip threads=2
  assay worker --server $BOARD executor=slurm executor.partition=gpu executor.slots=16
  assay worker --server $BOARD executor=ray executor.address=auto
  assay worker --server $BOARD --once --json

The server's operator makes the token: assay board token create --scope work. Where {TOKEN_VARIABLE} holds it,
it does not show in this machine's list of processes. Ctrl-C or SIGTERM hands the runs back, which uses no
attempt up; a worker that is killed loses them to others after a while, and an attempt with each. Either way
nothing that was trained is lost here: run folders stay, and the same run goes on from its last checkpoint.

trailing key=value words are Hydra overrides of conf/ (how to run here); none can reach a sealed value
"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the options."""
    parser.epilog = EXAMPLES
    parser.add_argument("--server", required=True, help="URL of the leaderboard")
    parser.add_argument("--token", help=f"of scope work; default: ${TOKEN_VARIABLE}")
    parser.add_argument(
        "--take",
        action="append",
        default=[],
        metavar="TRACK[/SCALE]",
        help="take only these runs; may be given several times. Default: whatever has its pool here, and on a "
        "CPU only what was measured on one",
    )
    parser.add_argument("--name", help="as the leaderboard shows it; default: host and process")
    parser.add_argument(
        "--once", action="store_true", help="take one run and end; end at once where there is none"
    )
    add_common(parser)


def run(args: argparse.Namespace) -> int:
    """Work until stopped."""
    from assay.errors import SettingsError
    from assay.home import assay_home
    from assay.remote.capabilities import describe_worker
    from assay.remote.client import Client, warn_in_the_clear
    from assay.remote.executors import make_executor
    from assay.remote.worker import Worker
    from assay.settings import compose
    from assay.train.device import resolve_device

    settings = compose(args.overrides, clusters=True)
    # Taken out: the processes of runs inherit the rest, and need no token.
    token = args.token or os.environ.pop(TOKEN_VARIABLE, None)
    if not token:
        raise SettingsError(
            f"no token: give --token or set {TOKEN_VARIABLE}; the server's operator makes one with: assay board "
            "token create --scope work"
        )
    if settings.executor.kind == "local":
        device = resolve_device(settings)
    else:
        device = "cuda" if settings.executor.gpus else "cpu"
    stopping = threading.Event()
    with Client(args.server, token, sleep=stopping.wait) as client:
        warn_in_the_clear(client.url)
        worker = Worker(
            client,
            make_executor(settings, assay_home() / "jobs" / "cluster"),
            settings,
            name=args.name or f"{socket.gethostname()}-{os.getpid()}",
            capabilities=describe_worker(client, device, args.take),
            stopping=stopping,
        )
        _stop_on_signals(stopping)
        return _work(args, worker)


def _work(args: argparse.Namespace, worker: Any) -> int:
    from assay.console import say

    if args.once:
        done = worker.run_once()
        told = {None: "nothing to do", True: "one run is done", False: "the run failed; see above"}
        emit(args, {"ok": done is not False, "ran": done is not None}, lambda: told[done])
        return 1 if done is False else 0
    say(f"waiting for runs from {args.server}; Ctrl-C stops")
    worker.run()
    emit(args, {"ok": True}, lambda: "stopped; runs that had not ended were given back")
    return 0


def _stop_on_signals(stopping: threading.Event) -> None:
    """Stop in good order at the first signal, and as ever at the second."""

    def stop(number: int, _: Any) -> None:
        stopping.set()
        signal.signal(number, signal.SIG_DFL)

    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, stop)
