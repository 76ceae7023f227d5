"""Density-based pruning: the closed form beside a solver that nobody here wrote."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.optimize import minimize

from assay.signals.clip.density import complexity, quotas, water_fill

sizes_of = st.lists(st.integers(0, 60), min_size=1, max_size=12).filter(lambda s: sum(s) > 0)


@given(sizes_of, st.floats(0, 1), st.floats(0.02, 2), st.floats(0, 1), st.integers(0, 99))
def test_quotas_are_whole_and_add_up_within_what_clusters_have(sizes, part, tau, balance, seed):
    sizes = np.array(sizes)
    amount = round(part * sizes.sum())
    found = quotas(
        np.random.default_rng(seed).random(len(sizes)),
        sizes,
        amount,
        temperature=tau,
        balance=balance,
    )
    assert found.sum() == amount
    assert (found >= 0).all()
    assert (found <= sizes).all()
    least = np.minimum(np.floor(balance * amount / len(sizes)), np.maximum(sizes - 1, 0))
    assert (found >= least).all()


@pytest.mark.parametrize("seed", range(8))
def test_the_closed_form_is_the_solution_of_the_quadratic_program(seed):
    rng = np.random.default_rng(seed)
    k = int(rng.integers(2, 15))
    most = rng.integers(1, 80, k).astype(float)
    least = np.minimum(rng.integers(0, 10, k), most - 1).clip(0).astype(float)
    amount = float(rng.integers(int(least.sum()), int(most.sum()) + 1))
    wanted = rng.dirichlet(np.ones(k)) * amount
    solved = minimize(
        lambda x: 0.5 * x @ x - wanted @ x,
        x0=least + (most - least) * (amount - least.sum()) / (most - least).sum(),
        jac=lambda x: x - wanted,
        bounds=list(zip(least, most, strict=True)),
        constraints={"type": "eq", "fun": lambda x: x.sum() - amount, "jac": np.ones_like},
        method="SLSQP",
        options={"ftol": 1e-10, "maxiter": 500},
    ).x
    assert solved.sum() == pytest.approx(amount, abs=1e-6)
    ours = water_fill(wanted, least, most, amount)
    assert ours == pytest.approx(solved, abs=1e-3)
    assert np.sum((ours - wanted) ** 2) <= np.sum((solved - wanted) ** 2) + 1e-6


@settings(max_examples=50)
@given(st.lists(st.floats(0, 50), min_size=1, max_size=10), st.floats(0, 1), st.integers(0, 99))
def test_water_filling_meets_every_bound(wanted, part, seed):
    rng = np.random.default_rng(seed)
    least = rng.random(len(wanted)) * 5
    most = least + rng.random(len(wanted)) * 30
    amount = least.sum() + part * (most - least).sum()
    found = water_fill(np.array(wanted), least, most, amount)
    assert found.sum() == pytest.approx(amount)
    assert (found >= least - 1e-9).all()
    assert (found <= most + 1e-9).all()


def test_complexity_is_distance_within_times_distance_between():
    rng = np.random.default_rng(1)
    centroids = rng.normal(size=(30, 5))
    centroids /= np.linalg.norm(centroids, axis=1, keepdims=True)
    vectors = rng.normal(size=(400, 5))
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    labels = (vectors @ centroids.T).argmax(1)
    cosines = (vectors @ centroids.T).max(1)
    found = complexity(labels, cosines, centroids)
    for cluster in range(30):
        members = np.flatnonzero(labels == cluster)
        within = np.mean([1 - vectors[i] @ centroids[cluster] for i in members] or [0.0])
        gaps = sorted(1 - centroids[cluster] @ centroids[j] for j in range(30) if j != cluster)
        assert found[cluster] == pytest.approx(within * np.mean(gaps[:20]))
