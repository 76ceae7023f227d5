"""The manifest beside a submission, `<file>.json`: who, how, with what. It never changes a score."""

import json
import math
import unicodedata
from collections.abc import Callable
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from assay.errors import SubmissionError
from assay.submission.form import UNITS, Finding, Unit

MAX_MANIFEST_BYTES = 64 << 10
MAX_SHORT, MAX_LONG, MAX_ITEMS = 200, 4000, 50
URL_SCHEMES = ("http", "https")
_ALLOWED_CONTROLS = "\n\t\u200c\u200d"


@dataclass(frozen=True)
class Manifest:
    """What a participant declares. Everything is optional; what is there is checked (rule M1).

    Attributes:
        name: Of the entry, for the board.
        authors: One name each.
        method: What was done, in the authors' words.
        code: URL of the code that made the list.
        licence: Of the list itself.
        external_data: Data that the method used besides the pool.
        external_models: Models that it used, each with its source.
        used_evaluation_data: Whether any evaluation item, or its training split, was looked at;
            None where nobody said.
        curation_seconds: Processor seconds that making the list took.
        unit: What the ids name.
        digest: Digest of the submission that this describes; None where it was written by hand.
        strategy: What `assay select` ran: name, file digest, parameters, seed, pool root, seconds.
    """

    name: str = ""
    authors: tuple[str, ...] = ()
    method: str = ""
    code: str = ""
    licence: str = ""
    external_data: tuple[str, ...] = ()
    external_models: tuple[str, ...] = ()
    used_evaluation_data: bool | None = None
    curation_seconds: float | None = None
    unit: Unit | None = None
    digest: str | None = None
    strategy: dict[str, Any] | None = None

    def plain(self) -> dict[str, Any]:
        """Return the manifest as its JSON file has it."""
        values = {field.name: getattr(self, field.name) for field in fields(self)}
        return {k: list(v) if isinstance(v, tuple) else v for k, v in values.items()}


def sidecar_path(path: Path) -> Path:
    """Return where the manifest of a submission lies: `s.npy` has `s.npy.json`.

    Raises:
        SubmissionError: F1, if the path names no file, such as `.` or `/`.
    """
    if not path.name:
        raise SubmissionError("F1", f"{path} is not a file; make one with: assay select")
    return path.with_name(path.name + ".json")


def manifest_bytes(manifest: Manifest) -> bytes:
    """Return the file that `read_manifest` accepts.

    Raises:
        SubmissionError: M1, if it would not.
    """
    checked, findings = check_manifest(manifest.plain())
    if findings:
        raise SubmissionError(findings[0].rule, findings[0].message)
    text = json.dumps(checked.plain(), indent=2, ensure_ascii=False, allow_nan=False)
    return (text + "\n").encode("utf-8")


def read_manifest(path: Path) -> Manifest:
    """Read and check a manifest.

    Raises:
        SubmissionError: M1, for the first thing that is wrong.
    """
    manifest, findings = examine_manifest(path)
    if findings:
        raise SubmissionError(findings[0].rule, findings[0].message)
    return manifest


def examine_manifest(path: Path) -> tuple[Manifest, list[Finding]]:
    """Read a manifest; return what is right in it, and an M1 finding for each key that is not."""
    if path.stat().st_size > MAX_MANIFEST_BYTES:
        problem = f"over {MAX_MANIFEST_BYTES:,} bytes; shorten it"
        return Manifest(), [Finding("M1", f"{path.name}: {problem}")]
    try:
        value = json.loads(
            path.read_bytes(), parse_constant=_no_constant, object_pairs_hook=_unique_keys
        )
        return check_manifest(value)
    except (ValueError, RecursionError) as error:
        return Manifest(), [Finding("M1", f"{path.name} is not JSON: {error}")]


def check_manifest(value: Any) -> tuple[Manifest, list[Finding]]:
    """Check plain data and bring its texts to Unicode's NFC; see `examine_manifest`."""
    if not isinstance(value, dict):
        problem = f"a manifest is a JSON object, got {type(value).__name__}"
        return Manifest(), [Finding("M1", problem)]
    checked: dict[str, Any] = {}
    findings: list[Finding] = []
    for key, item in value.items():
        if key not in _CHECKS:
            known = ", ".join(_CHECKS)
            findings.append(Finding("M1", f"unknown key {key[:60]!r}; known are {known}"))
            continue
        try:
            checked[key] = _CHECKS[key](item)
        except ValueError as error:
            findings.append(Finding("M1", f"{key}: {error}"))
    return Manifest(**checked), findings


