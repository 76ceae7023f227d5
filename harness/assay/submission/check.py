"""The rules that need the pool: S1 (size), S2 (every id is known), S3 (weights), S4 (budget)."""

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from assay.errors import SubmissionError
from assay.pool import AnyPool, ImageTextPool
from assay.pool.uid import uids_to_hex
from assay.submission.entries import MAX_REPORTED, assemble
from assay.submission.form import PPM, Finding, Submission, Unit
from assay.submission.locate import Located, locate
from assay.submission.manifest import Manifest, examine_manifest, sidecar_path
from assay.submission.read import read_entries
from assay.track.spec import Budget, Rules

MAX_STAGE_COPIES = 16
"""A staged list may have so many entries for every candidate of the pool."""


@dataclass(frozen=True)
class Report:
    """What validation found.

    Attributes:
        submission: The canonical form, or None where the file could not be read.
        counts: What the budget counts, `tokens` or `samples`.
        unique: Different examples over all stages.
        shown: Tokens (without end-of-text tokens) or samples that one pass over every stage shows.
        repeats: How often the run sees its most repeated example.
        findings: In the order of the rules.
    """

    submission: Submission | None
    counts: Literal["tokens", "samples"]
    unique: int | None
    shown: int | None
    repeats: int | None
    findings: tuple[Finding, ...]

    @property
    def ok(self) -> bool:
        """Whether the submission is accepted."""
        return self.refusal is None

    @property
    def refusal(self) -> Finding | None:
        """The first finding that refuses the submission."""
        return next((f for f in self.findings if f.severity == "error"), None)

    def plain(self) -> dict[str, Any]:
        """Return the document of `assay validate --json`."""
        submission = self.submission
        return {
            "ok": self.ok,
            "digest": submission and submission.digest,
            "form": submission and submission.form,
            "unit": submission and submission.unit,
            "n": submission and submission.n,
            "unique": self.unique,
            self.counts: self.shown,
            "repeats": self.repeats,
            "findings": [finding.plain() for finding in self.findings],
        }


def validate_file(
    path: Path,
    pool: AnyPool,
    rules: Rules,
    budget: Budget,
    unit: Unit | None = None,
) -> Report:
    """Check a file and its manifest against every rule; nothing is raised for what they hold.

    Args:
        path: The list; its manifest, if there is one, lies beside it.
        pool: The candidates.
        rules: What the track accepts.
        budget: What a run may see.
        unit: What chunk ids count; None takes the manifest's word.
    """
    manifest, findings = Manifest(), []
    try:
        if sidecar_path(path).is_file():
            manifest, findings = examine_manifest(sidecar_path(path))
        entries = read_entries(path, max_entries(pool))
        submission, repeated = assemble(entries, unit or manifest.unit)
    except SubmissionError as error:
        refusal = Finding(error.rule, error.message, error.row)
        return Report(None, budget.unit, None, None, None, (refusal, *findings))
    findings = [*repeated, *findings, *_manifest_fits(manifest, submission, pool)]
    return validate(submission, pool, rules, budget, findings)


def max_entries(pool: AnyPool) -> int:
    """Return how many entries a file over this pool can have: every chunk, in several stages."""
    chunks = 0 if isinstance(pool, ImageTextPool) else pool.num_tokens // 128
    return MAX_STAGE_COPIES * (pool.n + chunks)


def validate(
    submission: Submission,
    pool: AnyPool,
    rules: Rules,
    budget: Budget,
    findings: Iterable[Finding] = (),
) -> Report:
    """Check a submission in canonical form.

    Args:
        submission: What `read_submission` returned or a strategy made.
        pool: The candidates.
        rules: What the track accepts.
        budget: What a run may see.
        findings: Earlier findings, which go into the report too.
    """
    located = [locate(stage, submission.unit, pool) for stage in submission.stages]
    unique, seen = _times_seen(submission, located, budget)
    repeats = int(seen.max(initial=0))
    found = [
        *findings,
        *_check_forms(submission, rules),
        *_check_size(submission, pool),
        *_check_known(submission, located, pool),
        *_check_weights(submission, rules),
        *_check_steps(submission, budget.steps),
        *_check_budget(submission, located, rules, budget, repeats),
    ]
    shown = sum(
        int((part.shown * stage.repeats).sum())
        for stage, part in zip(submission.stages, located, strict=True)
    )
    found.sort(key=lambda finding: (finding.severity, finding.rule))
    return Report(submission, budget.unit, unique, shown, repeats, tuple(found))


