"""Min-K%++ against a literal reading of the paper's equations, and areas against scikit-learn."""

import numpy as np
import pytest
import torch
from sklearn.metrics import roc_auc_score

from assay.audit.membership import Separation, _separation, min_k_plus_plus, reading
from assay.text.model import build_model
from tiny import tiny_recipe


@pytest.fixture(scope="module")
def model():
    return build_model(tiny_recipe().model, 0, seed=3).eval()


def literal(model, text: list[int], k: float) -> float:
    """Equations 3 and 4, a token at a time."""
    scores = []
    for place in range(len(text)):
        prefix = torch.tensor([[0, *text[:place]]])
        with torch.no_grad():
            p = torch.softmax(model(input_ids=prefix).logits[0, -1].double(), -1).numpy()
        mu = (p * np.log(p)).sum()
        sigma = np.sqrt((p * (np.log(p) - mu) ** 2).sum())
        scores.append((np.log(p[text[place]]) - mu) / sigma)
    lowest = sorted(scores)[: max(1, int(k * len(scores)))]
    return sum(lowest) / len(lowest)


def test_scores_are_those_of_the_equations(model) -> None:
    rng = np.random.default_rng(0)
    texts = [rng.integers(1, 512, size).tolist() for size in (1, 4, 17, 30, 5)]
    for k in (0.2, 1.0):
        expected = [literal(model, text, k) for text in texts]
        found = min_k_plus_plus(model, texts, eos_id=0, k=k)
        assert np.allclose(found, expected, rtol=0, atol=2e-3)


def test_longer_texts_are_cut_to_what_the_model_sees(model) -> None:
    context = model.config.max_position_embeddings
    text = np.random.default_rng(1).integers(1, 512, context + 40).tolist()
    long, cut = min_k_plus_plus(model, [text, text[:context]], eos_id=0)
    assert long == pytest.approx(cut, abs=1e-5)


def test_separation_is_the_area_under_the_curve() -> None:
    rng = np.random.default_rng(2)
    one, other = rng.normal(0.7, 1, 40).round(1), rng.normal(0, 1, 90).round(1)
    found = _separation(one.tolist(), other.tolist())
    labels = np.repeat([1, 0], [40, 90])
    assert found is not None
    assert found.auroc == pytest.approx(roc_auc_score(labels, np.concatenate([one, other])))
    assert found.p_value < 0.01
    assert _separation([1.0], [1.0, 2.0]) is None


CHANCE, SEES = Separation(0.48, 0.8, 300, 300), Separation(0.62, 1e-6, 300, 300)
"""What a control says at `nano`, and what one says that works."""


@pytest.mark.parametrize(
    ("items", "control", "expected"),
    [
        (SEES, CHANCE, "cannot see leakage: its control tells"),
        (None, CHANCE, "with AUROC 0.480 (p 0.8), which is chance"),
        (SEES, None, "no control"),
        (None, SEES, "too few items"),
        (CHANCE, SEES, "AUROC is 0.480 (p 0.8): no sign"),
        (SEES, SEES, "AUROC is 0.620 (p 1e-06): evidence"),
    ],
)
def test_a_reading_rests_on_the_control(
    items: Separation | None, control: Separation | None, expected: str
) -> None:
    assert expected in reading(items, control)
