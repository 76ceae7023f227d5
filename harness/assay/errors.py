"""Every error that Assay raises on purpose.

    AssayError
    +-- TrainingError      a run that broke while it trained: exit code 1
    +-- UserError          bad input: one line that teaches, exit code 2
        +-- PoolError          a pool or a source that cannot be read or does not verify
        +-- SubmissionError    an id list that breaks a rule; carries the rule's stable id
        +-- TrackError         an unknown track or scale, a recipe that does not parse or match its seal
        +-- SuiteError         evaluation files that are absent or do not match their digest
        +-- SignalError        a signal that is unknown, cannot be computed here, or is damaged
        +-- StrategyError      a strategy file that cannot be loaded or returned something unusable
        +-- SettingsError      a `key=value` override that conf/ does not know
        +-- RunError           a run that cannot start or cannot be resumed as asked
        +-- RemoteError        a leaderboard that cannot be reached or refuses
        +-- CompareError       a comparison that the records or a table of results cannot answer
        +-- LedgerError        a ledger that was edited, or an entry that it cannot take

A message says what is wrong, where, what was got, and ends with the next command to try.
Broken internal invariants are `assert`s, never one of these.
"""

from typing import Any


class AssayError(Exception):
    """The root of all of them."""


class TrainingError(AssayError):
    """A run broke while it trained: a loss that is not finite, a process that died."""


class UserError(AssayError):
    """Bad input. The command line prints the message alone and exits with code 2."""


class PoolError(UserError):
    """A pool or one of its sources cannot be read or does not verify."""


class SubmissionError(UserError):
    """An id list breaks a rule.

    Attributes:
        rule: Stable rule id, `F1` to `F4`, `S1` to `S4` or `M1`.
        row: Row of the offending entry in the file as handed in, or None where no row is to blame.
    """

    def __init__(self, rule: str, message: str, row: int | None = None):
        super().__init__(f"{rule}: {message}")
        self.rule = rule
        self.row = row
        self.message = message


class TrackError(UserError):
    """A track, scale or recipe is unknown, malformed, or does not match its seal."""


class SuiteError(UserError):
    """Evaluation files are absent, malformed, or do not match their digest."""


class SignalError(UserError):
    """A signal is unknown, cannot be computed on this pool, or what is kept of it is damaged."""


class StrategyError(UserError):
    """A strategy file cannot be loaded, or returned something that is not a submission."""


class SettingsError(UserError):
    """A `key=value` override names something that conf/ does not know or cannot hold."""


class RunError(UserError):
    """A run cannot start or cannot be resumed as asked."""


class RemoteError(UserError):
    """A leaderboard cannot be reached, or refuses what was asked.

    Attributes:
        status: HTTP status of the refusal, or None where no answer came.
        findings: What it found in a submission, as `assay validate --json` lists findings.
    """

    def __init__(
        self, message: str, status: int | None = None, findings: tuple[dict[str, Any], ...] = ()
    ):
        super().__init__(message)
        self.status = status
        self.findings = findings


class CompareError(UserError):
    """The ledger or a table of results does not hold what a comparison needs."""


class LedgerError(UserError):
    """A ledger or one of its files was edited, is missing, or cannot take what was handed to it."""
