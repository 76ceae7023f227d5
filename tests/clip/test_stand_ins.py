"""Networks trained in place on little, as signals: what they return, and that it is the same again."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
import torch

from assay.clip.imgenc import _nt_xent
from assay.clip.scorer import train_scorer
from assay.clip.stand_ins import _poisoned, recall
from assay.foundry.scenes import ScenesSource, reference_scenes
from assay.pool import ImageTextPool, build_image_text_pool, pool_path
from assay.pool.uid import find
from assay.signals.build import build_signals, want
from assay.signals.clip.reference import TRIED_PAIRS, pair_reference, split_reference
from assay.signals.clip.text_in_image import TEXT_DENSITY
from assay.signals.store import StoredSignal

pytestmark = pytest.mark.slow

REFERENCE = "foundry-clip-reference-100"
OWN = {"reference": REFERENCE, "target": REFERENCE}
BROKEN = 7


class Broken(ScenesSource):
    """The generator, with one image that breaks off half-way."""

    def records(self, start: int) -> Iterator:
        for place, pair in super().records(start):
            assert isinstance(pair.image, bytes)
            image = pair.image[: len(pair.image) // 2] if place == BROKEN else pair.image
            yield place, replace(pair, image=image, columns={"broken": place == BROKEN})


def built(home: Path, name: str, **parameters) -> tuple[ImageTextPool, StoredSignal]:
    """Compute a signal under a home of its own."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("ASSAY_HOME", str(home))
        pool = build_image_text_pool([Broken(80)], pool_path("broken"), name="broken")
        wanted = want(name, pool, samples_seen=640, **parameters)
        return pool, build_signals(pool, [wanted], workers=1)[0]


@pytest.fixture(scope="module")
def home(tmp_path_factory) -> Path:
    return tmp_path_factory.mktemp("home")


@pytest.fixture(scope="module")
def refclip(home) -> tuple[ImageTextPool, StoredSignal]:
    return built(home, "refclip", **OWN)


def test_scores_are_cosines_of_embeddings_and_missing_without_an_image(refclip):
    pool, stored = refclip
    broken = pool.column("broken").to_numpy(zero_copy_only=False)
    assert broken.sum() == 1
    image, text = (stored.column(name).astype(np.float32) for name in ("ref_image", "ref_text"))
    assert np.isnan(image[broken]).all()
    assert np.linalg.norm(image[~broken], axis=1) == pytest.approx(1, abs=2e-3)
    assert np.linalg.norm(text, axis=1) == pytest.approx(1, abs=2e-3)
    score = stored.column("clip_score")
    assert np.isnan(score[broken]).all()
    assert score[~broken] == pytest.approx((image * text).sum(1)[~broken], abs=3e-3)
    assert set(stored.column("ref_temperature").tolist()) == {stored.column("ref_temperature")[0]}
    assert 0.01 < stored.column("ref_temperature")[0] < 0.2


def test_a_network_is_tried_on_pairs_that_it_did_not_learn_from(refclip, home):
    pool, stored = refclip
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("ASSAY_HOME", str(home))
        reference = pair_reference(pool, REFERENCE)
    rows, tried = split_reference(reference)
    assert len(rows) == reference.n
    assert len(tried) == TRIED_PAIRS
    held = {reference.image_bytes(row) for row in range(reference.n)}
    assert not held & {image for _, image in tried}
    (model,) = stored.models
    assert (model.trained_on, model.examples) == (reference.root, 100)
    assert (model.tried_on, model.weights[:7]) == (TRIED_PAIRS, "sha256:")
    assert model.accuracy is not None
    assert 0 <= model.accuracy <= 1


