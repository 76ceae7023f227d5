"""The first level: the record, the law that it names, and every artifact that it points at."""

import json
from pathlib import Path
from typing import Any

from assay.canonical import digest_bytes, digest_file, digest_json
from assay.errors import LedgerError
from assay.ledger import (
    Entry,
    Ledger,
    Standing,
    entry_path,
    ledger_folder,
    ledger_standing,
    machine_ledger,
    read_entry,
    standing,
)
from assay.ledger.entry import content_digest
from assay.ledger.layout import HEAD_FILE
from assay.record import record_digest, result_digest
from assay.runner.modalities import input_digests, prepare
from assay.runner.plan import PLAN_FILE, read_plan
from assay.runner.scoring import OUTPUTS_FILE
from assay.runner.training import CHECKPOINT
from assay.seeds import derive_seed, epoch_digest, epoch_seed
from assay.spec import plain
from assay.suite.clip.embedded import EMBEDDED_CLIP_SUITE
from assay.suite.embedded import EMBEDDED_SUITE
from assay.train.checkpoint import weights_file
from assay.verify.case import EPOCH_FILE, Case
from assay.verify.report import AbsentError, DiffersError, PendingError, short

MAX_SEEDS = 1000
"""A seed is looked for among so many of its submission's first."""


def check_record(case: Case) -> str:
    """Compare a record's two digests with its content, and with its entry where it is in the ledger."""
    record = case.record
    for name, digest in (("digest", record_digest), ("result_digest", result_digest)):
        found = digest(record)
        if found != record[name]:
            raise DiffersError(
                f"{name} is {short(record[name])}, its content's {short(found)}: edited"
            )
    if case.path.absolute().is_relative_to(ledger_folder()):
        try:
            entry = read_entry(case.path)
        except LedgerError as error:
            raise DiffersError(str(error)) from None
        if case.path.absolute() != entry_path(ledger_folder(), entry.index):
            raise DiffersError(f"{case.path} holds entry {entry.index}, which belongs elsewhere")
    return f"{short(record['digest'])}, result {short(record['result_digest'])}"


def check_track(case: Case) -> str:
    """Find the law that the record names, in the same version."""
    track, loaded = case.record["track"], case.loaded
    if track["version"] != loaded.spec.version:
        software = case.record["software"].get("assay")
        raise AbsentError(
            f"the record is of version {track['version']}, this installation has {loaded.label}; verify it "
            f"with assay {software}"
        )
    _compare("modality", track["modality"], loaded.modality)
    return loaded.label


def check_recipe(case: Case) -> str:
    """Compare the recipe with today's, and budget and steps with the recipe's."""
    recipe, training = case.loaded.recipe, case.record["training"]
    _compare_digest("recipe", case.digests["recipe"], digest_json(plain(recipe)))
    _compare("steps", training["steps"], recipe.budget.steps)
    seen = f"{recipe.budget.unit}_seen"
    _compare(seen, training.get(seen), recipe.budget.amount)
    return f"{recipe.budget.steps:,} steps, {recipe.budget.amount:,} {recipe.budget.unit}"


def check_suite(case: Case) -> str:
    """Compare the suite with today's."""
    suite = case.loaded.suite
    _compare_digest("suite", case.digests["suite"], digest_json(plain(suite)))
    return f"{suite.name}@{suite.version}, {len(suite.tasks)} tasks"


def check_pool(case: Case) -> str:
    """Compare the pool's root with that of the pool on this machine."""
    _compare_digest("pool", case.digests["pool"], case.pool.root)
    _compare("pool_n", case.record["submission"]["pool_n"], case.pool.n)
    return f"{case.pool.name}, {case.pool.n:,} candidates (to re-read its bytes: assay pool verify)"


def check_seal(case: Case) -> str:
    """Compare the whole law with today's, recipe, suite, pool and rules together."""
    track, loaded = case.record["track"], case.loaded
    if track["seal"] != loaded.seal:
        raise DiffersError(
            f"seal {short(track['seal'])} in the record, {short(loaded.seal)} today; what recipe and suite "
            "leave open are the rules, the pool's name and items_per_task"
        )
    if track["sealed"] and not loaded.sealed:
        raise DiffersError(
            "the record says that this law was sealed; no seal of it is recorded here"
        )
    return short(loaded.seal) + ("" if track["sealed"] else ", made without a recorded seal")


def check_inputs(case: Case) -> str:
    """Compare the tokenizer or the evaluation files with the record's digests of them."""
    loaded = case.loaded
    embedded = loaded.suite.name in (EMBEDDED_SUITE, EMBEDDED_CLIP_SUITE)
    if not embedded and not loaded.suite_folder.is_dir():
        raise AbsentError(f"the suite's files in {loaded.suite_folder} are not on this machine")
    prepare(loaded)
    found = input_digests(loaded, case.pool)
    for name, digest in found.items():
        _compare_digest(name, case.digests.get(name), digest)
    return f"the suite's files and {', '.join(found)}"


def check_submission(case: Case) -> str:
    """Compare digest, rows and sizes of the id list that was kept, and hold it against the rules."""
    claimed, report = case.record["submission"], case.report
    _compare_digest("submission", claimed["digest"], case.submission.digest)
    if refusal := report.refusal:
        raise DiffersError(f"breaks rule {refusal.rule}: {refusal.message}")
    assert report.shown, "a submission without errors shows something"
    found: dict[str, Any] = {
        "form": case.submission.form,
        "unit": case.submission.unit,
        "n": case.submission.n,
        "unique": report.unique,
        report.counts: report.shown,
        "repeats": round(case.loaded.recipe.budget.amount / report.shown, 4),
    }
    for name, value in found.items():
        _compare(name, claimed.get(name), value)
    _compare_digest("selection", case.digests["selection"], case.selection.digest)
    return f"{short(case.submission.digest)}, {case.submission.n:,} ids; selection of rows as well"


