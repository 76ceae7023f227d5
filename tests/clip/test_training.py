"""What a CLIP score may not depend on, and that a step is open_clip's own."""

from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import open_clip
import pytest
import torch

from assay.clip.contrastive import contrastive_backward
from assay.clip.data import PairBatch
from assay.clip.modality import ClipModality
from assay.clip.model import build_model, model_config
from assay.errors import TrackError
from assay.home import package_folder
from assay.settings import Settings
from assay.track.load import load_scale_file
from assay.train.checkpoint import RESUME_FILE
from assay.train.device import build_accelerator
from assay.train.loop import train
from assay.train.optim import build_optimizers
from tiny_clip import BATCH, CONV, STEPS, VIT, tiny_clip_recipe

QUIET = Settings(device="cpu", progress=False, checkpoint_seconds=0.0)


class KilledError(Exception):
    pass


def run(pairs, selection, folder, *, image=VIT, settings=QUIET, kill_at=None, seed=5, **changes):
    pool, track = pairs
    folder.mkdir(exist_ok=True)
    recipe = tiny_clip_recipe(image, (track / "tokenizer.json").read_bytes(), **changes)
    modality = ClipModality(
        pool, selection, recipe, seed=seed, settings=settings, track_folder=track, run_folder=folder
    )
    if kill_at is not None:
        backward = modality.backward

        def dying(model, step, accelerator):
            if step == kill_at:
                raise KilledError
            return backward(model, step, accelerator)

        modality.backward = dying
    return train(modality, seed=seed, folder=folder, settings=settings)


def open_clip_arguments(model):
    config = model_config(model)
    return config | {
        "vision_cfg": open_clip.model.CLIPVisionCfg(**config["vision_cfg"]),
        "text_cfg": open_clip.model.CLIPTextCfg(**config["text_cfg"]),
    }


