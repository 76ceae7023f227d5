"""Train the small tokenizer of captions that a track keeps."""

from collections.abc import Iterable
from pathlib import Path

from assay.canonical import digest_bytes
from assay.errors import TrackError
from assay.track.clip_spec import CaptionTokenizer

TOKENIZER_FILE = "tokenizer.json"

PAD, START, END = "<|pad|>", "<|startoftext|>", "<|endoftext|>"
"""The end has the largest id: open_clip reads a caption's features out where the id is largest."""


def read_caption_tokenizer(tokenizer: CaptionTokenizer, folder: Path) -> bytes:
    """Return the bytes of a track's own tokenizer.

    Args:
        tokenizer: As sealed, of kind `bpe`.
        folder: The track's.

    Raises:
        TrackError: If the file is absent or is not the sealed one.
    """
    path = folder / TOKENIZER_FILE
    data = path.read_bytes() if path.is_file() else b""
    if digest_bytes(data) != tokenizer.digest:
        raise TrackError(
            f"{path} is not the sealed tokenizer ({tokenizer.digest[:23]}...); restore the file, or make "
            "the track again: assay track new"
        )
    return data


def train_caption_tokenizer(captions: Iterable[str], vocab_size: int) -> bytes:
    """Train byte-level BPE on lower-cased captions.

    Args:
        captions: What to learn from; the same ones in the same order give the same bytes.
        vocab_size: Most pieces, marks included.

    Returns:
        A `tokenizers` JSON that puts both marks around every text.
    """
    from tokenizers import (
        Tokenizer,
        decoders,
        models,
        normalizers,
        pre_tokenizers,
        processors,
        trainers,
    )

    tokenizer = Tokenizer(models.BPE())
    tokenizer.normalizer = normalizers.Sequence(
        [normalizers.NFC(), normalizers.Lowercase(), normalizers.Strip()]
    )
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=True)
    tokenizer.decoder = decoders.ByteLevel()
    trainer = trainers.BpeTrainer(
        vocab_size=vocab_size - 1,
        special_tokens=[PAD, START],
        initial_alphabet=pre_tokenizers.ByteLevel.alphabet(),
        show_progress=False,
    )
    tokenizer.train_from_iterator(captions, trainer)
    tokenizer.add_special_tokens([END])
    marks = [(mark, tokenizer.token_to_id(mark)) for mark in (START, END)]
    tokenizer.post_processor = processors.TemplateProcessing(
        single=f"{START} $A {END}", special_tokens=marks
    )
    return tokenizer.to_str(pretty=True).encode()