def check_seed(case: Case) -> str:
    """Check that the harness derived the seed, or a leaderboard drew it: nobody gets to choose one."""
    seed, digest = case.record["seed"], case.record["submission"]["digest"]
    label = case.loaded.label
    if "seed_source" in case.record:
        return _check_drawn(case, seed, digest, label)
    number = next((i for i in range(MAX_SEEDS) if derive_seed(digest, label, i) == seed), None)
    if number is None:
        raise DiffersError(f"{seed} is none of the first {MAX_SEEDS:,} seeds of this submission")
    return f"{seed} is number {number + 1} of this submission"


def _check_drawn(case: Case, seed: int, digest: str, label: str) -> str:
    """Compute a leaderboard's seed again; that takes the key, which it publishes when an epoch has ended."""
    match case.record["seed_source"]:
        case {"epoch": str(epoch), "index": int(index)} if 0 <= index < MAX_SEEDS:
            pass
        case other:
            raise DiffersError(f"seed_source is {other!r:.80}, not an epoch and an index")
    told = f"{seed} is said to be number {index + 1} of epoch {short(epoch)}"
    said, where = _standing_of(case)
    known = said.epochs.get(epoch)
    if known is None:
        raise AbsentError(
            f"{told}, of which {where} says nothing; verify the entry in a copy of the leaderboard's ledger"
        )
    if known.key is None:
        raise PendingError(
            f"{told}, committed to at {known.committed}; its key is not published yet, and only that gives the "
            "seed again"
        )
    key = bytes.fromhex(known.key)
    if epoch_digest(key) != epoch:
        raise DiffersError(f"{told}, but the key published for that epoch is another")
    if epoch_seed(key, digest, label, index) != seed:
        raise DiffersError(f"{told}; its key gives {epoch_seed(key, digest, label, index)}")
    return f"{seed} is number {index + 1} of epoch {short(epoch)}, whose key was published at {known.revealed}"


def _standing_of(case: Case) -> tuple[Standing, str]:
    """Return what is said of epochs, and by whom."""
    if case.fetched is not None:
        return standing(_served_entries(case.artifact(EPOCH_FILE))), "the server"
    book = _ledger_of(case)
    return ledger_standing(book), f"the ledger in {book.folder}"


def _served_entries(path: Path) -> list[Entry]:
    """Read entries that came without their ledger; whose key signed them, only their reader knows."""
    try:
        entries = [Entry(**values) for values in json.loads(path.read_bytes())["items"]]
        for entry in entries:
            entry.check()
        intact = all(e.digest == content_digest(e.plain()) and e.is_signed for e in entries)
    except (ValueError, TypeError, KeyError, AttributeError, RecursionError, LedgerError):
        intact, entries = False, []
    if not intact:
        raise DiffersError("what the server says of the seed's epoch is no signed entry")
    return entries


def _ledger_of(case: Case) -> Ledger:
    """Return the ledger that the record's file is an entry of, or else this machine's."""
    around = (folder for folder in case.path.absolute().parents if (folder / HEAD_FILE).is_file())
    folder = next(around, None)
    return machine_ledger() if folder is None else Ledger(folder)


def check_plan(case: Case) -> str:
    """Compare the plan in the run's folder with the record."""
    case.artifact(PLAN_FILE)
    try:
        plan, _ = read_plan(case.folder)
    except (ValueError, KeyError, TypeError):
        raise DiffersError(f"{case.folder / PLAN_FILE} is no plan of a run") from None
    record = case.record
    _compare("seed", record["seed"], plan.seed)
    _compare("track", record["track"]["name"], plan.track)
    _compare("scale", record["track"]["scale"], plan.scale)
    _compare_digest("submission", record["submission"]["digest"], plan.submission)
    _compare_digest("run", case.digests["run"], plan.key)
    return f"run {case.folder.name} was planned with this seed and submission"


def check_trace(case: Case) -> str:
    """Compare the trace of losses with its digest, its length and the last loss."""
    trace = case.trace
    found = digest_bytes(trace.astype("<f4").tobytes())
    _compare_digest("trace", case.digests["trace"], found)
    _compare("steps", case.record["training"]["steps"], len(trace))
    _compare("final_loss", case.record["training"]["final_loss"], float(trace[-1]))
    return f"{len(trace):,} losses"


def check_weights(case: Case) -> str:
    """Compare the checkpoint's weights with their digest."""
    weights = weights_file(case.artifact(CHECKPOINT))
    if weights is None:
        raise AbsentError(f"{case.folder / CHECKPOINT} holds no weights")
    _compare_digest("checkpoint", case.digests["checkpoint"], digest_file(weights))
    return weights.name


def check_outputs(case: Case) -> str:
    """Compare the per-item outputs' file with its digest."""
    found = digest_file(case.artifact(OUTPUTS_FILE))
    _compare_digest("outputs", case.digests["outputs"], found)
    return OUTPUTS_FILE


def _compare(name: str, claimed: Any, found: Any) -> None:
    if claimed != found or type(claimed) is not type(found):
        raise DiffersError(f"{name} is {claimed!r} in the record, {found!r} here")


def _compare_digest(name: str, claimed: Any, found: str) -> None:
    if claimed != found:
        said = "missing" if claimed is None else short(str(claimed))
        raise DiffersError(f"{name} is {said} in the record, {short(found)} here")