@pytest.mark.parametrize("image", [VIT, CONV], ids=["vit", "conv"])
@pytest.mark.parametrize("part", [2, 4])
def test_micro_batches_change_nothing_but_rounding(pairs, everything, tmp_path, image, part):
    whole = run(pairs, everything, tmp_path / "whole", image=image)
    settings = replace(QUIET, micro_batch=BATCH // part)
    parts = run(pairs, everything, tmp_path / "parts", image=image, settings=settings)
    assert whole.trace == pytest.approx(parts.trace, rel=2e-3)
    assert whole.trace[:3] == pytest.approx(parts.trace[:3], rel=1e-5)
    for name, tensor in whole.model.state_dict().items():
        assert torch.allclose(tensor, parts.model.state_dict()[name], atol=2e-2), name


def test_a_batch_norm_sees_one_group_at_a_time():
    recipe = tiny_clip_recipe(CONV, tokenizer=b"x")
    size = recipe.model.image.image_size
    images = torch.randn(8, 3, size, size, generator=torch.Generator().manual_seed(0))
    grouped = build_model(recipe.model, seed=7).visual.train()
    # open_clip's own network knows no groups: it is given one group after the other.
    network = open_clip.model.CLIP(**open_clip_arguments(recipe.model))
    network.load_state_dict(build_model(recipe.model, seed=7).state_dict())
    plain = network.visual.train()
    assert torch.allclose(
        grouped(images), torch.cat([plain(g) for g in images.split(4)]), atol=1e-5
    )
    for name, buffer in plain.named_buffers():
        assert torch.allclose(dict(grouped.named_buffers())[name], buffer, atol=1e-5), name
    assert torch.allclose(grouped.eval()(images[:3]), grouped(images)[:3], atol=1e-6)


@pytest.mark.parametrize("image", [VIT, CONV], ids=["vit", "conv"])
def test_the_same_run_twice_has_the_same_bits(pairs, everything, tmp_path, image):
    one = run(pairs, everything, tmp_path / "one", image=image)
    two = run(pairs, everything, tmp_path / "two", image=image)
    assert one.trace_digest == two.trace_digest
    for name, tensor in one.model.state_dict().items():
        assert torch.equal(tensor, two.model.state_dict()[name]), name


@pytest.mark.parametrize("image", [VIT, CONV], ids=["vit", "conv"])
@pytest.mark.parametrize("kill_at", [1, 7, STEPS - 1])
def test_resuming_equals_never_having_stopped(pairs, everything, tmp_path, image, kill_at):
    whole = run(pairs, everything, tmp_path / "whole", image=image)
    with pytest.raises(KilledError):
        run(pairs, everything, tmp_path / "killed", image=image, kill_at=kill_at)
    assert (tmp_path / "killed" / RESUME_FILE).is_file()
    resumed = run(pairs, everything, tmp_path / "killed", image=image)
    assert resumed.trace_digest == whole.trace_digest
    for name, tensor in whole.model.state_dict().items():
        assert torch.equal(tensor, resumed.model.state_dict()[name]), name


@pytest.mark.parametrize("kill_at", [4, 5, 6])
def test_resuming_at_the_border_of_two_stages_equals_never_having_stopped(
    pairs, in_stages, tmp_path, kill_at
):
    whole = run(pairs, in_stages, tmp_path / "whole")
    with pytest.raises(KilledError):
        run(pairs, in_stages, tmp_path / "killed", kill_at=kill_at)
    assert run(pairs, in_stages, tmp_path / "killed").trace_digest == whole.trace_digest


def test_the_loss_falls_below_that_of_guessing(pairs, everything, tmp_path):
    trained = run(pairs, everything, tmp_path, samples_seen=BATCH * 120)
    assert trained.trace[-10:].mean() < 0.85 * np.log(BATCH)


def random_batch(recipe, seed: int = 0) -> PairBatch:
    generator = torch.Generator().manual_seed(seed)
    images = torch.randn(BATCH, 3, 32, 32, generator=generator)
    tokens = torch.randint(2, 500, (BATCH, 16), generator=generator)
    tokens[:, 0], tokens[:, -1] = 1, 511
    return PairBatch(images, tokens)


def test_three_steps_are_those_of_open_clips_trainer(tmp_path):
    """The same weights, batches and learning rates, through `open_clip_train.train.train_one_epoch`."""
    from open_clip_train.train import train_one_epoch

    recipe = tiny_clip_recipe(tokenizer=b"x")
    theirs, ours = (build_model(recipe.model, seed=1).train() for _ in range(2))
    theirs.output_dict = True
    batches = [random_batch(recipe, seed) for seed in range(3)]
    rate = 1e-3

    def optimizer(network):
        excluded = [p for p in network.parameters() if p.ndim < 2]
        rest = [p for p in network.parameters() if p.ndim >= 2]
        groups = [{"params": excluded, "weight_decay": 0.0}, {"params": rest, "weight_decay": 0.2}]
        return torch.optim.AdamW(groups, lr=rate, betas=(0.9, 0.98), eps=1e-6)

    loader = [(batch.images, batch.tokens) for batch in batches]
    info = SimpleNamespace(
        set_epoch=lambda epoch: None, dataloader=SizedLoader(loader, BATCH), sampler=None
    )
    args = SimpleNamespace(
        device="cpu", precision="fp32", distill=False, accum_freq=1, skip_scheduler=True, batch_size=BATCH,
        world_size=1, rank=0, local_rank=0, log_every_n_steps=100, wandb=False, tensorboard=False,
        grad_clip_norm=None, horovod=False, save_logs=False, distributed=False,
    )  # fmt: skip
    loss = open_clip.loss.ClipLoss()
    train_one_epoch(
        theirs, {"train": info}, loss, 0, optimizer(theirs), None, lambda step: None, None, args
    )

    settings = replace(tiny_clip_recipe().optimizer, lr=rate, beta2=0.98, weight_decay=0.2)
    modality = SimpleNamespace(optimizer=settings)
    accelerator = build_accelerator(QUIET, "fp32")
    (adamw,) = build_optimizers(modality, ours)  # type: ignore[arg-type]
    for batch in batches:
        halves = [PairBatch(batch.images[i : i + 8], batch.tokens[i : i + 8]) for i in (0, 8)]
        contrastive_backward(ours, halves, accelerator)
        adamw.step()
        adamw.zero_grad()
        ClipModality.after_step(SimpleNamespace(recipe=recipe), ours)  # type: ignore[arg-type]
    for (name, one), other in zip(theirs.named_parameters(), ours.parameters(), strict=True):
        difference = (one - other).detach().abs()
        if name.endswith("in_proj_bias"):
            # Keys' biases cancel in the softmax: their gradient is rounding, which Adam blows up.
            difference[32:64] = 0
        assert difference.max() < 1e-6, name


class SizedLoader(list):
    """What open_clip's trainer asks of a data loader."""

    def __init__(self, batches, batch_size):
        super().__init__(batches)
        self.num_batches = len(batches)
        self.num_samples = len(batches) * batch_size


def test_the_temperature_stays_in_its_bounds():
    recipe = tiny_clip_recipe(tokenizer=b"x")
    network = build_model(recipe.model, seed=1)
    modality = SimpleNamespace(recipe=recipe)
    for start, end in ((9.0, np.log(100.0)), (-1.0, 0.0), (2.0, 2.0)):
        with torch.no_grad():
            network.logit_scale.fill_(start)
        ClipModality.after_step(modality, network)  # type: ignore[arg-type]
        assert network.logit_scale.item() == pytest.approx(end)


def test_initialisation_follows_from_the_seed_alone():
    recipe = tiny_clip_recipe(CONV, tokenizer=b"x")
    torch.manual_seed(0)
    one = build_model(recipe.model, seed=7).state_dict()
    torch.manual_seed(99)
    two, other = (build_model(recipe.model, seed=s).state_dict() for s in (7, 8))
    assert all(torch.equal(tensor, two[name]) for name, tensor in one.items())
    assert not all(torch.equal(tensor, other[name]) for name, tensor in one.items())


def test_a_model_of_another_size_than_sealed_is_refused():
    recipe = tiny_clip_recipe(tokenizer=b"x")
    with pytest.raises(TrackError, match="num_parameters says 7"):
        build_model(replace(recipe.model, num_parameters=7), seed=0)
    grouped = replace(recipe.model, image=replace(VIT, norm_group=4))
    with pytest.raises(TrackError, match="no batch norms"):
        build_model(grouped, seed=0)


@pytest.mark.parametrize(
    ("scale", "name"),
    [("small", "ViT-B-32"), ("medium", "ViT-B-32"), ("large", "ViT-B-16"), ("xlarge", "ViT-L-14")],
)
def test_published_scales_have_open_clips_models(scale, name):
    path = package_folder("tracks") / "clip" / "scales" / f"{scale}.yaml"
    recipe = load_scale_file(path, "clip").recipe
    ours, theirs = model_config(recipe.model), open_clip.get_model_config(name)
    assert ours["embed_dim"] == theirs["embed_dim"]
    assert theirs["vision_cfg"].items() <= ours["vision_cfg"].items()
    assert theirs["text_cfg"].items() <= ours["text_cfg"].items()
    assert np.exp(ours["init_logit_scale"]) == pytest.approx(1 / 0.07)