def _no_constant(name: str) -> None:
    raise ValueError(f"{name} is no JSON number")


def _unique_keys(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    keys = [key for key, _ in pairs]
    if len(set(keys)) != len(keys):
        raise ValueError("a key is given twice")
    return dict(pairs)


def clean_text(value: Any, longest: int) -> str:
    """Return a text in NFC.

    Raises:
        ValueError: If it is no text, too long, or has control characters. New lines and tabs are
            fine, and so are the joiners that Persian and emoji need; marks that turn the direction
            of writing are not.
    """
    if not isinstance(value, str):
        raise ValueError(f"expected text, got {value!r:.60}")
    text = unicodedata.normalize("NFC", value).replace("\r\n", "\n").strip()
    if len(text) > longest:
        raise ValueError(f"at most {longest} characters, got {len(text)}")
    for character in text:
        if character not in _ALLOWED_CONTROLS and unicodedata.category(character) in (
            "Cc",
            "Cf",
            "Cs",
            "Co",
        ):
            raise ValueError(f"control character U+{ord(character):04X} is not allowed")
    return text


def _short(value: Any) -> str:
    text = clean_text(value, MAX_SHORT)
    if "\n" in text or "\t" in text:
        raise ValueError("one line, please")
    return text


def _long(value: Any) -> str:
    return clean_text(value, MAX_LONG)


def _texts(value: Any) -> tuple[str, ...]:
    if not isinstance(value, list) or len(value) > MAX_ITEMS:
        raise ValueError(f"expected a list of at most {MAX_ITEMS} texts, got {value!r:.60}")
    return tuple(_short(item) for item in value)


def _url(value: Any) -> str:
    text = _short(value)
    if not text:
        return text
    parts = urlsplit(text)
    if parts.scheme not in URL_SCHEMES or not parts.hostname or any(c.isspace() for c in text):
        raise ValueError(f"expected a URL ({' or '.join(URL_SCHEMES)}), got {text[:60]!r}")
    return text


def _yes_no(value: Any) -> bool | None:
    if value is None or isinstance(value, bool):
        return value
    raise ValueError(f"expected true or false, got {value!r:.60}")


def _seconds(value: Any) -> float | None:
    if value is None:
        return None
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise ValueError(f"expected a number, got {value!r:.60}")
    if not (0 <= value < 1e12 and math.isfinite(value)):
        raise ValueError(f"expected seconds, got {value!r:.60}")
    return float(value)


def _unit(value: Any) -> Unit | None:
    if value is not None and value not in UNITS:
        raise ValueError(f"units are {', '.join(UNITS)}, got {value!r:.60}")
    return value


def _digest(value: Any) -> str | None:
    return None if value is None else _short(value)


def _strategy(value: Any, depth: int = 0) -> Any:
    """Check a small tree of plain values."""
    if depth == 0 and value is None:
        return None
    if depth == 0 and not isinstance(value, dict):
        raise ValueError(f"expected an object, got {value!r:.60}")
    if depth > 3:
        raise ValueError("nested too deeply")
    if isinstance(value, dict):
        return {_short(key): _strategy(item, depth + 1) for key, item in value.items()}
    if isinstance(value, str):
        return clean_text(value, MAX_LONG)
    if value is None or isinstance(value, bool | int | float):
        if isinstance(value, float) and not math.isfinite(value):
            raise ValueError("numbers are finite")
        return value
    raise ValueError(f"expected plain values, got {value!r:.60}")


_CHECKS: dict[str, Callable[[Any], Any]] = {
    "name": _short,
    "authors": _texts,
    "method": _long,
    "code": _url,
    "licence": _short,
    "external_data": _texts,
    "external_models": _texts,
    "used_evaluation_data": _yes_no,
    "curation_seconds": _seconds,
    "unit": _unit,
    "digest": _digest,
    "strategy": _strategy,
}
