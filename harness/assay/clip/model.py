"""Networks as open_clip builds them, and checkpoints that plain open_clip loads."""

import json
import math
from collections.abc import Iterator
from dataclasses import asdict
from pathlib import Path
from typing import Any

import torch
from open_clip.model import CLIP, CLIPTextCfg, CLIPVisionCfg
from safetensors.torch import save_file
from torch import Tensor, nn
from torch.utils.flop_counter import FlopCounterMode

from assay.artifact import write_atomic
from assay.clip.tokenizer import Tokenize, save_tokenizer
from assay.errors import TrackError
from assay.track.clip_spec import ClipModel, Preprocess

WEIGHTS_FILE = "open_clip_model.safetensors"
CONFIG_FILE = "open_clip_config.json"


class GroupedNorm(nn.BatchNorm2d):
    """Put before a batch norm's class, lets it see a sealed number of images at a time in training.

    Its statistics would otherwise depend on how a batch is cut into micro-batches and processes. Only
    the norm is cut: convolutions take a whole batch, which is a fifth faster than group by group.

    Attributes:
        group: Images in a group.
    """

    group: int

    def forward(self, input: Tensor) -> Tensor:
        """Normalise (k, channels, H, W), each group by its own statistics."""
        if not self.training or len(input) == self.group:
            return super().forward(input)
        assert len(input) % self.group == 0, "the feed cuts batches into whole groups"
        return torch.cat([super(GroupedNorm, self).forward(g) for g in input.split(self.group)])


class ChannelsLastClip(CLIP):
    """open_clip's network; channels lie last, which convolutions are faster with."""

    def encode_image(self, image: Tensor, normalize: bool = False) -> Tensor:
        """Encode (k, 3, S, S) images as (k, embed_dim) features."""
        return super().encode_image(image.contiguous(memory_format=torch.channels_last), normalize)


def model_config(model: ClipModel) -> dict[str, Any]:
    """Return the recipe's network as open_clip's `model_cfg`."""
    image = {
        key: value
        for key, value in asdict(model.image).items()
        if value is not None and key not in ("kind", "norm_group")
    }
    return {
        "embed_dim": model.embed_dim,
        "quick_gelu": model.quick_gelu,
        "init_logit_scale": math.log(model.init_logit_scale),
        "vision_cfg": image,
        "text_cfg": asdict(model.text),
    }


def build_model(model: ClipModel, seed: int) -> ChannelsLastClip:
    """Build the network of a recipe, initialised from the seed alone.

    Raises:
        TrackError: If it has another number of parameters than the recipe says.
    """
    config = model_config(model)
    vision, text = CLIPVisionCfg(**config.pop("vision_cfg")), CLIPTextCfg(**config.pop("text_cfg"))
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        network = ChannelsLastClip(vision_cfg=vision, text_cfg=text, **config)
    network.visual.to(memory_format=torch.channels_last)  # pyright: ignore[reportCallIssue]
    count = sum(parameter.numel() for parameter in network.parameters())
    if count != model.num_parameters:
        raise TrackError(
            f"the recipe's model has {count:,} parameters, but num_parameters says {model.num_parameters:,}; "
            "the installed open_clip or timm builds it differently: pip install -c constraints.txt"
        )
    if _group_norms(network, model.image.norm_group) != (model.image.norm_group is not None):
        raise TrackError(
            f"norm_group is {model.image.norm_group}, but the image tower has {'no ' if model.image.norm_group else ''}"
            "batch norms; give it a number exactly where there are some"
        )
    return network


def _group_norms(network: nn.Module, group: int | None) -> bool:
    """Let every batch norm see `group` images at a time; say whether there are any."""
    norms = [module for module in network.modules() if isinstance(module, nn.BatchNorm2d)]
    for norm in norms if group else []:
        kind = type(norm)  # timm's kinds of batch norm do more, such as an activation
        norm.__class__ = type(f"Grouped{kind.__name__}", (GroupedNorm, kind), {"group": group})
    return bool(norms)


def block_matrices(network: nn.Module) -> Iterator[str]:
    """Name the matrices inside the transformer blocks of both towers, which Muon may move."""
    for name, parameter in network.named_parameters():
        if ".resblocks." in f".{name}" and parameter.ndim == 2:
            yield name


def forward_flops(network: nn.Module, model: ClipModel) -> float:
    """Count the floating-point operations of one pair's forward pass."""
    device = next(network.parameters()).device
    image = torch.zeros(1, 3, model.image.image_size, model.image.image_size, device=device)
    text = torch.zeros(1, model.text.context_length, dtype=torch.long, device=device)
    was_training = network.training
    with torch.no_grad(), FlopCounterMode(display=False) as counter:
        network.eval()(image, text)
    network.train(was_training)
    return float(counter.get_total_flops())


def save_checkpoint(
    network: nn.Module, model: ClipModel, preprocess: Preprocess, tokenize: Tokenize, folder: Path
) -> None:
    """Write a folder that `open_clip.create_model("local-dir:FOLDER")` loads, tokenizer included."""
    state = {name: tensor.contiguous().cpu() for name, tensor in network.state_dict().items()}
    save_file(state, folder / WEIGHTS_FILE)
    config = model_config(model)
    config["text_cfg"] |= tokenize.open_clip_settings
    preprocessing = {
        "mean": list(preprocess.mean),
        "std": list(preprocess.std),
        "interpolation": preprocess.interpolation,
        "resize_mode": "shortest",
    }
    document = {"model_cfg": config, "preprocess_cfg": preprocessing}
    write_atomic(folder / CONFIG_FILE, json.dumps(document, indent=2).encode())
    save_tokenizer(tokenize, folder)


def load_checkpoint(folder: Path, device: str) -> CLIP:
    """Load what `save_checkpoint` wrote, through open_clip itself."""
    import open_clip

    network = open_clip.create_model(f"local-dir:{folder}", device=device)
    assert isinstance(network, CLIP), "the checkpoint's config names no custom text tower"
    return network.eval()
