"""What is taken for good: the embedded reference, other pools, and documents of the pool itself."""

from pathlib import Path

import pytest

from assay.errors import SignalError
from assay.foundry import documents, suite_items
from assay.foundry.items import solved
from assay.foundry.pages import reference_documents, spam_documents
from assay.foundry.source import FoundrySource
from assay.pool import Pool, build_pool
from assay.signals.text.batches import BATCH_CHARACTERS, batched
from assay.signals.text.reference import DEFAULT, HARMFUL, open_reference, pin_reference


@pytest.fixture
def pool(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Pool:
    monkeypatch.setenv("ASSAY_HOME", str(tmp_path / "home"))
    return build_pool([FoundrySource(60)], tmp_path / "home" / "pools" / "small", vocab_size=300)


def test_the_embedded_reference_is_clean_and_in_neither_pool_nor_suite() -> None:
    found = list(reference_documents(0, 300))
    assert found[200:] == list(reference_documents(200, 300))
    assert all(not page.truth.defects and page.truth.quality == 1.0 for page in found)
    texts = {page.text for page in found}
    assert len(texts) == 300
    pool = list(documents(0, 3000))
    assert not texts & {page.text for page in pool}
    assert not {page.uid for page in found} & {page.uid for page in pool}
    held_out = {
        item["text"] for items in suite_items().values() for item in items if "text" in item
    }
    assert not texts & held_out
    everything = "\n".join(texts)
    choices = [item for items in suite_items().values() for item in items if "text" not in item]
    assert len(choices) > 500
    assert not any(solved(item) in everything for item in choices)
    assert {page.truth.genre for page in found} == {p.truth.genre for p in pool} - {"none"}


def test_the_embedded_spam_is_all_spam_and_not_of_the_pool() -> None:
    found = list(spam_documents(0, 200))
    assert found[150:] == list(spam_documents(150, 200))
    assert {page.truth.defects for page in found} == {("keyword_spam",)}
    pool = list(documents(0, 3000))
    assert not {page.text for page in found} & {page.text for page in pool}
    assert not {page.uid for page in found} & {page.uid for page in pool}
    assert len({page.uid for page in found}) == 200


def test_what_is_harmful_is_embedded_too_and_elsewhere_a_pool_of_that_name(
    pool: Pool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("assay.signals.text.reference.EMBEDDED_HARMFUL", "foundry-text-spam-20")
    pinned = pin_reference(pool, HARMFUL)
    assert pinned.startswith("foundry-text-spam-20@")
    texts = list(open_reference(pool, pinned).texts())
    assert sorted(texts) == sorted(page.text for page in spam_documents(0, 20))
    source = tmp_path / "mine.jsonl"
    source.write_text('{"text": "a"}')
    mine = build_pool([source], tmp_path / "mine", vocab_size=300)
    with pytest.raises(SignalError, match="--kind text --name mine-harmful"):
        open_reference(mine, HARMFUL)


def test_the_source_of_the_reference_goes_on_from_any_document() -> None:
    source = FoundrySource(30, reference=True)
    whole = list(source.records(0))
    assert list(source.records(17)) == whole[17:]
    assert source.fingerprint != FoundrySource(30).fingerprint


def test_the_default_is_the_embedded_reference_and_elsewhere_a_pool_of_that_name(
    pool: Pool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(
        "assay.signals.text.reference.EMBEDDED_DEFAULT", "foundry-text-reference-20"
    )
    pinned = pin_reference(pool, DEFAULT)
    assert pinned.startswith("foundry-text-reference-20@")
    assert open_reference(pool, pinned).n == 20
    assert pin_reference(pool, pinned) == pinned
    source = tmp_path / "mine.jsonl"
    source.write_text("\n".join(f'{{"text": "number {i} of mine"}}' for i in range(9)))
    mine = build_pool([source], tmp_path / "home" / "pools" / "mine", vocab_size=300)
    with pytest.raises(SignalError, match="--kind text --name mine-reference"):
        open_reference(mine, DEFAULT)
    build_pool([source], tmp_path / "home" / "pools" / "mine-reference", vocab_size=300)
    assert sorted(open_reference(mine, DEFAULT).texts()) == sorted(mine.texts())


def test_a_pin_holds_the_reference_to_what_it_was(pool: Pool) -> None:
    with pytest.raises(SignalError, match="000000000000"):
        open_reference(pool, "foundry-text-reference-20@000000000000")


def test_documents_of_the_pool_are_chosen_by_metadata(pool: Pool) -> None:
    host = pool.column("host")[0].as_py()
    found = open_reference(pool, f"host~{host}")
    assert found.rows is not None
    assert {value.as_py() for value in pool.column("host", found.rows)} == {host}
    assert found.n == pool.column("host").to_pylist().count(host)
    assert pin_reference(pool, f"host~{host}") == f"host~{host}"


def test_batches_are_bounded_and_whole() -> None:
    texts = ["a" * size for size in (10, BATCH_CHARACTERS, 3 * BATCH_CHARACTERS, 5, 5)]
    parts = list(batched(texts))
    assert [text for part in parts for text in part] == texts
    assert [len(part) for part in parts] == [1, 1, 1, 2]
    assert list(batched([])) == []
