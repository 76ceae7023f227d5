"""In which scripts texts are written. Naming languages takes a trained model, which this is not."""

import re
from collections import Counter
from collections.abc import Iterable

_SCRIPTS = {
    "Latin": "A-Za-z\u00c0-\u024f\u1e00-\u1eff",
    "Greek": "\u0370-\u03ff\u1f00-\u1fff",
    "Cyrillic": "\u0400-\u052f",
    "Hebrew": "\u0590-\u05ff",
    "Arabic": "\u0600-\u06ff\u0750-\u077f",
    "Devanagari": "\u0900-\u097f",
    "Thai": "\u0e00-\u0e7f",
    "Kana": "\u3040-\u30ff",
    "Han": "\u3400-\u4dbf\u4e00-\u9fff",
    "Hangul": "\u1100-\u11ff\uac00-\ud7af",
}
_NOT = {name: re.compile(f"[^{letters}]+") for name, letters in _SCRIPTS.items()}
_ASCII = re.compile(r"[\x00-\x7f]+")
_NOT_LETTERS = re.compile(r"[\W\d_]+")

SAMPLE_CHARACTERS = 2_000
"""Looked at from the start of each text: scripts rarely change within one."""


def scripts_of(texts: Iterable[str]) -> Counter[str]:
    """Count letters by script, `other` being all that are of none of the ten known ones."""
    text = "".join(one[:SAMPLE_CHARACTERS] for one in texts)
    letters = _NOT_LETTERS.sub("", text)
    rest = _ASCII.sub("", letters)
    counts = Counter({name: len(others.sub("", rest)) for name, others in _NOT.items()})
    counts["other"] = len(rest) - counts.total()
    counts["Latin"] += len(letters) - len(rest)
    return +counts
