"""Copies and near-copies, beside exact Jaccard indices and datasketch."""

from itertools import combinations
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from assay.foundry import documents
from assay.signals.clusters import Clusters, clusters_of, join_equal
from assay.signals.text.exact import content_keys
from assay.signals.text.minhash import BANDS, ROWS, band_keys, near_duplicates, signatures
from assay.signals.text.words import Words, normal_form

REAL = Path(__file__).parents[3] / ".." / "shared" / "data" / "text"


def keys_of(texts: list[str]) -> np.ndarray:
    parts = [texts[start : start + 100] for start in range(0, len(texts), 100)]
    return np.concatenate([band_keys(Words.of(part), len(part)) for part in parts])


def shingles(text: str) -> frozenset[str]:
    words = normal_form(text).split()
    return frozenset(" ".join(words[i : i + 5]) for i in range(len(words) - 4))


def jaccard(one: frozenset[str], other: frozenset[str]) -> float:
    return len(one & other) / max(1, len(one | other))


def pairs_in(found: Clusters) -> set[tuple[int, int]]:
    clusters: dict[int, list[int]] = {}
    for place, first in enumerate(found.first.tolist()):
        clusters.setdefault(first, []).append(place)
    return {pair for members in clusters.values() for pair in combinations(members, 2)}


def chance_of_a_band(similarity: np.ndarray) -> np.ndarray:
    return 1 - (1 - similarity**ROWS) ** BANDS


def test_content_is_the_same_whatever_case_and_punctuation() -> None:
    texts = ["One, two!", "one two", "ONE\n\ntwo...", "onetwo", "one two three", "", "?!", "!?"]
    found = clusters_of(content_keys(texts, Words.of(texts)))
    assert found.first.tolist() == [0, 0, 0, 3, 4, 5, 6, 7]
    assert found.size.tolist() == [3, 3, 3, 1, 1, 1, 1, 1]


@settings(max_examples=50)
@given(st.lists(st.text(max_size=30), max_size=20))
def test_equal_keys_are_equal_normal_forms(texts: list[str]) -> None:
    keys = content_keys(texts, Words.of(texts)).tolist()
    for (one, key), (other, same) in combinations(zip(texts, keys, strict=True), 2):
        normal = normal_form(one), normal_form(other)
        if any(normal):
            assert (key == same) == (normal[0] == normal[1])


@given(
    st.integers(1, 30).flatmap(
        lambda n: st.tuples(
            st.just(n), st.lists(st.lists(st.integers(0, 6), min_size=n, max_size=n), max_size=4)
        )
    )
)
def test_clusters_are_connected_components(drawn: tuple[int, list[list[int]]]) -> None:
    import networkx

    n, columns = drawn
    keys = [(np.arange(n), np.array(column, dtype=np.uint64)) for column in columns]
    found = join_equal(n, iter(keys))
    graph = networkx.Graph()
    graph.add_nodes_from(range(n))
    for column in columns:
        graph.add_edges_from((i, j) for i, j in combinations(range(n), 2) if column[i] == column[j])
    for component in networkx.connected_components(graph):
        assert {int(found.first[i]) for i in component} == {min(component)}
        assert {int(found.size[i]) for i in component} == {len(component)}


def test_signatures_do_not_depend_on_the_batch() -> None:
    texts = [page.text for page in documents(0, 60)]
    whole = signatures(Words.of(texts), 60, 112)
    alone = [signatures(Words.of([text]), 1, 112) for text in texts]
    assert np.array_equal(whole, np.concatenate(alone))
    assert np.array_equal(signatures(Words.of(texts), 60, 64), whole[:, :64])


