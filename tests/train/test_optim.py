import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from assay.track.spec import Schedule
from assay.train.average import WeightAverage
from assay.train.optim import lr_frac


@given(
    st.integers(0, 20), st.sampled_from(["linear", "cosine"]), st.floats(0, 1), st.integers(25, 200)
)
def test_the_schedule_rises_to_its_peak_and_falls_to_its_end(warmup, decay, final, steps) -> None:
    schedule = Schedule(warmup_steps=warmup, decay=decay, final_frac=final)
    fracs = [lr_frac(schedule, step, steps) for step in range(steps)]
    assert max(fracs) == pytest.approx(1.0)
    assert fracs[-1] == pytest.approx(final)
    assert fracs[:warmup] == sorted(fracs[:warmup])
    assert fracs[warmup:] == sorted(fracs[warmup:], reverse=True)


def test_the_cosine_agrees_with_torch() -> None:
    weight = torch.nn.Parameter(torch.zeros(1))
    optimizer = torch.optim.SGD([weight], lr=1.0)
    theirs = torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, T_max=99, eta_min=0.01)
    ours = Schedule(warmup_steps=0, decay="cosine", final_frac=0.01)
    for step in range(100):
        assert lr_frac(ours, step, 100) == pytest.approx(optimizer.param_groups[0]["lr"], abs=1e-9)
        optimizer.step()
        theirs.step()


def test_the_average_is_the_mean_of_the_last_weights() -> None:
    model = torch.nn.Linear(1, 1, bias=False)
    average = WeightAverage(frac=0.3, steps=10)
    for step in range(10):
        with torch.no_grad():
            model.weight.fill_(float(step))
        average.update(model, step)
    average.apply(model)
    assert average.count == 3
    assert model.weight.item() == pytest.approx((7 + 8 + 9) / 3)


def test_no_averaging_keeps_the_last_step() -> None:
    model = torch.nn.Linear(1, 1, bias=False)
    average = WeightAverage(frac=0.0, steps=4)
    for step in range(4):
        with torch.no_grad():
            model.weight.fill_(float(step))
        average.update(model, step)
    average.apply(model)
    assert model.weight.item() == 3.0
