"""Train the small tokenizer of captions that a track keeps."""

from collections.abc import Iterable

PAD, START, END = "<|pad|>", "<|startoftext|>", "<|endoftext|>"
"""The end has the largest id: open_clip reads a caption's features out where the id is largest."""


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
