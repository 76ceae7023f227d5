"""`assay noise`: measure what seeds do to a scale's scores, and which tasks rise above that."""

import argparse
from pathlib import Path
from typing import TYPE_CHECKING

from assay.cli import add_common
from assay.cli.output import emit

if TYPE_CHECKING:
    from assay.track.load import LoadedScale

TAKES_OVERRIDES = True

EXAMPLES = """examples:
  assay noise --track text --scale nano --seeds 10 threads=1
  assay noise --track text --scale nano --seeds 10 --submission random --submission s.npy
  assay noise --track clip --scale nano --ledger-only --csv noise.csv   # report, run nothing
  assay noise --track text --scale nano --ledger-only --mark            # mark the dead tasks in tracks/

Noise is the standard deviation over seeds, pooled over every submission that the ledger has at the scale.
Signal is what sets submissions apart:
  gap / sd        the largest difference of two means over the noise: Signal and Noise's ratio (2508.13144)
  signal / noise  standard deviation between submissions, what seeds explain taken out, over the noise
A task is dead where no submission is above chance or signal / noise is under 2; the other ratio grows with
the number of submissions alone. Signal needs submissions of graded quality, such as the baselines: assay
reproduce scores them all.
Runs that have a record are not repeated; assay plan says beforehand how long they take.
Trailing key=value words are Hydra overrides of conf/.
"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the options."""
    parser.epilog = EXAMPLES
    parser.add_argument("--track", default="text", help="default: text")
    parser.add_argument("--scale", default="nano", help="default: nano; see: assay tracks")
    parser.add_argument(
        "--seeds", type=int, default=10, help="runs of each submission; default: 10"
    )
    parser.add_argument(
        "--submission", action="append", metavar="SUB",
        help="a list of ids or a baseline's name; may be given several times; default: no_filter",
    )  # fmt: skip
    parser.add_argument(
        "--ledger-only", action="store_true", help="run nothing, report what there is"
    )
    parser.add_argument(
        "--mark", action="store_true", help="write the dead tasks into the track's noisy/SCALE.json"
    )
    parser.add_argument("--csv", type=Path, metavar="FILE", help="also write the table there")
    add_common(parser)


def run(args: argparse.Namespace) -> int:
    """Calibrate and answer."""
    from assay.errors import CompareError, SettingsError
    from assay.noise import measure_noise, read_marks, write_marks
    from assay.noise.text import noise_csv, noise_text
    from assay.spec import plain
    from assay.track.load import load

    loaded = load(args.track, args.scale)
    if args.ledger_only:
        if args.submission or args.overrides:
            word = (args.submission or args.overrides)[0]
            raise SettingsError(
                f"--ledger-only runs nothing, and {word!r} says what to run; leave one out"
            )
    else:
        _calibrate(args, loaded)
    report = measure_noise(loaded)
    if report is None:
        raise CompareError(
            f"no record at {loaded.label} to measure noise by; make some with: assay noise "
            f"--track {args.track} --scale {args.scale} --seeds 10"
        )
    if args.mark:
        write_marks(loaded, report)
    marks = read_marks(loaded)
    if args.csv is not None:
        from assay.artifact import write_atomic

        write_atomic(args.csv, noise_csv(report).encode())
    emit(args, plain(report) | {"marked": plain(marks)}, lambda: noise_text(report, marks))
    return 0


def _calibrate(args: argparse.Namespace, loaded: "LoadedScale") -> None:
    """Score every submission with every seed."""
    from assay.console import say
    from assay.errors import SettingsError
    from assay.runner.campaign import score_list, submission_list
    from assay.settings import compose

    if args.seeds < 2:
        raise SettingsError(f"--seeds {args.seeds}: noise needs two runs or more; try --seeds 10")
    settings = compose(args.overrides)
    words = list(dict.fromkeys(args.submission or ["no_filter"]))
    for number, word in enumerate(words, start=1):
        path = submission_list(loaded, word)
        say(f"submission {number} of {len(words)}: {word}")
        score_list(path, loaded, seeds=args.seeds, settings=settings)
