import hashlib
import json
import re
import subprocess
import sys
from collections import Counter, defaultdict
from collections.abc import Iterator
from dataclasses import asdict
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import assay.foundry
from assay.foundry import FoundryDocument, defect_rates, documents
from assay.foundry.defects import DEFECT, DEFECTS, INNER, WRAPPERS
from assay.foundry.genres import GENRES

PINNED = "f6c295913df1b69defeb6b0f2db0ab6f6059ada560412b7af5de8735bdf9894e"
"""Digest of the first 2,000 documents. A change of it is a new version of the pool."""


@pytest.fixture(scope="module")
def pages() -> list[FoundryDocument]:
    return list(documents(0, 5000))


def _digest(pages: Iterator[FoundryDocument]) -> str:
    hasher = hashlib.sha256()
    for page in pages:
        hasher.update(
            json.dumps([page.uid.hex(), page.text, page.columns, asdict(page.truth)]).encode()
        )
    return hasher.hexdigest()


def test_the_first_two_thousand_documents_are_pinned() -> None:
    assert _digest(documents(0, 2000)) == PINNED


def test_another_process_with_another_hash_seed_writes_the_same_bytes() -> None:
    code = (
        "import hashlib; from assay.foundry import documents; "
        "print(hashlib.sha256(repr(list(documents(990, 1040))).encode()).hexdigest())"
    )
    digests = {
        subprocess.run(
            [sys.executable, "-c", code],
            env={"PYTHONHASHSEED": seed},
            capture_output=True,
            check=True,
        ).stdout
        for seed in ("1", "2")
    }
    assert len(digests) == 1


@settings(max_examples=20)
@given(st.integers(0, 50_000), st.integers(0, 20))
def test_any_range_in_any_order_gives_the_same_documents(start: int, count: int) -> None:
    whole = list(documents(start, start + count))
    one_by_one = [next(documents(i, i + 1)) for i in reversed(range(start, start + count))]
    assert whole == one_by_one[::-1]


def test_every_block_has_every_defect_at_its_rate(pages: list[FoundryDocument]) -> None:
    counts = Counter(page.truth.defects[0] for page in pages if page.truth.defects)
    assert {name: count / len(pages) for name, count in counts.items()} == defect_rates()


def test_rates_hold_within_binomial_tolerance_off_the_blocks() -> None:
    some = list(documents(3333, 5777))
    counts = Counter(page.truth.defects[0] for page in some if page.truth.defects)
    for name, rate in defect_rates().items():
        sd = (rate * (1 - rate) / len(some)) ** 0.5
        assert abs(counts[name] / len(some) - rate) < 4 * sd, name


def test_the_data_card_has_the_table_of_rates() -> None:
    card = (assay.foundry.__doc__ or "").split()
    for defect in DEFECTS:
        place = card.index(defect.name)
        sort = "surface" if defect.visible else "hidden"
        assert card[place + 1 : place + 3] == [str(defect.per_mille), sort]
    assert card[card.index("(clean)") + 1] == str(1000 - sum(d.per_mille for d in DEFECTS))


def test_uids_and_urls_are_unique_and_tell_nothing_of_the_index(
    pages: list[FoundryDocument],
) -> None:
    uids = [page.uid for page in pages]
    assert len(set(uids)) == len(uids)
    assert all(len(uid) == 16 for uid in uids)
    assert len({page.columns["url"] for page in pages}) == len(pages)
    rising = sum(left < right for left, right in pairwise(uids))
    assert abs(rising / len(uids) - 0.5) < 0.05


def test_truth_is_not_among_the_visible_columns(pages: list[FoundryDocument]) -> None:
    assert {tuple(page.columns) for page in pages} == {("url", "host", "timestamp")}


def test_quality_is_one_for_clean_pages_alone(pages: list[FoundryDocument]) -> None:
    for page in pages:
        assert 0 <= page.truth.quality <= 1
        assert (page.truth.quality == 1) == (not page.truth.defects)
        assert all(page.truth.quality <= DEFECT[name].quality for name in page.truth.defects)


def test_second_defects_lie_under_wrappers_alone(pages: list[FoundryDocument]) -> None:
    wrapped = [
        page.truth.defects
        for page in pages
        if page.truth.defects[:1] and page.truth.defects[0] in WRAPPERS
    ]
    second = [defects for defects in wrapped if len(defects) > 1]
    assert all(defects[1] in INNER for defects in second)
    assert 0.15 < len(second) / len(wrapped) < 0.25
    assert max(len(page.truth.defects) for page in pages) == 2


def test_every_genre_is_there_and_every_text_is_decent(pages: list[FoundryDocument]) -> None:
    clean = [page for page in pages if not page.truth.defects]
    assert {page.truth.genre for page in clean} == set(GENRES)
    for page in clean:
        assert page.text.isascii()
        assert 300 < len(page.text) < 1100
        assert all(line.endswith((".", "?", ",")) for line in page.text.split("\n")), page.text
    assert 500 < sum(len(page.text) for page in clean) / len(clean) < 900