def test_a_share_of_equal_hashes_estimates_the_jaccard_index() -> None:
    texts = [page.text for page in documents(0, 2000) if page.truth.cluster_size > 1]
    signed = signatures(Words.of(texts), len(texts), 112)
    sets = [shingles(text) for text in texts]
    pairs = [(i, j) for i, j in combinations(range(len(texts)), 2) if jaccard(sets[i], sets[j])]
    exact = np.array([jaccard(sets[i], sets[j]) for i, j in pairs])
    estimates = np.array([(signed[i] == signed[j]).mean() for i, j in pairs])
    assert len(pairs) > 100
    spread = np.sqrt(np.maximum(exact * (1 - exact), 1e-3) / 112)
    assert abs(((estimates - exact) / spread).mean()) < 0.3
    assert np.abs(estimates - exact).max() < 0.2


def test_planted_copies_are_found_and_datasketch_agrees() -> None:
    from datasketch import MinHash, MinHashLSH

    pages = list(documents(0, 3000))
    texts = [page.text for page in pages]
    sets = [shingles(text) for text in texts]
    found = pairs_in(near_duplicates(keys_of(texts)))
    members: dict[int, list[int]] = {}
    for place, page in enumerate(pages):
        members.setdefault(page.truth.cluster, []).append(place)
    planted = {pair for group in members.values() for pair in combinations(group, 2)}
    index = {pair: jaccard(sets[pair[0]], sets[pair[1]]) for pair in planted | found}
    near = {pair for pair in planted if index[pair] >= 0.9}
    assert len(near) > 200
    assert len(near & found) / len(near) > 0.99
    # What was not planted and is found all the same has come close by chance, or through a third.
    assert len(found - planted) / len(found) < 0.02
    theirs = MinHashLSH(num_perm=112, params=(BANDS, ROWS))
    asked = sorted({place for pair in planted for place in pair})
    signed = {}
    for place in asked:
        signed[place] = MinHash(112)
        signed[place].update_batch([gram.encode() for gram in sets[place]])
        theirs.insert(place, signed[place])
    links = {(i, j) for i in asked for j in theirs.query(signed[i]) if i < j}
    both = {pair for pair in planted if index[pair] >= 0.8}
    assert abs(len(both & found) - len(both & links)) / len(both) < 0.05


def test_documents_of_a_few_words_are_near_nothing() -> None:
    assert near_duplicates(keys_of(["one two", "one two", "", "a b c d"])).size.tolist() == [1] * 4


@pytest.mark.realdata
@pytest.mark.skipif(not REAL.is_dir(), reason="real data is not here")
def test_edited_copies_of_real_documents_are_found_as_often_as_theory_says() -> None:
    texts = [text for text in real_texts() if 100 <= len(text.split()) <= 1000][:600]
    rng = np.random.default_rng(0)
    copies = [edited(text, rng.uniform(0.0, 0.1), rng) for text in texts]
    both = [*texts, *copies]
    keys, sets = keys_of(both), [shingles(text) for text in both]
    exact = np.array([jaccard(*pair) for pair in zip(sets[:600], sets[600:], strict=True)])
    linked = (keys[:600] == keys[600:]).any(axis=1)
    expected = chance_of_a_band(exact)
    spread = np.sqrt((expected * (1 - expected)).sum())
    assert abs(linked.sum() - expected.sum()) < 4 * spread
    assert linked[exact > 0.9].all()
    assert not linked[exact < 0.3].any()
    found = near_duplicates(keys)
    strangers = {pair for pair in pairs_in(found) if pair[1] - pair[0] != 600}
    told = [jaccard(sets[i], sets[j]) > 0.3 for i, j in strangers]
    assert sum(told) >= 0.9 * len(told)


def edited(text: str, rate: float, rng: np.random.Generator) -> str:
    """Replace a share of the words, each by one that is nowhere else."""
    words = text.split()
    return " ".join(
        f"x{rng.integers(1 << 40)}" if change else word
        for word, change in zip(words, rng.random(len(words)) < rate, strict=True)
    )


def real_texts() -> list[str]:
    import io
    import json

    import zstandard

    with (REAL / "pool" / "shard_00000000.jsonl.zst").open("rb") as stream:
        reader = zstandard.ZstdDecompressor().stream_reader(stream)
        return [json.loads(line)["text"] for line in io.TextIOWrapper(reader, encoding="utf-8")]
