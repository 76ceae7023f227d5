from dataclasses import asdict

import pytest

from assay.foundry.scenes import ScenesSource, scenes


@pytest.mark.parametrize("reference", [False, True])
def test_the_source_goes_on_from_any_pair(reference: bool) -> None:
    source = ScenesSource(30, reference=reference)
    whole = list(source.records(0))
    assert [place for place, _ in whole] == list(range(30))
    assert list(source.records(17)) == whole[17:]


def test_truth_travels_apart_from_what_a_curator_may_see() -> None:
    pairs = list(scenes(0, 5))
    records = [record for _, record in ScenesSource(5).records(0)]
    assert [(r.caption, r.image, r.uid) for r in records] == [
        (p.caption, p.image, p.uid) for p in pairs
    ]
    assert [record.truth for record in records] == [asdict(pair.truth) for pair in pairs]


def test_the_fingerprint_tells_sizes_and_streams_apart() -> None:
    prints = {ScenesSource(size).fingerprint for size in (1, 2, 100, 101)}
    prints.add(ScenesSource(100, reference=True).fingerprint)
    assert len(prints) == 5
    assert ScenesSource(100).fingerprint in prints
    assert ScenesSource(1).name != ScenesSource(1, reference=True).name
