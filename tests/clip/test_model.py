"""A checkpoint is open_clip's: its weights, its tokenizer, its transform."""

from pathlib import Path

import open_clip
import pytest
import torch
from PIL import Image

from assay.clip.images import eval_transform
from assay.clip.model import build_model, load_checkpoint, save_checkpoint
from assay.clip.tokenizer import Tokenize
from assay.home import package_folder
from assay.track.clip_spec import CaptionTokenizer
from assay.track.load import load_scale_file
from tiny_clip import CONV, VIT, tiny_clip_recipe

CAPTIONS = ["A photo of two striped RED stars", "", "naïve “quotes” 🙂", "word " * 40]


def saved(pairs, folder: Path, image):
    _, track = pairs
    recipe = tiny_clip_recipe(image, (track / "tokenizer.json").read_bytes())
    tokenize = Tokenize(recipe.tokenizer, recipe.model.text.context_length, track)
    network = build_model(recipe.model, seed=3).eval()
    save_checkpoint(network, recipe.model, recipe.preprocess, tokenize, folder)
    return recipe, tokenize, network


@pytest.mark.parametrize("image", [VIT, CONV], ids=["vit", "conv"])
def test_a_checkpoint_loads_in_plain_open_clip(pairs, tmp_path, image):
    recipe, tokenize, network = saved(pairs, tmp_path, image)
    theirs, _, transform = open_clip.create_model_and_transforms(f"local-dir:{tmp_path}")
    tokenizer = open_clip.get_tokenizer(f"local-dir:{tmp_path}")
    assert type(theirs) is open_clip.model.CLIP
    tokens = tokenizer(CAPTIONS)
    assert torch.equal(tokens, tokenize(CAPTIONS))
    picture = Image.linear_gradient("L").resize((50, 40)).convert("RGB")
    pixels = transform(picture)
    assert torch.equal(pixels, eval_transform(recipe.preprocess, 32)(picture))
    with torch.no_grad():
        for ours, other in zip(
            network(pixels[None], tokens), theirs.eval()(pixels[None], tokens), strict=True
        ):
            assert torch.allclose(ours, other, atol=1e-6)


def test_our_own_loading_gives_the_same_network(pairs, tmp_path):
    _, tokenize, network = saved(pairs, tmp_path, CONV)
    loaded = load_checkpoint(tmp_path, "cpu")
    tokens = tokenize(CAPTIONS)
    with torch.no_grad():
        assert torch.equal(network.encode_text(tokens), loaded.encode_text(tokens))
    assert not loaded.training


def test_the_published_tokenizer_is_open_clips(tmp_path):
    path = package_folder("tracks") / "clip" / "scales" / "small.yaml"
    sealed = load_scale_file(path, "clip").recipe.tokenizer
    assert isinstance(sealed, CaptionTokenizer)
    ours = Tokenize(sealed, 77, tmp_path)
    assert torch.equal(ours(CAPTIONS), open_clip.get_tokenizer("ViT-B-32")(CAPTIONS))
