"""What a list cost: with every signal and model that it rests on, whenever these were computed."""

import json
import time
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

import assay.signals.catalogue
from assay.pool import Pool, build_pool
from assay.signals.build import build_signals, want
from assay.signals.columns import Columns, Examples, PerExample, PoolInputs, TrainedModel, WholePool
from assay.signals.reading import SignalReader
from assay.strategy import load_strategy, run_strategy
from assay.strategy.load import Strategy
from assay.strategy.run import Outcome, manifest_of
from assay.submission import Manifest, manifest_bytes, read_manifest
from assay.track.spec import Budget

WORK = 0.25
"""Processor seconds of each signal."""


def work(seconds: float = WORK) -> None:
    stop = time.process_time() + seconds
    while time.process_time() < stop:
        pass


def _shared(examples: Examples) -> np.ndarray:
    work()
    return np.arange(len(examples), dtype=np.int32)


def _one(examples: Examples) -> Columns:
    return {"one": examples.once(_shared)}


def _other(examples: Examples) -> Columns:
    examples.once(_shared)
    return {"other": examples.once(_shared)}


def _inner(inputs: PoolInputs) -> Columns:
    work()
    inputs.rests_on(NETWORK)
    return {"inner": np.asarray(inputs.signal("other"))}


def _outer(inputs: PoolInputs) -> Columns:
    work()
    model = inputs.pool.path.parent / "model"  # which, once trained, is kept
    if model.exists():
        inputs.found_ready(WORK)
    else:
        work()
        model.touch()
    return {"outer": np.asarray(inputs.signal("inner")) * inputs.parameters["sign"]}


NETWORK = TrainedModel("sha256:aa", "sha256:bb", 70, accuracy=0.25, tried_on=8)
SIGNALS = (
    PerExample("one", 1, "text", ("text",), {"one": "a"}, _one),
    PerExample("other", 1, "text", ("text",), {"other": "b"}, _other),
    WholePool("inner", 1, "text", {"inner": "c"}, _inner, needs=("other",), trains=True),
    WholePool("outer", 1, "text", {"outer": "d"}, _outer, {"sign": 1}, needs=("inner",)),
)


@pytest.fixture
def pool(tmp_path: Path, monkeypatch) -> Pool:
    monkeypatch.setenv("ASSAY_HOME", str(tmp_path / "home"))
    monkeypatch.setattr(assay.signals.catalogue, "SIGNALS", SIGNALS)
    monkeypatch.setattr("os.cpu_count", lambda: 1)
    lines = [json.dumps({"text": "word " * (i + 1)}) for i in range(20)]
    (tmp_path / "d.jsonl").write_text("\n".join(lines))
    return build_pool([str(tmp_path / "d.jsonl")], tmp_path / "pool", vocab_size=300)


def outcome(pool: Pool, tmp_path: Path) -> tuple[Strategy, Outcome]:
    path = tmp_path / "mine.py"
    path.write_text(
        '"""Mine."""\n\n\ndef select(pool, *, seed: int):\n'
        '    return pool.uids[pool.signal("outer") >= 0]\n'
    )
    strategy = load_strategy(str(path), "text")
    budget = Budget(100, "tokens", 1)
    return strategy, run_strategy(strategy, pool, budget=budget, seed=0, settings={})


def cost(pool: Pool, tmp_path: Path) -> float:
    return outcome(pool, tmp_path)[1].cpu_seconds


def test_a_manifest_names_the_networks_that_signals_below_rest_on(pool, tmp_path):
    strategy, found = outcome(pool, tmp_path)
    made = manifest_of(strategy, found, pool, seed=0, settings={})
    path = tmp_path / "manifest.json"
    path.write_bytes(manifest_bytes(Manifest(**made)))
    facts = {"trained_on": "sha256:bb", "examples": 70, "accuracy": 0.25, "tried_on": 8}
    said = read_manifest(path).strategy or {}
    assert said["models"] == {"sha256:aa": facts}
    assert said["fitted"]


def test_the_second_list_costs_what_the_first_did(pool, tmp_path):
    first, second = cost(pool, tmp_path), cost(pool, tmp_path)
    assert first == pytest.approx(4 * WORK, rel=0.2)  # shared, inner, outer and its model
    assert second == pytest.approx(first, rel=0.1)


def test_a_model_that_was_kept_costs_as_if_it_were_trained(pool, tmp_path):
    first = SignalReader(pool)
    first.column("outer")
    again = SignalReader(pool)
    again.column("outer", sign=-1)
    assert (pool.path.parent / "model").exists()
    assert again.cpu_seconds == pytest.approx(first.cpu_seconds, rel=0.15)


def test_what_two_signals_share_is_charged_to_each(pool):
    one, other = build_signals(pool, [want("one", pool), want("other", pool)], workers=1)
    assert one.cpu_seconds == pytest.approx(WORK, rel=0.2)
    assert other.cpu_seconds == pytest.approx(one.cpu_seconds, rel=0.2)


def test_a_shared_thing_made_of_a_shared_thing_is_charged_whole(pool, monkeypatch):
    def outer(examples: Examples) -> np.ndarray:
        work()
        return examples.once(_shared)

    nested = replace(SIGNALS[1], name="nested", columns={"nested": "e"})
    nested = replace(nested, compute=lambda examples: {"nested": examples.once(outer)})
    last = replace(nested, name="last", columns={"last": "f"})
    last = replace(last, compute=lambda examples: {"last": examples.once(outer)})
    monkeypatch.setattr(assay.signals.catalogue, "SIGNALS", (SIGNALS[0], nested, last))
    wanted = [want(name, pool) for name in ("one", "nested", "last")]
    costs = [stored.cpu_seconds for stored in build_signals(pool, wanted, workers=1)]
    assert costs == pytest.approx([WORK, 2 * WORK, 2 * WORK], rel=0.2)
