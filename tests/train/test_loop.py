"""The promises of the training loop, kept on a model of some thousand weights."""

import json
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from assay.errors import TrainingError
from assay.selection import Selection, select_rows
from assay.settings import Settings
from assay.submission import submission_of
from assay.text.modality import TextModality
from assay.track.spec import Recipe
from assay.train.checkpoint import RESUME_FILE
from assay.train.device import build_accelerator
from assay.train.loop import Trained, train
from tiny import STEPS, build_tiny_pool, tiny_recipe

QUIET = Settings(device="cpu", progress=False, checkpoint_seconds=0.0)


@pytest.fixture(scope="module")
def chosen(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("ASSAY_HOME", str(tmp_path_factory.mktemp("home")))
        pool = build_tiny_pool()
        yield pool, select_rows(submission_of(pool.uids[::2]), pool)


class KilledError(Exception):
    pass


def run(
    chosen: tuple, folder: Path, *, seed: int = 5, settings: Settings = QUIET, recipe: Recipe | None = None,
    kill_at: int | None = None,
) -> Trained:  # fmt: skip
    pool, selection = chosen
    modality = TextModality(
        pool, selection, recipe or tiny_recipe(), seed=seed, micro_batch=settings.micro_batch
    )
    if kill_at is not None:
        backward = modality.backward

        def dying(model, step, accelerator):
            if step == kill_at:
                raise KilledError
            return backward(model, step, accelerator)

        modality.backward = dying
    return train(modality, seed=seed, folder=folder, settings=settings)


def weights(trained: Trained) -> dict[str, torch.Tensor]:
    return trained.model.state_dict()


def test_the_same_run_twice_has_the_same_bits(chosen, tmp_path) -> None:
    one, two = run(chosen, tmp_path / "a"), run(chosen, tmp_path / "b")
    assert one.trace_digest == two.trace_digest
    assert all(torch.equal(weights(one)[k], weights(two)[k]) for k in weights(one))
    assert run(chosen, tmp_path / "c", seed=6).trace_digest != one.trace_digest


def test_the_loss_falls(chosen, tmp_path) -> None:
    trace = run(chosen, tmp_path).trace
    assert len(trace) == STEPS
    assert trace[-4:].mean() < trace[:4].mean() - 0.5


@pytest.mark.parametrize("optimizer", ["muon", "adamw"])
@pytest.mark.parametrize("kill_at", [1, 9, 20, 23])
def test_resuming_equals_never_having_stopped(
    chosen, tmp_path, kill_at: int, optimizer: str
) -> None:
    recipe = tiny_recipe()
    recipe = replace(recipe, optimizer=replace(recipe.optimizer, name=optimizer))
    whole = run(chosen, tmp_path / "whole", recipe=recipe)
    with pytest.raises(KilledError):
        run(chosen, tmp_path / "killed", recipe=recipe, kill_at=kill_at)
    assert (tmp_path / "killed" / RESUME_FILE).is_file()
    resumed = run(chosen, tmp_path / "killed", recipe=recipe)
    assert resumed.trace_digest == whole.trace_digest
    assert all(torch.equal(weights(resumed)[k], weights(whole)[k]) for k in weights(whole))
    lines = (tmp_path / "killed" / "metrics.jsonl").read_text().splitlines()
    steps = [json.loads(line)["step"] for line in lines]
    assert steps == list(range(STEPS))


@pytest.mark.parametrize("micro_batch", [1, 3, 4])
def test_micro_batches_change_nothing_but_rounding(chosen, tmp_path, micro_batch: int) -> None:
    whole = run(chosen, tmp_path / "whole")
    split = run(chosen, tmp_path / "split", settings=replace(QUIET, micro_batch=micro_batch))
    np.testing.assert_allclose(split.trace, whole.trace, rtol=2e-3)
    np.testing.assert_allclose(split.trace[0], whole.trace[0], rtol=1e-6)


def test_the_number_of_tokens_is_exact(chosen, tmp_path) -> None:
    pool, selection = chosen
    modality = TextModality(pool, selection, tiny_recipe(), seed=1, micro_batch=3)
    seen = 0

    class Counting(torch.nn.Module):
        def forward(self, input_ids, use_cache):
            nonlocal seen
            seen += input_ids.numel()
            return type(
                "Out", (), {"logits": torch.zeros(*input_ids.shape, 512, requires_grad=True)}
            )

    for step in range(modality.steps):
        loss = modality.backward(Counting(), step, build_accelerator(QUIET, "fp32"))
        assert float(loss) == pytest.approx(np.log(512), rel=1e-5)
    assert seen == tiny_recipe().tokens_seen


def test_the_z_loss_is_added(chosen, tmp_path) -> None:
    plain = run(chosen, tmp_path / "a").trace[0]
    with_z = run(chosen, tmp_path / "b", recipe=tiny_recipe(z_loss=0.01)).trace[0]
    assert with_z == pytest.approx(plain + 0.01 * np.log(512) ** 2, rel=0.02)


def test_a_loss_that_is_not_finite_stops_the_run(chosen, tmp_path) -> None:
    recipe = tiny_recipe()
    recipe = replace(recipe, optimizer=replace(recipe.optimizer, lr=1e30, muon_lr=1e30))
    with pytest.raises(TrainingError, match="diverged"):
        run(chosen, tmp_path, recipe=recipe)


def test_averaging_lowers_the_seed_noise_by_taking_the_mean_of_the_last_weights(
    chosen, tmp_path
) -> None:
    last = run(chosen, tmp_path / "a", recipe=tiny_recipe(average_last_frac=0.0))
    averaged = run(chosen, tmp_path / "b", recipe=tiny_recipe(average_last_frac=0.5))
    assert last.trace_digest == averaged.trace_digest
    assert any(not torch.equal(weights(last)[k], weights(averaged)[k]) for k in weights(last))


def test_the_selection_decides_what_is_seen(chosen, tmp_path) -> None:
    pool, selection = chosen
    other = Selection(selection.stages, "sha256:other", 0)
    assert (
        run((pool, other), tmp_path / "a").trace_digest != run(chosen, tmp_path / "b").trace_digest
    )
