import numpy as np
import pytest

from assay.stats.laws import (
    cmr_general_rise,
    critical_mixture_ratio,
    d_cpt_loss,
    fit_cmr,
    fit_d_cpt,
    fit_shared_power_law,
)

PLANTED = {
    "E": 1.5, "A": 3.0, "alpha": 0.35, "B": 0.8, "eta": 0.3, "beta": 0.3, "C": 0.05, "epsilon": 0.1, "gamma": 0.6,
}  # fmt: skip
SIZES, TOKENS, RATIOS = (2e6, 8e6, 2e7), (1e8, 3e8, 1e9), (0.125, 0.25, 0.333, 0.5, 0.75)
RUNS = np.array([(n, d, r) for n in SIZES for d in TOKENS for r in RATIOS]).T


def test_d_cpt_recovers_what_was_planted() -> None:
    found = fit_d_cpt(*RUNS, d_cpt_loss(PLANTED, *RUNS), seed=0)
    assert found.n == 45
    assert found.parameters == pytest.approx(PLANTED, rel=1e-3)


def test_d_cpt_extrapolates_from_noisy_runs() -> None:
    noise = np.exp(np.random.default_rng(18).normal(0, 0.001, 45))
    found = fit_d_cpt(*RUNS, d_cpt_loss(PLANTED, *RUNS) * noise, seed=0)
    beyond = np.array([5e7]), np.array([2e9]), np.array([0.4])
    assert d_cpt_loss(found.parameters, *beyond) == pytest.approx(
        d_cpt_loss(PLANTED, *beyond), rel=3e-3
    )


def test_cmr_recovers_the_curve_that_was_planted() -> None:
    planted = {"alpha2": 0.05, "s2": 0.3, "alpha3": -0.2, "s3": -0.8, "beta2": 0.02}
    budget = np.arange(1.0, 41.0)
    found = fit_cmr(budget, np.asarray(cmr_general_rise(planted, budget)), seed=0)
    assert found.parameters == pytest.approx(planted, abs=2e-3)
    assert cmr_general_rise(found.parameters, 80.0) == pytest.approx(
        cmr_general_rise(planted, 80.0), abs=1e-3
    )


def test_the_critical_ratio_is_the_largest_tolerated() -> None:
    assert critical_mixture_ratio([0.125, 0.25, 0.5], [0.01, 0.05, 0.2]) == 0.25
    assert critical_mixture_ratio([0.125], [0.2]) is None


def test_the_shared_exponent_is_recovered() -> None:
    compute = np.array([1e12, 1e13, 1e14, 1e15])
    scores = np.stack([e - a * (compute / 1e12) ** -0.3 for e, a in ((0.6, 0.5), (0.7, 0.6))])
    found = fit_shared_power_law(compute, scores)
    assert found is not None
    assert found.alpha == pytest.approx(0.3, abs=1e-4)
    assert found.predict(1, 1e16) == pytest.approx(0.7 - 0.6 * 1e4**-0.3, abs=1e-4)
    assert fit_shared_power_law(compute[:2], scores[:, :2]) is None
