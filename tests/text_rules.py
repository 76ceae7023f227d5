"""Texts and datatrove's filters for the tests of the rules: given the same words and sentences as ours."""

import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest

from assay.signals.columns import Columns, Examples, PerExample
from assay.signals.text import c4

REAL = Path(__file__).parents[1] / ".." / "shared" / "data" / "text" / "pool"


def compute(signal: PerExample, texts: list[str]) -> Columns:
    """Compute a signal on texts in one batch."""
    batch = pa.RecordBatch.from_pydict({"text": texts})
    return signal.compute(Examples(None, np.arange(len(texts)), batch))  # pyright: ignore


def real_texts(count: int) -> list[str]:
    """Return the first documents of the real pool."""
    import zstandard

    texts: list[str] = []
    for path in sorted(REAL.glob("*.jsonl.zst")):
        with zstandard.open(path, "rt", encoding="utf-8") as lines:
            for line in lines:
                texts.append(json.loads(line)["text"])
                if len(texts) == count:
                    return texts
    return texts


def datatrove_filters(monkeypatch: pytest.MonkeyPatch) -> dict[str, Callable[[str], object]]:
    """Return datatrove's filters by the name of our verdict; each returns True or why not.

    Its words are NLTK's WordPunct tokens, its sentences those that our docstring defines: spaCy, its own
    choice, is a large download and has no part in the rules.
    """
    filters = pytest.importorskip("datatrove.pipeline.filters")
    from datatrove.data import Document
    from datatrove.pipeline.filters import (
        c4_filters,
        fineweb_quality_filter,
        gopher_quality_filter,
        gopher_repetition_filter,
    )
    from nltk.tokenize import wordpunct_tokenize

    for module in (fineweb_quality_filter, gopher_quality_filter, gopher_repetition_filter):
        monkeypatch.setattr(
            module, "split_into_words", lambda text, _=None: wordpunct_tokenize(text)
        )
    monkeypatch.setattr(
        c4_filters, "split_into_sentences", lambda text, _=None: c4.SENTENCE.findall(text)
    )
    made = {
        "gopher_quality_ok": filters.GopherQualityFilter(),
        "gopher_repetition_ok": filters.GopherRepetitionFilter(),
        "c4_ok": filters.C4QualityFilter(),
        "c4_unended_ok": filters.C4QualityFilter(filter_no_terminal_punct=False),
        "fineweb_ok": filters.FineWebQualityFilter(),
    }
    return {
        name: lambda text, f=f: f.filter(Document(text=text, id="x")) for name, f in made.items()
    }