def _passes(share_ppm: int, one_pass: int, budget: Budget) -> int:
    """Return how many passes over a stage start within its share of the budget."""
    return -(-share_ppm * budget.amount // (PPM * one_pass)) if one_pass else 0


def _one_pass(part: Located, repeats: NDArray[np.uint32]) -> int:
    """Return what one pass over a stage takes from the budget."""
    return int((part.cost * repeats).sum())


def _times_seen(
    submission: Submission, located: list[Located], budget: Budget
) -> tuple[int, NDArray[np.int64]]:
    """Return the number of different examples, and how often the run sees each of them."""
    keys, times = [], []
    for stage, part in zip(submission.stages, located, strict=True):
        passes = _passes(stage.share_ppm, _one_pass(part, stage.repeats), budget)
        known = part.rows >= 0
        keys.append(part.keys[known])
        times.append(stage.repeats[known].astype(np.int64) * passes)
    if len(keys) == 1:
        return len(keys[0]), times[0]
    unique, of_entry = np.unique(np.concatenate(keys), return_inverse=True)
    seen = np.zeros(len(unique), dtype=np.int64)
    np.add.at(seen, of_entry, np.concatenate(times))
    return len(unique), seen


def _check_forms(submission: Submission, rules: Rules) -> list[Finding]:
    findings = []
    if submission.unit not in rules.units:
        problem = f"ids name {submission.unit}; this track takes {', '.join(rules.units)}"
        findings.append(Finding("S1", problem))
    if submission.form not in rules.forms:
        problem = f"the list has form {submission.form}; this track takes {', '.join(rules.forms)}"
        findings.append(Finding("S3", problem))
    return findings


def _check_size(submission: Submission, pool: AnyPool) -> list[Finding]:
    whole = submission.unit == "document"
    largest = pool.n if isinstance(pool, ImageTextPool) or whole else pool.num_tokens
    longest = max(len(stage.uids) for stage in submission.stages)
    if longest <= largest:
        return []
    return [
        Finding("S1", f"{longest:,} different ids, but pool {pool.name} has {pool.n:,} examples")
    ]


def _check_known(submission: Submission, located: list[Located], pool: AnyPool) -> list[Finding]:
    """List the first unknown ids, in the order of the file."""
    unknown: list[tuple[int, str]] = []
    total = 0
    for stage, part in zip(submission.stages, located, strict=True):
        entries = np.flatnonzero(part.rows < 0)
        total += len(entries)
        if stage.file_rows is not None:
            entries = entries[np.argsort(stage.file_rows[entries], kind="stable")]
        for entry in entries[:MAX_REPORTED]:
            (uid,) = uids_to_hex(stage.uids[entry : entry + 1])
            name = uid if stage.chunks is None else f"{uid}#{stage.chunks[entry]}"
            unknown.append((stage.file_row(entry), name))
    return [
        Finding(
            "S2",
            f"id {name} is not in pool {pool.name} ({total:,} of {submission.n:,} are not); make the "
            "list from this pool: assay select",
            row,
        )
        for row, name in sorted(unknown)[:MAX_REPORTED]
    ]


def _check_weights(submission: Submission, rules: Rules) -> list[Finding]:
    findings = []
    for stage in submission.stages:
        for entry in np.flatnonzero(stage.repeats > rules.max_repeats)[:MAX_REPORTED]:
            problem = (
                f"repeats {stage.repeats[entry]} is over this track's cap of {rules.max_repeats}"
            )
            findings.append(Finding("S3", problem, stage.file_row(entry)))
    return findings[:MAX_REPORTED]


def _check_steps(submission: Submission, steps: int) -> list[Finding]:
    """Refuse stages whose share of the budget is less than the step that it ends in."""
    findings: list[Finding] = []
    before = shares = 0
    for number, stage in enumerate(submission.stages):
        shares += stage.share_ppm
        last = steps * shares // PPM  # as training cuts them
        if last == before:
            problem = (
                f"stage {number} has a share of {stage.share_ppm / PPM:g}, which is no whole step of the "
                f"run's {steps:,}; give it at least {1 / steps:.6f}, or leave it out"
            )
            findings.append(Finding("S4", problem))
        before = last
    return findings


def _check_budget(
    submission: Submission,
    located: list[Located],
    rules: Rules,
    budget: Budget,
    repeats: int,
) -> list[Finding]:
    """Compare one pass over every stage with its share of the budget."""
    findings = []
    stages = list(zip(submission.stages, located, strict=True))
    empty = sum(int(((part.rows >= 0) & (part.shown == 0)).sum()) for _, part in stages)
    if empty:
        problem = f"{empty:,} listed documents have no tokens; training leaves them out"
        findings.append(Finding("S4", problem, severity="note"))
    passes = [_one_pass(part, stage.repeats) for stage, part in stages]
    if not all(passes):
        whose = "the list" if len(stages) == 1 else f"stage {passes.index(0)}"
        problem = f"{whose} has no {budget.unit} that this pool knows; there is nothing to train on"
        return [*findings, Finding("S4", problem)]
    for number, ((stage, _), one_pass) in enumerate(zip(stages, passes, strict=True)):
        tenths = 1000 * stage.share_ppm * budget.amount // (PPM * one_pass)
        if tenths < 1000:
            whose = "the budget" if len(stages) == 1 else f"stage {number}'s share of the budget"
            problem = f"{whose} covers {tenths / 10} % of one pass; the run sees a drawn part"
            findings.append(Finding("S4", problem, severity="note"))
    if repeats <= 1:
        return findings
    sums = " + ".join(f"{one_pass:,}" for one_pass in passes)
    ends = " with their ends" if budget.unit == "tokens" else ""
    fact = (
        f"repeats {repeats} times: one pass is {sums} {budget.unit}{ends}, the budget "
        f"{budget.amount:,}"
    )
    if submission.form != "ids":
        fact += "; that is how often the run sees its most repeated example"
    if repeats <= rules.max_repeats:
        return [*findings, Finding("S4", fact, severity="note")]
    floor = -(-budget.amount // rules.max_repeats)
    advice = f"this track allows {rules.max_repeats}: select at least {floor:,} {budget.unit}"
    if submission.form != "ids":
        advice += ", lower the weights, or let stages share less"
    return [*findings, Finding("S4", f"{fact}; {advice}")]


def _manifest_fits(manifest: Manifest, submission: Submission, pool: AnyPool) -> list[Finding]:
    """Check that a manifest written by a program describes this list and this pool."""
    findings = []
    if manifest.digest not in (None, submission.digest):
        problem = (
            f"the manifest describes another list ({manifest.digest[:23]}..., this one is "
            f"{submission.digest[:23]}...); select again, or delete its keys `digest` and `strategy`"
        )
        findings.append(Finding("M1", problem))
    root = (manifest.strategy or {}).get("pool_root")
    if root not in (None, pool.root):
        problem = f"the list was made from another pool than {pool.name} (root {str(root)[:23]}...)"
        findings.append(Finding("S2", problem, severity="note"))
    return findings
