"""The language model of a recipe, as transformers builds it, so that any tool loads the checkpoint."""

from collections.abc import Iterator
from pathlib import Path

import torch
from torch import nn
from transformers import (
    AutoModelForCausalLM,
    LlamaConfig,
    LlamaForCausalLM,
    PreTrainedModel,
    Qwen3Config,
    Qwen3ForCausalLM,
)
from transformers.utils import logging as hf_logging

from assay.track.spec import Model


def build_model(spec: Model, eos_id: int, seed: int) -> PreTrainedModel:
    """Build the network with weights that depend on the seed alone (fp32, CPU generator).

    Args:
        spec: The recipe's model.
        eos_id: The pool tokenizer's end-of-text token, written into the configuration.
        seed: Named seed of the initialisation.
    """
    config_class, model_class = {
        "llama": (LlamaConfig, LlamaForCausalLM),
        "qwen3": (Qwen3Config, Qwen3ForCausalLM),
    }[spec.architecture]
    config = config_class(
        hidden_size=spec.hidden_size,
        intermediate_size=spec.intermediate_size,
        num_hidden_layers=spec.num_layers,
        num_attention_heads=spec.num_heads,
        num_key_value_heads=spec.num_heads,
        head_dim=spec.hidden_size // spec.num_heads,
        vocab_size=spec.vocab_size,
        max_position_embeddings=spec.context_length,
        tie_word_embeddings=spec.tie_embeddings,
        rope_parameters={"rope_type": "default", "rope_theta": spec.rope_theta},
        rms_norm_eps=spec.norm_eps,
        initializer_range=spec.init_std,
        bos_token_id=eos_id,
        eos_token_id=eos_id,
        use_cache=False,
        attn_implementation="sdpa",
    )
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed & 0x7FFF_FFFF_FFFF_FFFF)
        return model_class(config)


def matrix_names(model: nn.Module) -> Iterator[str]:
    """Name the two-dimensional weights inside the transformer blocks."""
    for name, parameter in model.named_parameters():
        if parameter.ndim == 2 and ".layers." in name:
            yield name


def training_flops(spec: Model, num_parameters: int, tokens: int) -> float:
    """Return the floating-point operations of training on `tokens` tokens.

    Six per parameter and token, the token table counted where it is the output layer as well, plus
    attention's `12 x layers x width x context` per token.

    Source:
        PaLM (Chowdhery et al., 2022), appendix B, https://arxiv.org/abs/2204.02311.
    """
    table = spec.vocab_size * spec.hidden_size
    weights = num_parameters if spec.tie_embeddings else num_parameters - table
    attention = 12 * spec.num_layers * spec.hidden_size * spec.context_length
    return float(tokens) * (6.0 * weights + attention)


def load_checkpoint(folder: Path, device: str) -> PreTrainedModel:
    """Load a checkpoint folder in fp32, for evaluation; nothing is looked up on a hub."""
    hf_logging.disable_progress_bar()
    model = AutoModelForCausalLM.from_pretrained(
        folder, attn_implementation="sdpa", dtype=torch.float32, local_files_only=True
    )
    nn.Module.to(
        model, device
    )  # transformers wraps its own `to` in a way that type checkers misread
    return model.eval()


def save_checkpoint(model: PreTrainedModel, tokenizer_json: str, folder: Path) -> None:
    """Write a folder that `AutoModelForCausalLM` and `AutoTokenizer` load: safetensors and JSON."""
    hf_logging.disable_progress_bar()
    model.save_pretrained(folder)
    (folder / "tokenizer.json").write_text(tokenizer_json, encoding="utf-8")
    (folder / "tokenizer_config.json").write_text(
        '{"tokenizer_class": "PreTrainedTokenizerFast", "eos_token": "<|endoftext|>"}\n',
        encoding="utf-8",
    )
