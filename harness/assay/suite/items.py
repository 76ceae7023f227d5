"""Items: one JSON object a line, checked when they are sealed and again when they are read."""

import json
import re
from collections.abc import Callable, Sequence
from typing import Any

from assay.canonical import canonical_json, digest_bytes
from assay.errors import SuiteError
from assay.suite.spec import Form

Item = dict[str, Any]
"""An item of any form; see `assay.suite.spec.Form` for the keys."""

_TASK_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]{0,99}")


def items_to_bytes(items: Sequence[Item]) -> bytes:
    """Return the item file's bytes: canonical JSON, a line each.

    Raises:
        SuiteError: If a text holds half of a surrogate pair, which no file can.
    """
    try:
        return b"".join(canonical_json(item) + b"\n" for item in items)
    except UnicodeEncodeError as error:
        near = str(error.object)[max(0, error.start - 40) : error.start]
        raise SuiteError(
            f"an item holds half of a surrogate pair after {near!r}; drop or mend it"
        ) from None


def items_from_bytes(data: bytes, digest: str, where: str, remedy: str) -> list[Item]:
    """Parse an item file after comparing its digest.

    Args:
        data: The file's bytes.
        digest: What they must hash to, `sha256:...`.
        where: The file, for messages.
        remedy: What to do about a mismatch, for the message's end.

    Raises:
        SuiteError: If the digest differs, or a line is not JSON.
    """
    if (got := digest_bytes(data)) != digest:
        raise SuiteError(f"{where}: expected {digest}, got {got}; {remedy}")
    items: list[Item] = []
    for number, line in enumerate(data.splitlines(), start=1):
        try:
            items.append(json.loads(line))
        except ValueError:
            raise SuiteError(f"{where}:{number}: not a JSON object; {remedy}") from None
    return items


def check_name(name: str, noun: str = "task") -> None:
    """Refuse a name that could not be a file name everywhere.

    Args:
        name: What a file will be called.
        noun: What has that name, for the message.

    Raises:
        SuiteError: Saying what a name may hold.
    """
    if not _TASK_NAME.fullmatch(name):
        raise SuiteError(
            f"{noun} name {name!r}: use letters, digits, '_', '-' and '.', at most 100, and rename the {noun}"
        )


def check_items(form: Form, items: Sequence[Item], where: str) -> None:
    """Refuse items that cannot be scored.

    Raises:
        SuiteError: Naming the item (counted from 0), what is wrong and what was got.
    """
    if not items:
        raise SuiteError(
            f"{where}: no items; a task needs at least one, drop the task or add items"
        )
    for number, item in enumerate(items):
        if not isinstance(item, dict) or set(item) != _KEYS[form]:
            got = sorted(item) if isinstance(item, dict) else item
            raise SuiteError(
                f"{where} item {number}: form {form!r} has the keys {sorted(_KEYS[form])}, got {got}; "
                "convert the file to one of the forms of assay/suite/spec.py"
            )
        if problem := _CHECKS[form](item):
            raise SuiteError(f"{where} item {number}: {problem}; correct or drop the item")


def _check_choice(item: Item) -> str | None:
    context = item["context"]
    if not isinstance(context, str) or (context and not context.strip()):
        return f"context must be empty or hold more than white space, got {context!r}"
    return _check_options(item, "choices")


def _check_schema(item: Item) -> str | None:
    return _check_text(item, "continuation") or _check_options(item, "contexts")


def _check_exact(item: Item) -> str | None:
    return _check_text(item, "context") or _check_text(item, "continuation")


def _check_document(item: Item) -> str | None:
    return None if isinstance(item["text"], str) and item["text"] else "text is empty"


def _check_options(item: Item, key: str) -> str | None:
    options, gold = item[key], item["gold"]
    if not isinstance(options, list) or len(options) < 2:
        return f"{key} must be a list of two or more, got {options!r}"
    if not all(isinstance(option, str) and option.strip() for option in options):
        return f"{key} must be texts that hold more than white space, got {options!r}"
    if type(gold) is not int or not 0 <= gold < len(options):
        return f"gold must be a position in {key}, 0 to {len(options) - 1}, got {gold!r}"
    return None


def _check_text(item: Item, key: str) -> str | None:
    value = item[key]
    if isinstance(value, str) and value.strip():
        return None
    return f"{key} must hold more than white space, got {value!r}"


_KEYS: dict[Form, set[str]] = {
    "choice": {"context", "choices", "gold"},
    "schema": {"contexts", "continuation", "gold"},
    "exact": {"context", "continuation"},
    "text": {"text"},
}
_CHECKS: dict[Form, Callable[[Item], str | None]] = {
    "choice": _check_choice,
    "schema": _check_schema,
    "exact": _check_exact,
    "text": _check_document,
}
