"""Train, load and check a pool's tokenizer (a `tokenizers` JSON)."""

from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from assay.errors import PoolError

if TYPE_CHECKING:
    from tokenizers import Tokenizer

EOS_PIECES = ("<|endoftext|>", "</s>", "<|end_of_text|>", "[EOS]")
"""What an end-of-text token may be called, first found first."""

MIN_VOCAB_SIZE = 257
"""All bytes, and the end-of-text token."""


def train_tokenizer(texts: Iterable[str], vocab_size: int) -> bytes:
    """Train byte-level BPE; the same texts give the same bytes.

    Args:
        texts: The sample; order plays no part.
        vocab_size: Pieces wanted, at least 257; a small sample may give fewer.

    Returns:
        The tokenizer's JSON.
    """
    from tokenizers import Tokenizer, decoders, models, pre_tokenizers, trainers

    assert vocab_size >= MIN_VOCAB_SIZE
    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.decoder = decoders.ByteLevel()
    trainer = trainers.BpeTrainer(
        vocab_size=vocab_size,
        special_tokens=[EOS_PIECES[0]],
        initial_alphabet=sorted(pre_tokenizers.ByteLevel.alphabet()),
        show_progress=False,
    )
    tokenizer.train_from_iterator(texts, trainer)
    return tokenizer.to_str(pretty=True).encode("utf-8")


def load_tokenizer(path: Path) -> "Tokenizer":
    """Load a tokenizer that encodes whole documents, and text like `<|endoftext|>` as text.

    Raises:
        PoolError: If the file is absent or is no `tokenizers` JSON.
    """
    from tokenizers import Tokenizer

    if not path.is_file():
        raise PoolError(
            f"tokenizer {path} does not exist; give a tokenizer.json to --tokenizer, or leave it "
            "out to train one"
        )
    try:
        tokenizer = Tokenizer.from_file(str(path))
    except Exception as error:  # the library raises nothing more precise
        raise PoolError(
            f"{path} is not a `tokenizers` JSON ({error}); save one with tokenizer.save(FILE), or "
            "leave --tokenizer out to train one"
        ) from None
    tokenizer.no_truncation()
    tokenizer.no_padding()
    tokenizer.encode_special_tokens = True
    return tokenizer


def find_eos(tokenizer: "Tokenizer", path: Path) -> int:
    """Return the id of the end-of-text token.

    Raises:
        PoolError: If the tokenizer has none of `EOS_PIECES`.
    """
    for piece in EOS_PIECES:
        token = tokenizer.token_to_id(piece)
        if token is not None:
            return token
    raise PoolError(
        f"tokenizer {path} has no end-of-text token; add one of {', '.join(EOS_PIECES)} with "
        "tokenizer.add_special_tokens([...]) and save it again"
    )


def num_ids(tokenizer: "Tokenizer") -> int:
    """Return one more than the largest token id."""
    return max(tokenizer.get_vocab(with_added_tokens=True).values()) + 1


def token_dtype(vocab_size: int) -> np.dtype:
    """Return the little-endian type of stored tokens: 16 bits where the vocabulary fits, else 32."""
    return np.dtype("<u2" if vocab_size <= 1 << 16 else "<u4")


def encode(tokenizer: "Tokenizer", texts: list[str], dtype: np.dtype) -> list[NDArray]:
    """Encode documents, without special tokens.

    Raises:
        PoolError: If the tokenizer cannot encode some text, such as one without an unknown token.
    """
    try:
        encodings = tokenizer.encode_batch_fast(texts, add_special_tokens=False)
    except Exception as error:  # the library raises nothing more precise
        raise PoolError(
            f"the tokenizer cannot encode a document ({error}); use one that covers every byte, "
            "or leave --tokenizer out to train one"
        ) from None
    return [np.array(encoding.ids, dtype=dtype) for encoding in encodings]
