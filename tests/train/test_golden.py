"""The first 20 steps of the small recipes, compared with committed numbers: code is sealed by behaviour.

Losses agree to a tolerance on every machine, not to the bit: another processor may round differently.
`make golden` records them again.
"""

import json
import os
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from assay.foundry.source import FoundrySource
from assay.home import package_folder
from assay.pool import build_pool
from assay.selection import select_rows
from assay.settings import Settings
from assay.submission import submission_of
from assay.text.modality import TextModality
from assay.track.load import load
from assay.train.loop import train

STEPS = 20
GOLDEN = Path(__file__).parents[1] / "golden" / "text.json"


@pytest.mark.parametrize("scale", ["pico", "nano", "micro"])
def test_the_first_steps_of_a_sealed_recipe_are_what_they_were(
    scale: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ASSAY_HOME", str(tmp_path))
    tokenizer = package_folder("tracks") / "text" / "tokenizer.json"
    pool = build_pool([FoundrySource(400)], tmp_path / "pool", name="golden", tokenizer=tokenizer)
    selection = select_rows(submission_of(pool.uids), pool)
    recipe = load("text", scale).recipe
    # Order and schedule are the sealed recipe's own; only the number of steps taken is smaller.
    modality = TextModality(pool, selection, recipe, seed=7, micro_batch=0)
    trained = train(
        modality,
        seed=7,
        folder=tmp_path / "run",
        settings=Settings(device="cpu", progress=False),
        last_step=STEPS,
    )
    losses = [round(float(loss), 5) for loss in trained.trace[:STEPS]]
    stored = json.loads(GOLDEN.read_text()) if GOLDEN.is_file() else {}
    if os.environ.get("ASSAY_RECORD_GOLDEN"):
        GOLDEN.parent.mkdir(exist_ok=True)
        GOLDEN.write_text(json.dumps(stored | {scale: losses}, indent=1, sort_keys=True) + "\n")
        return
    np.testing.assert_allclose(losses, stored[scale], rtol=2e-3)


def test_a_changed_recipe_has_another_trace(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ASSAY_HOME", str(tmp_path))
    tokenizer = package_folder("tracks") / "text" / "tokenizer.json"
    pool = build_pool([FoundrySource(400)], tmp_path / "pool", name="golden", tokenizer=tokenizer)
    selection = select_rows(submission_of(pool.uids), pool)
    recipe = load("text", "pico").recipe
    other = replace(
        recipe, optimizer=replace(recipe.optimizer, muon_lr=recipe.optimizer.muon_lr * 1.2)
    )
    modality = TextModality(pool, selection, other, seed=7, micro_batch=0)
    settings = Settings(device="cpu", progress=False)
    trace = train(modality, seed=7, folder=tmp_path / "r", settings=settings, last_step=STEPS).trace
    stored = json.loads(GOLDEN.read_text())["pico"]
    with pytest.raises(AssertionError):
        np.testing.assert_allclose(trace[:STEPS], stored, rtol=2e-3)
