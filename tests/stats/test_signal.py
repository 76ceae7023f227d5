import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from assay.stats.noise import Noise, estimate_noise, pooled_sd
from assay.stats.rules import rerun_tolerance
from assay.stats.signal import LOWEST_RATIO, Signal, at_chance, sd_interval, signal_of

TABLES = st.lists(
    st.lists(st.floats(-1, 1), min_size=3, max_size=3, unique=True), min_size=2, max_size=6
)


def pooled(table: np.ndarray) -> Noise:
    sd, degrees = pooled_sd(table.tolist())
    return Noise(sd, degrees, {}, {str(i): row for i, row in enumerate(table.tolist())})


def signal(table: np.ndarray) -> Signal:
    found = signal_of(pooled(table))
    assert found is not None
    return found


def test_the_ratio_follows_from_scipys_analysis_of_variance() -> None:
    rng = np.random.default_rng(1)
    table = rng.normal(0, 1, (5, 4)) + np.array([[0.0], [1.0], [2.5], [3.0], [7.0]])
    found = signal(table)
    f = stats.f_oneway(*table).statistic
    assert found.ratio == pytest.approx(math.sqrt((f - 1) / 4), rel=1e-10)
    means = table.mean(axis=1)
    assert found.spread == pytest.approx(float(np.ptp(means)))
    # Signal and Noise: spread / mean over sd / mean.
    assert found.relative_spread == pytest.approx(float(np.ptp(means) / table.mean()))
    noise = math.sqrt(table.var(axis=1, ddof=1).mean())
    assert found.range_ratio == pytest.approx(
        found.relative_spread / (noise / float(table.mean())), rel=1e-10
    )


def test_the_scatter_between_submissions_is_estimated_without_bias() -> None:
    rng = np.random.default_rng(2)
    squares = [
        signal(rng.normal(0, 3, (6, 1)) + rng.normal(0, 1.5, (6, 3))).between_sd ** 2
        for _ in range(3000)
    ]
    assert np.mean(squares) == pytest.approx(9, rel=0.03)


def test_equal_submissions_have_a_range_and_no_signal() -> None:
    rng = np.random.default_rng(3)
    found = [signal(rng.normal(0, 1, (10, 3))) for _ in range(1000)]
    assert np.mean([one.range_ratio > LOWEST_RATIO for one in found]) > 0.3  # type: ignore[operator]
    assert max(one.ratio for one in found) < LOWEST_RATIO  # type: ignore[type-var]


@given(TABLES, st.floats(-5, 5), st.floats(0.5, 4))
def test_shift_and_unit_do_not_change_the_ratio(
    rows: list[list[float]], shift: float, unit: float
) -> None:
    table = np.round(np.array(rows), 3)
    if (table.std(axis=1) < 0.01).any():
        return
    one, other = signal(table), signal(table * unit + shift)
    assert other.ratio == pytest.approx(one.ratio, rel=1e-6, abs=1e-4)
    assert other.spread == pytest.approx(unit * one.spread, rel=1e-6, abs=1e-9)


def test_one_submission_or_one_seed_each_has_no_signal() -> None:
    assert signal_of(estimate_noise({"a": [1.0, 2.0]})) is None
    assert signal_of(estimate_noise({"a": [1.0], "b": [2.0]})) is None


def test_without_any_noise_there_is_no_ratio() -> None:
    found = signal(np.array([[1.0, 1.0], [3.0, 3.0]]))
    assert (found.ratio, found.range_ratio, found.spread, found.between_sd) == (
        None,
        None,
        2.0,
        pytest.approx(math.sqrt(2)),
    )


def test_the_interval_of_a_deviation_is_the_published_one() -> None:
    # NIST/SEMATECH e-Handbook, upper critical values of chi-square: 20.483 and 3.247 at 10 degrees.
    low, high = sd_interval(1.0, 10)
    assert low == pytest.approx(math.sqrt(10 / 20.483), rel=1e-4)
    assert high == pytest.approx(math.sqrt(10 / 3.247), rel=1e-4)
    expected = 2.5 * math.sqrt(7 / stats.chi2.ppf(0.05, 7))
    assert sd_interval(2.5, 7, 0.9)[1] == pytest.approx(expected, rel=1e-12)


def test_the_interval_of_a_deviation_covers() -> None:
    rng = np.random.default_rng(4)
    sds = np.sqrt(rng.normal(0, 2, (4000, 3, 4)).var(axis=2, ddof=1).mean(axis=1))
    ends = np.array([sd_interval(float(sd), 9) for sd in sds])
    covered = ((ends[:, 0] <= 2) & (ends[:, 1] >= 2)).mean()
    assert 0.94 < covered < 0.96


def test_guessing_is_called_chance_and_skill_is_not() -> None:
    rng = np.random.default_rng(5)
    false = 0
    for _ in range(2000):
        table = rng.normal(0, 0.1, (6, 3))
        noise = pooled(table)
        assert noise.sd is not None
        error = noise.sd / math.sqrt(3)
        false += not at_chance(table.mean(axis=1).tolist(), [error] * 6, noise.degrees)
    assert 0.03 < false / 2000 < 0.06
    assert not at_chance([0.0, 0.5], [0.05, 0.05], 8)
    assert at_chance([-0.4, 0.09], [0.05, 0.05], 0)  # 1.96 errors are allowed to one of two
    assert not at_chance([-0.4, 0.099], [0.05, 0.05], 0)


def test_means_of_several_reruns_stay_within_their_tolerance() -> None:
    rng = np.random.default_rng(6)
    claims, reruns = rng.normal(0, 1, (6000, 4, 5)), rng.normal(0, 1, (6000, 3))
    sds = np.sqrt(claims.var(axis=2, ddof=1).mean(axis=1))
    gaps = np.abs(reruns.mean(axis=1) - claims[:, 0].mean(axis=1))
    within = [gap <= rerun_tolerance(sd, 16, 5, 3) for gap, sd in zip(gaps, sds, strict=True)]
    assert 0.985 < np.mean(within) < 0.995
    assert rerun_tolerance(2.0, 16, 5) == rerun_tolerance(2.0, 16, 5, 1)
