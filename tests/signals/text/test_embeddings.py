"""Embeddings and clusters, beside scikit-learn, and semantic duplicates beside a double loop."""

import numpy as np
import pytest
from sklearn.cluster import KMeans
from sklearn.decomposition import TruncatedSVD
from sklearn.feature_extraction.text import TfidfTransformer

from assay.foundry import documents
from assay.signals.kmeans import nearest, spherical_kmeans
from assay.signals.semdedup import closest_before
from assay.signals.text.embeddings import BUCKETS, Embedding
from assay.signals.text.ngrams import Grams


@pytest.fixture(scope="module")
def texts() -> list[str]:
    return [page.text for page in documents(0, 500)]


@pytest.fixture(scope="module")
def model(texts: list[str]) -> Embedding:
    return Embedding.fit([texts[:200], texts[200:]], dimensions=16)


def test_vectors_are_scikit_learns(texts: list[str], model: Embedding) -> None:
    counts = Grams.of(texts, BUCKETS).counts(BUCKETS)
    weighted = TfidfTransformer(sublinear_tf=True).fit_transform(counts)
    theirs = TruncatedSVD(16, algorithm="arpack", random_state=1).fit_transform(weighted)
    theirs /= np.linalg.norm(theirs, axis=1, keepdims=True)
    ours = model.transform(texts)
    # Directions are unique up to their sign.
    assert np.abs((ours * theirs).sum(axis=0)) == pytest.approx((ours * ours).sum(axis=0), rel=1e-3)
    assert np.abs(ours @ ours.T - theirs @ theirs.T).max() < 1e-3


def test_the_same_texts_give_the_same_bytes(texts: list[str], model: Embedding) -> None:
    again = Embedding.fit([texts[:200], texts[200:]], dimensions=16)
    assert again.transform(texts[:9]).tobytes() == model.transform(texts[:9]).tobytes()


def test_an_empty_text_is_at_the_origin_and_others_have_length_one(model: Embedding) -> None:
    found = np.linalg.norm(model.transform(["", "The cat sleeps. It is warm."]), axis=1)
    assert found == pytest.approx([0.0, 1.0], abs=1e-5)


def gathered(n: int, groups: int, seed: int) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    centres = rng.standard_normal((groups, 24))
    truth = rng.integers(0, groups, n)
    vectors = centres[truth] + 0.35 * rng.standard_normal((n, 24))
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    return vectors.astype(np.float32), truth


def test_clusters_are_about_as_tight_as_scikit_learns() -> None:
    vectors, _ = gathered(12_000, 40, 0)
    _, ours = nearest(vectors, spherical_kmeans(vectors, 60, seed=0))
    theirs = KMeans(60, n_init=1, init="random", random_state=0).fit(vectors).cluster_centers_
    theirs /= np.linalg.norm(theirs, axis=1, keepdims=True)
    _, best = nearest(vectors, theirs.astype(np.float32))
    assert 1 - ours.mean() < 1.1 * (1 - best.mean())


def test_clusters_are_nearest_directions_and_repeat() -> None:
    vectors, _ = gathered(5_000, 8, 1)
    centroids = spherical_kmeans(vectors.astype(np.float16), 12, seed=3)
    assert np.linalg.norm(centroids, axis=1) == pytest.approx(np.ones(12), abs=1e-5)
    assert np.array_equal(centroids, spherical_kmeans(vectors.astype(np.float16), 12, seed=3))
    labels, cosines = nearest(vectors, centroids)
    table = vectors @ centroids.T
    assert np.array_equal(labels, table.argmax(axis=1))
    assert cosines == pytest.approx(table.max(axis=1), abs=1e-6)


def test_more_clusters_than_vectors_are_as_many_as_vectors() -> None:
    vectors, _ = gathered(5, 2, 0)
    assert spherical_kmeans(vectors, 9, seed=0).shape == (5, 24)


def test_the_closest_before_is_that_of_a_double_loop(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("assay.signals.semdedup._TABLE", 500)  # several blocks in a cluster
    vectors, labels = gathered(300, 4, 2)
    cosines = np.round(np.random.default_rng(0).random(300), 2)
    found = closest_before(vectors, labels, cosines)
    for j in range(300):
        before = [
            float(vectors[i] @ vectors[j])
            for i in range(300)
            if labels[i] == labels[j] and (cosines[i], i) < (cosines[j], j)
        ]
        assert found[j] == pytest.approx(max(before, default=-1.0), abs=1e-5)