def test_a_copy_is_of_a_clean_page_on_another_host(pages: list[FoundryDocument]) -> None:
    copies = [page for page in pages if page.truth.defects and "duplicate" in page.truth.defects[0]]
    assert len(copies) == 275
    for copy in copies:
        original = pages[copy.truth.cluster]
        assert not original.truth.defects
        assert copy.columns["host"] != original.columns["host"]
        assert copy.truth.cluster_size == original.truth.cluster_size
        same = copy.text == original.text
        assert same or copy.truth.defects == ("near_duplicate",)
        assert _overlap(copy.text, original.text) > 0.6


def _overlap(left: str, right: str) -> float:
    first, second = (
        {tuple(text.split()[i : i + 3]) for i in range(len(text.split()) - 2)}
        for text in (left, right)
    )
    return len(first & second) / len(first | second)


def test_cluster_sizes_are_true_and_have_a_tail(pages: list[FoundryDocument]) -> None:
    members = defaultdict(list)
    for index, page in enumerate(pages):
        members[page.truth.cluster].append(index)
    for cluster, indices in members.items():
        assert pages[cluster].truth.cluster_size == len(indices)
    sizes = Counter(len(indices) for indices in members.values())
    assert sizes[2] > sizes[3] > 0
    assert max(sizes) > 8


def test_hosts_and_years_differ_in_quality(pages: list[FoundryDocument]) -> None:
    by_host: dict[str, list[float]] = defaultdict(list)
    by_year: dict[str, list[float]] = defaultdict(list)
    for page in pages:
        by_host[page.columns["host"]].append(page.truth.quality)
        by_year[page.columns["timestamp"][:4]].append(page.truth.quality)
    means = sorted(sum(values) / len(values) for values in by_host.values())
    assert len(means) == 40
    assert means[-1] - means[0] > 0.4
    first, last = by_year["2016"], by_year["2025"]
    assert sum(first) / len(first) > sum(last) / len(last) + 0.1


def test_corrupted_facts_are_fluent_but_disagree_with_clean_pages(
    pages: list[FoundryDocument],
) -> None:
    clean = {s for page in pages if not page.truth.defects for s in _home_towns(page.text)}
    false = {
        s
        for page in pages
        if page.truth.defects == ("corrupted_facts",)
        for s in _home_towns(page.text)
    }
    assert len(clean) >= 20
    assert len(false) >= 20
    assert not clean & false
    assert len({sentence.split()[0] for sentence in clean}) == len(clean), "one home a person"


def _home_towns(text: str) -> list[str]:
    return re.findall(r"\b(?!He |She )[A-Z][a-z]+ lives in [A-Z][a-z]+(?=\.)", text)


def test_clean_pages_are_grammatical_where_it_is_easy_to_tell(pages: list[FoundryDocument]) -> None:
    slip = re.compile(r"\b[Aa] [aeiou]|\b[Aa]n (?!hour)[^aeiou]|[{}]|  |\.\.|\b(\w{3,}) \1\b")
    for page in pages:
        if not page.truth.defects:
            assert not slip.search(page.text), slip.search(page.text)


def test_surface_rules_see_the_visible_defects_and_not_the_hidden_ones(
    pages: list[FoundryDocument],
) -> None:
    kept = defaultdict(list)
    for page in pages:
        kept[page.truth.defects[0] if page.truth.defects else ""].append(_looks_good(page.text))
    shares = {name: sum(flags) / len(flags) for name, flags in kept.items()}
    assert shares.pop("") > 0.98
    for name, share in shares.items():
        limit = 0.6 if name == "truncated" else 0.1
        assert share < limit if DEFECT[name].visible else share > 0.9, (name, share)
    defective = [flag for name, flags in kept.items() if name for flag in flags]
    assert 0.4 < sum(defective) / len(defective) < 0.6, "about half the defects are invisible"


def _looks_good(text: str) -> bool:
    """A filter of Gopher's kind: stop words, symbols, capitals, repeated and unfinished lines."""
    words, lines = text.split(), text.split("\n")
    sentences = text.replace("\n", " ").split(". ")
    stop = {word.strip(".,").lower() for word in words} & {
        "the",
        "of",
        "and",
        "to",
        "in",
        "has",
        "is",
    }
    return (
        len(stop) >= 3
        and sum(not (c.isalnum() or c in " .,:?\n") for c in text) < 0.01 * len(text)
        and sum(c.isupper() for c in text) < 0.3 * len(text)
        and len(set(sentences)) > 0.6 * len(sentences)
        and sum(line.endswith((".", "?", ",")) for line in lines) > 0.7 * len(lines)
    )
