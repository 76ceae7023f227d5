from dataclasses import asdict

from assay.foundry import documents
from assay.foundry.source import FoundrySource


def test_the_source_goes_on_from_any_document() -> None:
    source = FoundrySource(30)
    whole = list(source.records(0))
    assert [place for place, _ in whole] == list(range(30))
    assert list(source.records(17)) == whole[17:]


def test_truth_travels_apart_from_what_a_curator_may_see() -> None:
    pages = list(documents(0, 5))
    records = [record for _, record in FoundrySource(5).records(0)]
    assert [record.text for record in records] == [page.text for page in pages]
    assert [record.truth for record in records] == [asdict(page.truth) for page in pages]
    assert all(set(record.columns) == {"url", "host", "timestamp"} for record in records)


def test_the_fingerprint_tells_sizes_apart() -> None:
    prints = {FoundrySource(size).fingerprint for size in (1, 2, 100, 101)}
    assert len(prints) == 4
    assert FoundrySource(100).fingerprint in prints
