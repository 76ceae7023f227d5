"""The first 20 steps of the small recipes, compared with committed numbers: code is sealed by behaviour.

Losses agree to a tolerance on every machine, not to the bit: another processor may round differently.
`make golden` records them again.
"""

import json
import os
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from assay.foundry.scenes import ScenesSource
from assay.foundry.source import FoundrySource
from assay.home import package_folder
from assay.pool import build_image_text_pool, build_pool
from assay.runner.modalities import build_modality
from assay.selection import select_rows
from assay.settings import Settings
from assay.submission import submission_of
from assay.track.load import LoadedScale, load
from assay.train.loop import train

STEPS = 20
FOLDER = Path(__file__).parents[1] / "golden"
TOLERANCE = {"text": 2e-3, "clip": 1e-2}
"""Relative; batch norms carry a difference in rounding further within twenty steps."""
SETTINGS = Settings(device="cpu", progress=False)


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("ASSAY_HOME", str(tmp_path))
    return tmp_path


def first_losses(loaded: LoadedScale, home: Path) -> list[float]:
    """Take the first steps on 400 generated examples.

    Order and schedule are the sealed recipe's own; only the number of steps taken is smaller.
    """
    if loaded.modality == "clip":
        pool = build_image_text_pool([ScenesSource(400)], home / "pool", name="golden")
    else:
        tokenizer = package_folder("tracks") / "text" / "tokenizer.json"
        source = FoundrySource(400)
        pool = build_pool([source], home / "pool", name="golden", tokenizer=tokenizer)
    selection = select_rows(submission_of(pool.uids), pool)
    folder = home / "run"
    modality = build_modality(loaded, pool, selection, seed=7, settings=SETTINGS, folder=folder)
    trained = train(modality, seed=7, folder=folder, settings=SETTINGS, last_step=STEPS)
    return [round(float(loss), 5) for loss in trained.trace[:STEPS]]


def stored_losses(track: str) -> dict[str, Any]:
    path = FOLDER / f"{track}.json"
    return json.loads(path.read_text()) if path.is_file() else {}


@pytest.mark.parametrize("track", ["text", "clip"])
@pytest.mark.parametrize("scale", ["pico", "nano", "micro"])
def test_the_first_steps_of_a_sealed_recipe_are_what_they_were(
    track: str, scale: str, home: Path
) -> None:
    losses = first_losses(load(track, scale), home)
    stored = stored_losses(track)
    if os.environ.get("ASSAY_RECORD_GOLDEN"):
        FOLDER.mkdir(exist_ok=True)
        text = json.dumps(stored | {scale: losses}, indent=1, sort_keys=True) + "\n"
        (FOLDER / f"{track}.json").write_text(text)
        return
    np.testing.assert_allclose(losses, stored[scale], rtol=TOLERANCE[track])


@pytest.mark.parametrize(("track", "rate"), [("text", "muon_lr"), ("clip", "lr")])
def test_a_changed_recipe_has_another_trace(track: str, rate: str, home: Path) -> None:
    loaded = load(track, "pico")
    optimizer = loaded.recipe.optimizer
    faster = replace(optimizer, **{rate: getattr(optimizer, rate) * 1.2})
    recipe: Any = replace(loaded.recipe, optimizer=faster)
    spec: Any = replace(loaded.spec, recipe=recipe)
    losses = first_losses(replace(loaded, spec=spec), home)
    with pytest.raises(AssertionError):
        np.testing.assert_allclose(losses, stored_losses(track)["pico"], rtol=TOLERANCE[track])