def test_a_reference_that_was_not_generated_keeps_a_tenth_from_training(refclip, home):
    pool, _ = refclip
    rows, tried = split_reference(pool)
    assert (len(rows), len(tried)) == (pool.n - pool.n // 10, pool.n // 10)
    kept = np.setdiff1d(np.arange(pool.n), rows)
    assert tried == [(pool.caption(row), pool.image_bytes(row)) for row in kept]
    _, stored = built(home, "refclip", reference="broken", target=REFERENCE)
    (model,) = stored.models
    assert (model.trained_on, model.examples, model.tried_on) == (pool.root, len(rows), len(tried))


def test_recall_is_the_share_of_images_whose_own_caption_comes_first():
    pairs = [(pair.caption, pair.image) for pair in reference_scenes(0, 3)]
    pairs.append((pairs[0][0], pairs[1][1]))
    place = {caption: number for number, (caption, _) in enumerate(pairs[:3])}
    scorer = SimpleNamespace(
        # The third image is taken for the first; the last has the caption that the first has.
        embed_images=lambda images: np.eye(3)[[0, 1, 0, 0]],
        embed_texts=lambda texts: np.eye(3)[[place[text] for text in texts]],
    )
    assert recall(scorer, pairs) == 0.75  # pyright: ignore[reportArgumentType]
    assert recall(scorer, []) is None  # pyright: ignore[reportArgumentType]


def test_only_images_with_text_are_scored_again(refclip, home):
    pool, stored = refclip
    density = built_density(pool, home)
    again = stored.column("ref_masked_score") != stored.column("clip_score")
    again &= ~np.isnan(stored.column("clip_score"))
    assert again.any()
    assert (density[again] >= TEXT_DENSITY).all()


def built_density(pool: ImageTextPool, home: Path) -> np.ndarray:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("ASSAY_HOME", str(home))
        return build_signals(pool, [want("text_density", pool)])[0].column("text_density")


def test_a_reference_image_comes_closest_to_itself_as_a_target(home, refclip):
    pool, stored = refclip
    assert (stored.column("target_similarity") < 1.0001).all()
    order = stored.column("target_norm") >= stored.column("target_similarity") - 1e-4
    assert order.all()
    _, of_itself = built(home, "refclip", reference=REFERENCE, target="broken")
    seen = ~pool.column("broken").to_numpy(zero_copy_only=False)
    assert of_itself.column("target_similarity")[seen] == pytest.approx(1, abs=1e-4)
    assert of_itself.column("target_cluster_hit")[seen].all()


@pytest.mark.parametrize(
    ("name", "parameters"),
    [("refclip", OWN), ("selfclip", {}), ("imgenc", {})],
)
def test_from_nothing_again_with_other_threads_the_same_bytes_come_out(
    home, tmp_path, name, parameters
):
    before = torch.get_num_threads()
    _, first = built(home, name, **parameters)
    assert torch.get_num_threads() == before
    torch.set_num_threads(3 - min(before, 2))
    try:
        _, again = built(tmp_path / "other", name, **parameters)
    finally:
        torch.set_num_threads(before)
    assert again.digests == first.digests
    assert again.key == first.key
    assert again.models == first.models


def test_noise_replaces_so_many_pairs_of_the_reference_and_changes_the_network(home, refclip):
    pool, clean = refclip
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("ASSAY_HOME", str(home))
        reference = pair_reference(pool, REFERENCE)
        poisoned = _poisoned(reference, np.arange(100), pool, 0.3, seed=0)
    # The broken image does not stop a pool from being built: only its header is read.
    assert poisoned.n == 100
    assert (find(pool.uids, poisoned.uids) >= 0).sum() == 30
    assert (find(reference.uids, poisoned.uids) >= 0).sum() == 70
    _, noisy = built(home, "refclip", **OWN, reference_noise=0.3)
    assert noisy.key != clean.key
    assert noisy.digests["clip_score"] != clean.digests["clip_score"]


def test_a_scorer_is_trained_once(home, capsys):
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("ASSAY_HOME", str(home))
        pool = build_image_text_pool([Broken(80)], pool_path("broken"), name="broken")
        reference = pair_reference(pool, REFERENCE)
        scorer = train_scorer(reference, np.arange(reference.n), samples_seen=640, seed=0)
    assert "training a scorer" not in capsys.readouterr().err
    assert scorer.ready
    assert scorer.cpu_seconds > 0


def test_a_signal_costs_the_training_of_its_network_whoever_did_that(home, refclip):
    _, stored = refclip
    _, other = built(home, "refclip", **OWN | {"target": "broken"})
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("ASSAY_HOME", str(home))
        pool = build_image_text_pool([Broken(80)], pool_path("broken"), name="broken")
        reference = pair_reference(pool, REFERENCE)
        scorer = train_scorer(reference, np.arange(reference.n), samples_seen=640, seed=0)
    assert stored.key != other.key
    assert stored.cpu_seconds > scorer.cpu_seconds
    assert other.cpu_seconds > scorer.cpu_seconds


def test_the_encoder_learns_which_view_belongs_to_which():
    rng = torch.Generator().manual_seed(0)
    projected = torch.randn(12, 5, generator=rng)
    unit = (projected / projected.norm(dim=1, keepdim=True)).numpy().astype(float)
    total = 0.0
    for i in range(12):
        mine = (i + 6) % 12
        others = [np.exp(unit[i] @ unit[j] / 0.2) for j in range(12) if j != i]
        total -= np.log(np.exp(unit[i] @ unit[mine] / 0.2) / sum(others))
    assert float(_nt_xent(projected)) == pytest.approx(total / 12, abs=1e-5)
