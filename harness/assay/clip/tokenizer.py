"""Captions and prompts as token ids: open_clip's own BPE, or a small one of the track's."""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from assay.artifact import write_atomic
from assay.canonical import digest_file
from assay.errors import TrackError
from assay.track.captions import END, PAD, START, TOKENIZER_FILE, read_caption_tokenizer
from assay.track.clip_spec import CaptionTokenizer


class Tokenize:
    """Turns texts into ids, (k, context_length), padded with the tokenizer's padding.

    Attributes:
        open_clip_settings: What a checkpoint's `text_cfg` says of the tokenizer.
        data: The tokenizer's file, or None for open_clip's own.
    """

    def __init__(self, tokenizer: CaptionTokenizer, context_length: int, folder: Path):
        """Load it and compare its digest.

        Args:
            tokenizer: As sealed.
            context_length: Of the text tower.
            folder: The track's, which holds a tokenizer of its own.

        Raises:
            TrackError: If the vocabulary is not the sealed one.
        """
        self._context_length = context_length
        self.open_clip_settings: dict[str, Any] = {}
        self.data: bytes | None = None
        if tokenizer.kind == "open_clip":
            self._encode = _open_clip_tokenizer(tokenizer.digest, context_length)
            return
        self.data = read_caption_tokenizer(tokenizer, folder)
        self.open_clip_settings = {"hf_tokenizer_name": "tokenizer"}
        self._encode = _file_tokenizer(self.data, context_length)

    def __call__(self, texts: Sequence[str]) -> Tensor:
        """Return int64 ids."""
        return self._encode(list(texts))


def _open_clip_tokenizer(digest: str, context_length: int) -> Any:
    from open_clip import tokenizer as module

    path = Path(module.default_bpe())
    if (got := digest_file(path)) != digest:
        raise TrackError(
            f"{path}: expected {digest}, got {got}; install the open_clip that Assay is tested with: "
            "pip install -c constraints.txt open_clip_torch"
        )
    return module.SimpleTokenizer(str(path), context_length=context_length)


def _file_tokenizer(data: bytes, context_length: int) -> Any:
    from open_clip.tokenizer import get_clean_fn
    from tokenizers import Tokenizer

    clean = get_clean_fn("whitespace")  # as open_clip does before any tokenizer of Hugging Face's

    tokenizer = Tokenizer.from_str(data.decode())
    tokenizer.enable_truncation(context_length)
    tokenizer.enable_padding(
        length=context_length, pad_id=tokenizer.token_to_id(PAD), pad_token=PAD
    )

    def encode(texts: list[str]) -> Tensor:
        encodings = tokenizer.encode_batch_fast([clean(text) for text in texts])
        return torch.tensor([encoding.ids for encoding in encodings])

    return encode


def save_tokenizer(tokenize: Tokenize, folder: Path) -> None:
    """Put a tokenizer of the track's own beside a checkpoint, as open_clip and transformers read it."""
    if tokenize.data is None:
        return
    write_atomic(folder / TOKENIZER_FILE, tokenize.data)
    config = {
        "tokenizer_class": "PreTrainedTokenizerFast",
        "bos_token": START,
        "eos_token": END,
        "pad_token": PAD,
        "clean_up_tokenization_spaces": False,
    }
    write_atomic(folder / "tokenizer_config.json", json.dumps(config, indent=2).encode())
