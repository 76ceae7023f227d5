from collections.abc import Callable
from itertools import pairwise
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tokenizers import Tokenizer, decoders, models, pre_tokenizers, trainers

from assay.errors import PoolError
from assay.pool import Pool
from assay.pool.chunks import chunk_bounds, num_chunks, vocabulary_pieces
from assay.pool.tokenizer import train_tokenizer

WORDS = [
    "a",
    "the",
    "cat,",
    "Über",
    "日本語",
    "x=1",
    "don't",
    "12345",
    "\u00a0nbsp\u2003wide",
    "é" * 5,
]
SPACES = [" ", "  ", "\n", "\n\n", "\t", "\r\n", "\x0b", " \x0c ", "   \n   "]
SAMPLE = [f"{first}{space}{second}" for first in WORDS for space in SPACES for second in WORDS]

TEXTS = st.builds(
    lambda start, pieces, end: start + "".join(a + b for a, b in pieces) + end,
    st.sampled_from(["", *SPACES]),
    st.lists(st.tuples(st.sampled_from(WORDS), st.sampled_from(SPACES)), max_size=400),
    st.sampled_from(["", "end", *SPACES]),
)

BYTE_LEVEL = Tokenizer.from_str(train_tokenizer(SAMPLE, 400).decode())


def spans_white_space() -> Tokenizer:
    """A byte-level tokenizer without GPT-2's splitting: its pieces run over several words."""
    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False)
    tokenizer.decoder = decoders.ByteLevel()
    alphabet = sorted(pre_tokenizers.ByteLevel.alphabet())
    trainer = trainers.BpeTrainer(vocab_size=500, initial_alphabet=alphabet, show_progress=False)
    tokenizer.train_from_iterator(SAMPLE, trainer)
    assert any("a Ġ".replace(" ", "") in piece for piece in tokenizer.get_vocab())
    return tokenizer


def sentence_pieces() -> Tokenizer:
    """A SentencePiece-like tokenizer with bytes for what it does not know."""
    tokenizer = Tokenizer(models.BPE(byte_fallback=True, unk_token="<unk>"))
    tokenizer.pre_tokenizer = pre_tokenizers.Metaspace(prepend_scheme="first")
    tokenizer.decoder = decoders.Sequence([decoders.ByteFallback(), decoders.Metaspace()])
    special = ["<unk>", *(f"<0x{byte:02X}>" for byte in range(256))]
    trainer = trainers.BpeTrainer(vocab_size=400, special_tokens=special, show_progress=False)
    tokenizer.train_from_iterator(["the cat sat on a mat", "don't x=1"], trainer)
    return tokenizer


def encode(tokenizer: Tokenizer, text: str) -> np.ndarray:
    return np.array(tokenizer.encode(text, add_special_tokens=False).ids, dtype=np.uint16)


def chunk_words(tokenizer: Tokenizer, text: str) -> list[list[bytes]]:
    tokens = encode(tokenizer, text)
    bounds = chunk_bounds(tokens, "words128", vocabulary_pieces(tokenizer))
    assert bounds[0] == 0
    assert bounds[-1] == len(tokens)
    assert (np.diff(bounds) >= 0).all()
    return [
        tokenizer.decode(tokens[start:stop].tolist(), skip_special_tokens=False).encode().split()
        for start, stop in pairwise(bounds)
    ]


@given(TEXTS)
def test_chunks_of_words_are_what_splitting_the_text_gives(text: str) -> None:
    words = text.encode().split()
    expected = [words[i : i + 128] for i in range(0, max(len(words), 1), 128)]
    assert chunk_words(BYTE_LEVEL, text) == expected


@settings(max_examples=50)
@given(TEXTS)
def test_sentence_pieces_give_the_same_words(text: str) -> None:
    # The decoder of such a tokenizer strips a leading space, so words are counted, not compared.
    tokenizer = SENTENCE_PIECES
    words = text.encode().split()
    counts = [len(chunk) for chunk in chunk_words(tokenizer, text)]
    assert counts == [len(words[i : i + 128]) for i in range(0, max(len(words), 1), 128)]


SENTENCE_PIECES = sentence_pieces()


@settings(max_examples=50)
@given(TEXTS)
def test_a_chunk_starts_at_the_token_in_which_its_first_word_starts(text: str) -> None:
    tokenizer = SPANNING
    tokens = encode(tokenizer, text)
    bounds = chunk_bounds(tokens, "words128", vocabulary_pieces(tokenizer))
    words = text.encode().split()
    assert len(bounds) - 1 == max(1, -(-len(words) // 128))
    for number, bound in enumerate(bounds[1:-1], start=1):
        before = tokenizer.decode(tokens[:bound].tolist()).encode(errors="ignore")
        through = tokenizer.decode(tokens[: bound + 1].tolist())
        assert len(before.split()) <= 128 * number
        assert len(through.split()) >= 128 * number


SPANNING = spans_white_space()


@given(st.integers(0, 3000), st.sampled_from(["tokens512", "tokens1024"]))
def test_chunks_of_tokens_are_plain_ranges(length: int, unit: Any) -> None:
    size = int(unit.removeprefix("tokens"))
    bounds = chunk_bounds(np.zeros(length, dtype=np.uint16), unit)
    assert bounds.tolist() == [*range(0, max(length, 1), size), length]


def test_counts_agree_with_bounds_and_every_document_has_a_chunk(
    build: Callable[..., Pool],
) -> None:
    texts = ["one", "word " * 127, "word " * 128, "word " * 129, "x" * 3000, " lead" * 600]
    pool = build([{"text": text} for text in texts])
    pieces = vocabulary_pieces(pool.tokenizer())
    rows = np.arange(pool.n)[::-1]
    for unit in ("words128", "tokens512", "tokens1024"):
        expected = [len(chunk_bounds(pool.tokens(int(r)), unit, pieces)) - 1 for r in rows]
        assert num_chunks(pool, rows, unit).tolist() == expected
    assert sorted(num_chunks(pool, rows, "words128").tolist()) == [1, 1, 1, 1, 2, 5]


def test_a_run_of_spaces_added_as_a_token_is_white_space() -> None:
    tokenizer = Tokenizer.from_str(BYTE_LEVEL.to_str())
    tokenizer.add_tokens(["    "])
    text = "word    " * 200
    assert "    " in tokenizer.encode(text).tokens
    assert [len(chunk) for chunk in chunk_words(tokenizer, text)] == [128, 72]


def test_a_tokenizer_that_drops_white_space_has_no_chunks_of_words() -> None:
    tokenizer = Tokenizer(models.WordPiece({"[UNK]": 0, "a": 1}, unk_token="[UNK]"))
    tokenizer.decoder = decoders.WordPiece()
    with pytest.raises(PoolError, match="use the unit tokens512"):
        vocabulary_pieces(tokenizer)
