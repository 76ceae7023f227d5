"""Curves fitted over runs: score against compute, and loss against the ratio of a data mixture.

Aids for plots and for choosing the next run. None decides a ranking: no scaling law tried in DataDecide
(2504.11393) beat the order at the largest small scale.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]

STARTS = 8
"""Starting points of each fit: these surfaces have many poor minima."""
HUBER_DELTA = 1e-3
"""Residuals beyond it, in log loss, count linearly."""
TOLERATED_LOSS = 0.05
"""Rise of the general loss up to which a mixture ratio is fine, in CMR."""


@dataclass(frozen=True)
class SharedPowerLaw:
    """`B(C) = E_s - A_s C^-alpha`, one exponent for all submissions.

    Attributes:
        alpha: The exponent.
        limits: E of each submission.
        gains: A of each submission; compute is relative to the smallest that was given.
        unit: That smallest compute.
    """

    alpha: float
    limits: tuple[float, ...]
    gains: tuple[float, ...]
    unit: float

    def predict(self, index: int, compute: float) -> float:
        """Return the fitted score of a submission."""
        power = (compute / self.unit) ** -self.alpha
        return self.limits[index] - self.gains[index] * power


def fit_shared_power_law(compute: Floats, scores: Floats) -> SharedPowerLaw | None:
    """Fit by least squares; for each exponent the other parameters are linear.

    Args:
        compute: FLOPs of each scale, ascending.
        scores: Submissions x scales.

    Returns:
        None below three scales: two points fix a curve, whatever its exponent.
    """
    from scipy.optimize import minimize_scalar

    if len(compute) < 3:
        return None
    relative = compute / compute[0]

    def solve(alpha: float) -> tuple[Floats, float]:
        design = np.column_stack([np.ones_like(relative), -(relative**-alpha)])
        linear = np.asarray(np.linalg.lstsq(design, scores.T, rcond=None)[0], dtype=np.float64)
        return linear, float(((design @ linear - scores.T) ** 2).sum())

    found: Any = minimize_scalar(lambda a: solve(a)[1], bounds=(0.01, 2.0), method="bounded")
    alpha = float(found.x)
    limits, gains = solve(alpha)[0]
    return SharedPowerLaw(alpha, tuple(limits.tolist()), tuple(gains.tolist()), float(compute[0]))


@dataclass(frozen=True)
class FittedLaw:
    """A law with its parameters.

    Attributes:
        law: `d-cpt` or `cmr`.
        parameters: By the letters of its paper.
        rmse: Root mean squared error of log loss for `d-cpt`, of the loss difference for `cmr`.
        n: Runs.
    """

    law: str
    parameters: dict[str, float]
    rmse: float
    n: int


D_CPT_PARAMETERS: tuple[str, ...] = ("E", "A", "alpha", "B", "eta", "beta", "C", "epsilon", "gamma")


def d_cpt_loss(p: dict[str, float], params: Floats, tokens: Floats, ratio: Floats) -> Floats:
    """Return the loss on the domain: `E + A/N^alpha + B r^eta / D^beta + C / (r + epsilon)^gamma`.

    Args:
        p: The nine parameters; N is in millions and D in billions.
        params: Parameters of the model.
        tokens: Trained on.
        ratio: Share of the domain in the mixture, in (0, 1].

    Source:
        Que et al. (2024), https://arxiv.org/abs/2406.01375.
    """
    size, data = params / 1e6, tokens / 1e9
    return (
        p["E"]
        + p["A"] / size ** p["alpha"]
        + p["B"] * ratio ** p["eta"] / data ** p["beta"]
        + p["C"] / (ratio + p["epsilon"]) ** p["gamma"]
    )


def fit_d_cpt(
    params: Floats, tokens: Floats, ratio: Floats, loss: Floats, *, seed: int
) -> FittedLaw:
    """Fit the D-CPT law by Huber loss on log loss from many starts.

    Args:
        params: Of each run; nine runs or more with at least two sizes, budgets and ratios are needed.
        tokens: Of each run.
        ratio: Of each run.
        loss: On the domain, above 0.
        seed: Of the starts.
    """
    observed = np.log(loss)

    def residual(theta: Floats) -> Floats:
        p = dict(zip(D_CPT_PARAMETERS, np.exp(theta).tolist(), strict=True))
        return np.log(d_cpt_loss(p, params, tokens, ratio)) - observed

    low = np.log([0.01, 1e-3, 0.02, 1e-3, 0.02, 0.02, 1e-3, 1e-3, 0.02])
    high = np.log([loss.min(), 1e3, 2, 1e3, 2, 2, 10, 1, 2])
    theta = _best_fit(residual, low, high, seed, HUBER_DELTA)
    named = dict(zip(D_CPT_PARAMETERS, np.exp(theta).tolist(), strict=True))
    return FittedLaw("d-cpt", named, _rmse(residual(theta)), len(loss))


CMR_PARAMETERS: tuple[str, ...] = ("alpha2", "s2", "alpha3", "s3", "beta2")


def cmr_general_rise(p: dict[str, float], budget: Floats | float) -> Floats | float:
    """Return the rise of the general loss: `alpha2 T^s2 + alpha3 T^s3 + beta2`; T in units of 0.2B tokens.

    Source:
        Gu et al. (2024), https://arxiv.org/abs/2407.17467.
    """
    return p["alpha2"] * budget ** p["s2"] + p["alpha3"] * budget ** p["s3"] + p["beta2"]


def fit_cmr(budget: Floats, rise: Floats, *, seed: int) -> FittedLaw:
    """Fit the general-loss curve of one mixture ratio over a run's checkpoints.

    Args:
        budget: T of each checkpoint, in units of 0.2B tokens, above 0.
        rise: General loss minus that of the base model.
        seed: Of the starts.
    """

    def residual(theta: Floats) -> Floats:
        p = dict(zip(CMR_PARAMETERS, theta.tolist(), strict=True))
        return np.asarray(cmr_general_rise(p, budget)) - rise

    # One term that rises at first and one that wears off; their order is a convention, not a finding.
    low, high = np.array([-5, 0, -5, -3, -5]), np.array([5, 2, 5, 0, 5])
    theta = _best_fit(residual, low.astype(float), high.astype(float), seed, HUBER_DELTA)
    named = dict(zip(CMR_PARAMETERS, theta.tolist(), strict=True))
    return FittedLaw("cmr", named, _rmse(residual(theta)), len(rise))


CMR_DOMAIN: tuple[str, str, str] = ("alpha1", "s1", "beta1")
CMR_CRITICAL: tuple[str, str, str] = ("alpha4", "s4", "beta3")


def fit_power_curve(
    budget: Floats, values: Floats, names: tuple[str, str, str], *, seed: int
) -> FittedLaw:
    """Fit `alpha T^s + beta`: CMR's curve of the domain loss, and of the critical ratio itself.

    Args:
        budget: T, in units of 0.2B tokens, above 0; four or more.
        values: Change of the domain loss, or critical ratios.
        names: Of alpha, s and beta in the paper.
        seed: Of the starts.
    """

    def residual(theta: Floats) -> Floats:
        return theta[0] * budget ** theta[1] + theta[2] - values

    low, high = np.array([-5.0, -3.0, -5.0]), np.array([5.0, 2.0, 5.0])
    theta = _best_fit(residual, low, high, seed, HUBER_DELTA)
    named = dict(zip(names, theta.tolist(), strict=True))
    return FittedLaw("cmr", named, _rmse(residual(theta)), len(values))


def critical_mixture_ratio(ratios: Sequence[float], rises: Sequence[float]) -> float | None:
    """Return the largest ratio whose general loss rises by no more than tolerated, or None."""
    fine = [r for r, rise in zip(ratios, rises, strict=True) if rise <= TOLERATED_LOSS]
    return max(fine, default=None)


def _best_fit(
    residual: Callable[[Floats], Floats], low: Floats, high: Floats, seed: int, scale: float
) -> Floats:
    from scipy.optimize import least_squares

    rng = np.random.default_rng(seed)
    fits = [
        least_squares(
            residual, start, bounds=(low, high), loss="huber", f_scale=scale, max_nfev=400
        )
        for start in rng.uniform(low, high, (STARTS, len(low)))
    ]
    return min(fits, key=lambda fit: fit.cost).x


def _rmse(residuals: Floats) -> float:
    return float(np.sqrt(np.mean(residuals**2)))
