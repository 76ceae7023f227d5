"""What a run is expected to take and to cost: for planning only, never part of a score."""

from dataclasses import dataclass


@dataclass(frozen=True)
class ScaleCost:
    """A measured or published duration of one seed.

    Attributes:
        seconds: Wall time, training and evaluation.
        machine: On what.
        gpus: Cards that it occupied; 0 for a CPU run.
    """

    seconds: float
    machine: str
    gpus: int


@dataclass(frozen=True)
class Expectation:
    """What one seed will take.

    Attributes:
        seconds: Wall time; None where nobody has measured it.
        usd: Cost of the GPUs; None on a CPU.
        gpus: Cards that it occupies; 0 for a CPU run.
        machine: `here` where this machine's own records say so.
    """

    seconds: float | None
    usd: float | None
    gpus: int
    machine: str

    def measured(self, seconds: float, gpus: int) -> "Expectation":
        """Return what this machine's own records say instead."""
        return Expectation(seconds, None, gpus, "here")


@dataclass(frozen=True)
class Costs:
    """`conf/costs.yaml`.

    Attributes:
        usd_per_gpu_hour: Price of one card.
        scales: By modality and name of the scale.
    """

    usd_per_gpu_hour: float
    scales: dict[str, dict[str, ScaleCost]]

    def expect(self, modality: str, scale: str) -> Expectation:
        """Return the expectation for a scale."""
        cost = self.scales.get(modality, {}).get(scale)
        if cost is None:
            return Expectation(None, None, 0, "")
        usd = cost.seconds / 3600 * cost.gpus * self.usd_per_gpu_hour if cost.gpus else None
        return Expectation(cost.seconds, usd, cost.gpus, f"on {cost.machine}")
