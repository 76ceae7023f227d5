"""Muon in single precision, beside torch's own."""

import pytest
import torch

from assay.train.muon import Muon, orthogonalise

COEFFICIENTS = (3.4445, -4.775, 2.0315)


@pytest.mark.parametrize("shape", [(24, 24), (16, 48), (48, 16)])
def test_steps_are_torchs_but_for_its_coarser_rounding(shape: tuple[int, int]) -> None:
    torch.manual_seed(0)
    ours = torch.nn.Parameter(torch.randn(shape))
    theirs = torch.nn.Parameter(ours.detach().clone())
    options = {"lr": 0.02, "momentum": 0.95, "weight_decay": 0.1}
    mine, reference = Muon([ours], **options), torch.optim.Muon([theirs], **options)
    start = ours.detach().clone()
    for _ in range(5):
        gradient = torch.randn(shape)
        ours.grad, theirs.grad = gradient.clone(), gradient.clone()
        mine.step()
        reference.step()
    moved = (theirs - start).norm()
    assert (ours - theirs).norm() < 0.02 * moved
    ours_state, their_state = mine.state[ours], reference.state[theirs]
    assert ours_state.keys() == their_state.keys()
    assert torch.equal(ours_state["momentum_buffer"], their_state["momentum_buffer"])


@pytest.mark.parametrize("shape", [(12, 40), (40, 12)])
def test_singular_values_end_around_one_in_the_same_directions(shape: tuple[int, int]) -> None:
    torch.manual_seed(1)
    matrix = torch.randn(shape, dtype=torch.float64)
    found = orthogonalise(matrix, COEFFICIENTS, steps=5, eps=1e-7)
    left, _, right = torch.linalg.svd(matrix, full_matrices=False)
    inner = left.T @ found @ right.T
    values = inner.diagonal()
    assert 0.5 < values.min() < values.max() < 1.5
    assert (inner - torch.diag(values)).abs().max() < 1e-10
