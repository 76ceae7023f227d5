"""What each kind of entry may hold.

    run         the record; its level says how its numbers came about
    retraction  {target, reason, by}            a record or a submission does not count any more
    correction  {target, manifest, reason, by}  prose of a manifest was wrong; `manifest` has the changed fields
    epoch       {epoch} commits to a key of seeds by its SHA-256; {epoch, key} reveals it, in hex
    suite       {suite} commits to a hidden suite; {suite, salt, definition} reveals it
    objection   {target, text, contact}         somebody doubts a record or a submission

A target is the digest of a record or of a submission. Further fields may be there.
"""

import re
from typing import Any

from assay.canonical import canonical_json, digest_bytes
from assay.errors import LedgerError
from assay.record import record_digest, result_digest

LEVELS = ("reported", "checked", "rerun", "official")
"""Of a run: said by its maker, recomputed from its outputs, trained by the harness, trained by the operator
on fresh seeds."""
RANKED_LEVELS = ("rerun", "official")
"""Runs of the others are shown, never ranked."""
_DIGEST = re.compile(r"sha256:[0-9a-f]{64}")
_TEXTS = {
    "retraction": ("reason", "by"),
    "correction": ("reason", "by"),
    "objection": ("text", "contact"),
}
KINDS = ("run", "retraction", "correction", "epoch", "suite", "objection")


def check_body(kind: str, level: str, body: dict[str, Any]) -> None:
    """Refuse what a ledger cannot take.

    Raises:
        LedgerError: If the kind is unknown, or does not allow the level or the body.
    """
    if kind not in KINDS:
        raise LedgerError(f"{kind!r} is no kind of entry; choose from {', '.join(KINDS)}")
    allowed = LEVELS if kind == "run" else ("",)
    if level not in allowed:
        raise LedgerError(f"a {kind} cannot have level {level!r}; choose from {', '.join(allowed)}")
    if kind == "run":
        _check_run(body)
    elif kind == "epoch":
        _check_epoch(body)
    elif kind == "suite":
        _check_suite(body)
    else:
        _check_statement(kind, body)


def _check_run(record: dict[str, Any]) -> None:
    try:
        whole, result = record["digest"], record["result_digest"]
        intact = whole == record_digest(record) and result == result_digest(record)
        track, digests, clock = record["track"], record["digests"], record["clock"]
        submission = record["submission"]["digest"]
        named = (submission, track["name"], track["scale"], digests["run"], clock["finished"])
        intact = intact and all(isinstance(word, str) for word in named)
    except (KeyError, TypeError, ValueError, AttributeError):
        raise LedgerError(
            "this is no record of a run; assay score makes records and appends them itself"
        ) from None
    if not intact:
        raise LedgerError(
            f"record {whole[7:19]} was edited: its digests do not match its content; score again"
        )


def _check_epoch(body: dict[str, Any]) -> None:
    _check_digest("epoch", "epoch", body)
    if "key" not in body:
        return
    try:
        found = digest_bytes(bytes.fromhex(body["key"]))
    except (TypeError, ValueError):
        found = "not hex"
    if found != body["epoch"]:
        raise LedgerError(f"the key that is revealed is not the one of epoch {body['epoch'][7:19]}")


def suite_commitment(salt: bytes, definition: dict[str, Any]) -> str:
    """Return the digest that commits to a suite: of a salt and of `plain(suite)`."""
    return digest_bytes(salt + canonical_json(definition))


def _check_suite(body: dict[str, Any]) -> None:
    _check_digest("suite", "suite", body)
    if body.keys() <= {"suite"}:
        return
    try:
        found = suite_commitment(bytes.fromhex(body["salt"]), body["definition"])
    except (KeyError, TypeError, ValueError):
        found = "no salt and definition"
    if found != body["suite"]:
        raise LedgerError(f"what is revealed is not the suite of commitment {body['suite'][7:19]}")


def _check_statement(kind: str, body: dict[str, Any]) -> None:
    _check_digest(kind, "target", body)
    for name in _TEXTS[kind]:
        if not isinstance(body.get(name), str):
            raise LedgerError(f"a {kind} needs {name!r}, a text; it has {body.get(name)!r}")
    if kind == "correction" and not (isinstance(body.get("manifest"), dict) and body["manifest"]):
        raise LedgerError("a correction needs 'manifest', the fields that change and their values")


def _check_digest(kind: str, name: str, body: dict[str, Any]) -> None:
    value = body.get(name)
    if not (isinstance(value, str) and _DIGEST.fullmatch(value)):
        raise LedgerError(f"a {kind} needs {name!r}, sha256: and 64 hex digits; it has {value!r}")
