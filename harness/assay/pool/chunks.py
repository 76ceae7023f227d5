"""Frozen chunks of documents: 128 words, or 512 or 1024 tokens. `uid#k` is a document's chunk k.

A word is a run of bytes without ASCII white space. A chunk of 128 words starts at the token in which
its first word starts (a document's first chunk at its first token), so what stands between two words
belongs to the chunk before. Words are counted in token ids, from what is known of each piece of the
vocabulary; nothing is decoded.
"""

import json
from collections.abc import Callable
from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING, Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray

from assay.errors import PoolError

if TYPE_CHECKING:
    from tokenizers import Tokenizer

    from assay.pool.store import Pool

ChunkUnit = Literal["words128", "tokens512", "tokens1024"]

CHUNK_TOKENS = {"tokens512": 512, "tokens1024": 1024}
CHUNK_WORDS = 128

_SPACES = b" \t\n\r\x0b\x0c"


@dataclass(frozen=True, eq=False)
class Pieces:
    """Where words start, for each token id; all (vocab,).

    Attributes:
        starts_in_word: Its first byte is no white space, so it starts a word after white space.
        inner_starts: Words that start in it after white space of its own.
        ends_in_space: Its last byte is white space.
    """

    starts_in_word: NDArray[np.bool_]
    inner_starts: NDArray[np.int32]
    ends_in_space: NDArray[np.bool_]


def vocabulary_pieces(tokenizer: "Tokenizer") -> Pieces:
    """Look at every piece of a byte-level or SentencePiece vocabulary.

    Raises:
        PoolError: If white space cannot be told from the pieces, as with WordPiece.
    """
    spell = _speller(tokenizer)
    vocabulary = tokenizer.get_vocab(with_added_tokens=True)
    size = max(vocabulary.values()) + 1
    starts_in_word = np.zeros(size, dtype=bool)
    inner_starts = np.zeros(size, dtype=np.int32)
    ends_in_space = np.zeros(size, dtype=bool)
    for piece, token in vocabulary.items():
        spaces = [byte in _SPACES for byte in spell(piece)]
        if spaces:
            starts_in_word[token] = not spaces[0]
            ends_in_space[token] = spaces[-1]
            inner_starts[token] = sum(before and not after for before, after in pairwise(spaces))
    return Pieces(starts_in_word, inner_starts, ends_in_space)


def chunk_bounds(
    tokens: NDArray[np.unsignedinteger], unit: ChunkUnit, pieces: Pieces | None = None
) -> NDArray[np.int64]:
    """Return where a document's chunks start, and its end.

    Args:
        tokens: The document's token ids.
        unit: Kind of chunk.
        pieces: Of the pool's vocabulary; needed for `words128`.

    Returns:
        (k + 1,) offsets into `tokens`, from 0 to its length, k at least 1. Chunk i is
        `tokens[bounds[i]:bounds[i + 1]]`.
    """
    if unit != "words128":
        size = CHUNK_TOKENS[unit]
        inner = np.arange(size, len(tokens), size)
    else:
        assert pieces is not None, "words128 needs the vocabulary's pieces"
        words = np.cumsum(_word_starts(tokens, pieces))
        total = int(words[-1]) if len(words) else 0
        # The token that holds word number w is the first one by which w + 1 words have started.
        inner = np.searchsorted(words, np.arange(CHUNK_WORDS, total, CHUNK_WORDS), side="right")
    return np.concatenate([[0], inner, [len(tokens)]]).astype(np.int64)


def num_chunks(pool: "Pool", rows: ArrayLike, unit: ChunkUnit) -> NDArray[np.int64]:
    """Return how many chunks each document has, at least one.

    Args:
        pool: Where the documents are.
        rows: (k,) rows.
        unit: Kind of chunk; `words128` reads the documents' tokens.
    """
    wanted = np.asarray(rows, dtype=np.int64)
    if unit != "words128":
        size = CHUNK_TOKENS[unit]
        counts = -(-pool.n_tokens[wanted].astype(np.int64) // size)
    else:
        pieces = vocabulary_pieces(pool.tokenizer())
        words = [int(_word_starts(pool.tokens(int(row)), pieces).sum()) for row in wanted]
        counts = -(-np.array(words, dtype=np.int64) // CHUNK_WORDS)
    return np.maximum(counts, 1)


def _word_starts(tokens: NDArray[np.unsignedinteger], pieces: Pieces) -> NDArray[np.int32]:
    """Return how many words start in each token."""
    starts = pieces.inner_starts[tokens]
    after_space = np.ones(len(tokens), dtype=bool)
    after_space[1:] = pieces.ends_in_space[tokens[:-1]]
    return starts + (after_space & pieces.starts_in_word[tokens])


def _speller(tokenizer: "Tokenizer") -> Callable[[str], bytes]:
    """Return a function from a piece to its bytes."""
    decoder = json.loads(tokenizer.to_str()).get("decoder") or {}
    parts = [decoder, *decoder.get("decoders", [])]
    kinds = {part.get("type") for part in parts}
    if "ByteLevel" in kinds:
        table = _byte_level_alphabet()
        # A token added later is spelled as it is, such as a run of spaces.
        return lambda piece: (
            bytes(table[c] for c in piece) if set(piece) <= table.keys() else piece.encode("utf-8")
        )
    metaspace = any(part.get("pattern", {}).get("String") == "▁" for part in parts)
    if "Metaspace" in kinds or metaspace:
        return _spell_metaspace
    raise PoolError(
        "chunks of 128 words need a byte-level or SentencePiece tokenizer, whose pieces keep white "
        "space; use the unit tokens512 or tokens1024, or build the pool without --tokenizer"
    )


def _spell_metaspace(piece: str) -> bytes:
    """Spell a SentencePiece piece; `<0x0A>` is a byte."""
    if len(piece) == 6 and piece.startswith("<0x") and piece.endswith(">"):
        return bytes.fromhex(piece[3:5])
    return piece.replace("▁", " ").encode("utf-8")


def _byte_level_alphabet() -> dict[str, int]:
    """Return GPT-2's letters for bytes: printable ones stand for themselves, others from U+0100 on."""
    printable = [*range(0x21, 0x7F), *range(0xA1, 0xAD), *range(0xAE, 0x100)]
    others = [byte for byte in range(256) if byte not in printable]
    table = {chr(byte): byte for byte in printable}
    return table | {chr(0x100 + i): byte for i, byte in enumerate(others)}
