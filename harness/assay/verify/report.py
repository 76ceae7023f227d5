"""What verifying comes to: one line a check, the level reached, an exit code."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Literal

from assay.errors import TrainingError, UserError

Level = Literal["digests", "metrics", "checkpoint", "replay"]
Status = Literal["ok", "failed", "skipped", "pending"]

EXIT_CODES: dict[Level, int] = {"digests": 3, "metrics": 4, "checkpoint": 5, "replay": 6}
"""Exit code by the first level with a failed check, in the order in which levels are reached."""

INCOMPLETE = 7
"""Exit code where nothing failed, but something that was asked could not be checked here."""


class DiffersError(Exception):
    """What a check found is not what the record says."""


class AbsentError(Exception):
    """What a check needs is not on this machine."""


class PendingError(Exception):
    """What a check needs is not published yet, so that nobody can make it anywhere."""


@dataclass(frozen=True)
class Check:
    """One line of a verification.

    Attributes:
        level: To which the check belongs.
        name: One word.
        status: `ok`, `failed`, `skipped` where this machine lacks what the check needs, or `pending` where
            nobody has it yet.
        detail: What was compared and how it came out.
    """

    level: Level
    name: str
    status: Status
    detail: str


@dataclass(frozen=True)
class Verification:
    """The outcome.

    Attributes:
        record: Digest that the record gives itself.
        label: `track/scale@version`.
        seed: The record's.
        rerun: Which replay was asked, if any.
        checks: In the order in which they were made.
    """

    record: str
    label: str
    seed: int
    rerun: Literal["prefix", "full"] | None
    checks: tuple[Check, ...]

    @property
    def level(self) -> Level | None:
        """Return the last level of which, and of all before which, every check passed or is pending."""
        reached: Level | None = None
        for level in EXIT_CODES:
            statuses = {check.status for check in self.checks if check.level == level}
            if statuses - {"pending"} != {"ok"}:
                break
            reached = level
        return reached

    @property
    def exit_code(self) -> int:
        """Return 0 where all that was asked passed; else see `EXIT_CODES` and `INCOMPLETE`."""
        for level, code in EXIT_CODES.items():
            if any(c.level == level and c.status == "failed" for c in self.checks):
                return code
        made = all(c.status == "ok" for c in self.checks)
        return 0 if made else INCOMPLETE

    def plain(self) -> dict[str, Any]:
        """Return the document of `assay verify --json`."""
        return {
            "ok": self.exit_code == 0,
            "level": self.level,
            "exit_code": self.exit_code,
            "record": self.record,
            "label": self.label,
            "seed": self.seed,
            "rerun": self.rerun,
            "checks": [dict(vars(check)) for check in self.checks],
        }


def make_check(level: Level, name: str, find: Callable[[], str]) -> Check:
    """Make one check.

    Args:
        level: To which it belongs.
        name: One word.
        find: Returns the detail of a check that passed; raises `DiffersError` for one that failed (as does
            an error about the input), `AbsentError` for one that cannot be made here, `PendingError` for one
            that cannot be made anywhere yet.
    """
    try:
        return Check(level, name, "ok", _one_line(find()))
    except AbsentError as error:
        return Check(level, name, "skipped", _one_line(str(error)))
    except PendingError as error:
        return Check(level, name, "pending", _one_line(str(error)))
    except (DiffersError, UserError, TrainingError) as error:
        return Check(level, name, "failed", _one_line(str(error)))


def _one_line(detail: str) -> str:
    """Drop what a foreign record could steer a terminal with."""
    return "".join(letter if letter.isprintable() else "?" for letter in detail)


def short(digest: str) -> str:
    """Return the first digits of a digest, as tables show it."""
    return digest.removeprefix("sha256:")[:12]
