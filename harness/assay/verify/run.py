"""All checks of a record, in order; one that needs another which did not pass is not made."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from assay.verify.case import Case
from assay.verify.digests import (
    check_inputs,
    check_outputs,
    check_plan,
    check_pool,
    check_recipe,
    check_record,
    check_seal,
    check_seed,
    check_submission,
    check_suite,
    check_trace,
    check_track,
    check_weights,
)
from assay.verify.outputs import check_complete, check_evaluation, check_metrics
from assay.verify.replay import check_full, check_prefix
from assay.verify.report import AbsentError, Check, Level, Verification, make_check

Rerun = Literal["prefix", "full"]

LAW = ("track", "recipe", "suite", "pool", "seal", "inputs")


@dataclass(frozen=True)
class _Step:
    """A check to make.

    Attributes:
        level: To which it belongs.
        name: One word.
        find: Makes it; see `make_check`.
        needs: Names of checks that must have passed before.
    """

    level: Level
    name: str
    find: Callable[[Case], str]
    needs: tuple[str, ...] = ()


STEPS = (
    _Step("digests", "record", check_record),
    _Step("digests", "track", check_track),
    _Step("digests", "recipe", check_recipe, ("track",)),
    _Step("digests", "suite", check_suite, ("track",)),
    _Step("digests", "pool", check_pool, ("track",)),
    _Step("digests", "seal", check_seal, ("track",)),
    _Step("digests", "inputs", check_inputs, ("track", "suite", "pool")),
    _Step("digests", "submission", check_submission, ("track", "recipe", "pool")),
    _Step("digests", "seed", check_seed, ("track",)),
    _Step("digests", "trace", check_trace),
    _Step("digests", "outputs", check_outputs),
    _Step("metrics", "complete", check_complete, ("track", "suite")),
    _Step("metrics", "metrics", check_metrics, ("complete",)),
    _Step("checkpoint", "plan", check_plan),
    _Step("checkpoint", "weights", check_weights),
    _Step(
        "checkpoint",
        "evaluation",
        check_evaluation,
        ("track", "recipe", "suite", "pool", "inputs", "weights", "complete"),
    ),
)
REPLAYS = {
    "prefix": _Step("replay", "prefix", check_prefix, (*LAW, "submission", "trace")),
    "full": _Step("replay", "full", check_full, (*LAW, "submission")),
}


def verify_record(
    record: dict[str, Any],
    path: Path,
    *,
    rerun: Rerun | None = None,
    given: Path | None = None,
    fetched: Path | None = None,
) -> Verification:
    """Check a record against the law, its artifacts and, where asked, a replay of its training.

    Args:
        record: As `find_record` returns it.
        path: Its file.
        rerun: `prefix` trains the first steps again, `full` the whole run; None neither.
        given: The id list, where the run's folder is not on this machine.
        fetched: The folder that `fetch_record` filled, to take for the run's folder.
    """
    case = Case(record, path, given, fetched)
    steps = (*STEPS, REPLAYS[rerun]) if rerun else STEPS
    made: dict[str, Check] = {}
    for step in steps:
        made[step.name] = make_check(step.level, step.name, _with_needs(step, case, made))
    track = record["track"]
    return Verification(
        record=record["digest"],
        label=f"{track['name']}/{track['scale']}@{track['version']}",
        seed=record["seed"],
        rerun=rerun,
        checks=tuple(made.values()),
    )


def _with_needs(step: _Step, case: Case, made: dict[str, Check]) -> Callable[[], str]:
    """Return the check, or what says why it cannot be made."""
    lacking = next((made[name] for name in step.needs if made[name].status != "ok"), None)

    def find() -> str:
        if lacking is not None:
            raise AbsentError(f"needs check {lacking.name!r}, which {_outcome(lacking)}")
        return step.find(case)

    return find


def _outcome(check: Check) -> str:
    return "failed" if check.status == "failed" else "could not be made"
