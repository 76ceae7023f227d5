from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from tokenizers import Tokenizer, models, pre_tokenizers

from assay.errors import PoolError
from assay.pool import Pool
from assay.pool.tokenizer import train_tokenizer

Build = Callable[..., Pool]


def test_training_twice_gives_the_same_bytes(documents: list[dict[str, Any]]) -> None:
    texts = [document["text"] for document in documents]
    first = train_tokenizer(texts, 400)
    assert train_tokenizer(texts, 400) == first
    assert train_tokenizer(texts[::-1], 400) == first


def test_a_trained_tokenizer_covers_every_byte(
    build: Build, documents: list[dict[str, Any]]
) -> None:
    tokenizer = build(documents).tokenizer()
    text = "".join(map(chr, range(1, 0x250))) + "\u3042\U0001f600 \r\n\t  x"
    assert tokenizer.decode(tokenizer.encode(text).ids) == text
    assert tokenizer.token_to_id("<|endoftext|>") == 0


def test_a_given_tokenizer_is_kept_as_it_is(
    build: Build, documents: list[dict[str, Any]], tmp_path: Path
) -> None:
    own = Tokenizer.from_str(train_tokenizer([d["text"] for d in documents], 320).decode())
    own.add_special_tokens(["</s>"])
    own.enable_truncation(3)
    own.enable_padding(length=8)
    own.save(str(tmp_path / "own.json"))
    pool = build(documents, tokenizer=tmp_path / "own.json")
    assert (pool.path / "tokenizer.json").read_bytes() == (tmp_path / "own.json").read_bytes()
    assert pool.vocab_size == own.get_vocab_size()
    assert pool.tokenizer().decode(pool.tokens(4).tolist()) == pool.text(4)


def test_unusable_tokenizers_are_refused(
    build: Build, documents: list[dict[str, Any]], tmp_path: Path
) -> None:
    (tmp_path / "text.json").write_text("hello")
    no_end = Tokenizer(models.BPE())
    no_end.pre_tokenizer = pre_tokenizers.ByteLevel()
    no_end.save(str(tmp_path / "no_end.json"))
    no_unknown = Tokenizer(models.WordLevel({"[EOS]": 0}, unk_token="[UNK]"))
    no_unknown.save(str(tmp_path / "no_unknown.json"))
    for name, teaching in (
        ("absent.json", "does not exist"),
        ("text.json", "not a `tokenizers` JSON"),
        ("no_end.json", "no end-of-text token"),
        ("no_unknown.json", "cannot encode"),
    ):
        with pytest.raises(PoolError, match=teaching):
            build(documents, name.removesuffix(".json"), tokenizer=tmp_path / name)


def test_a_vocabulary_smaller_than_the_bytes_is_refused(
    build: Build, documents: list[dict[str, Any]]
) -> None:
    with pytest.raises(PoolError, match="--vocab-size 257"):
        build(documents, vocab_size=256)
    assert build(documents, vocab_size=257).vocab_size == 257
