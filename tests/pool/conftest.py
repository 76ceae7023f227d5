"""Small documents, and pools built from them."""

import json
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from assay.pool import Pool, build_pool


@pytest.fixture(autouse=True)
def _home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ASSAY_HOME", str(tmp_path / "home"))
    # Threads cost more than they give on texts this small, many times more on a busy machine.
    monkeypatch.setenv("TOKENIZERS_PARALLELISM", "false")


def make_documents(count: int, seed: int = 0) -> list[dict[str, Any]]:
    """Return DCLM-like records with ids of their own."""
    draw = np.random.default_rng(seed)
    words = ["the", "cat", "sat", "über", "mat\n", "and", "日本", "ran", "a\tfar", "way."]
    return [
        {
            "text": f"Number {i}: " + " ".join(draw.choice(words, size=int(draw.integers(1, 60)))),
            "url": f"https://host{i % 3}.example.org/{i}",
            "metadata": {"WARC-Record-ID": f"<urn:uuid:{_uuid(draw)}>", "rank": i},
        }
        for i in range(count)
    ]


def _uuid(draw: np.random.Generator) -> str:
    digits = draw.bytes(16).hex()
    return "-".join((digits[:8], digits[8:12], digits[12:16], digits[16:20], digits[20:]))


def write_jsonl(path: Path, documents: Sequence[Any]) -> Path:
    """Write one JSON object a line."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("".join(json.dumps(document) + "\n" for document in documents))
    return path


@pytest.fixture
def documents() -> list[dict[str, Any]]:
    return make_documents(60)


@pytest.fixture
def build(tmp_path: Path) -> Callable[..., Pool]:
    """Build a pool from documents, by default in three or four shards."""

    def _build(documents: Sequence[Any], name: str = "small", **settings: Any) -> Pool:
        source = write_jsonl(tmp_path / f"{name}.jsonl", documents)
        settings = {"vocab_size": 300, "shard_bytes": 3000} | settings
        return build_pool([source], tmp_path / name, **settings)

    return _build
