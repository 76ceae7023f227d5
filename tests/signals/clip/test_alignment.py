"""negCLIPLoss and NormSim, beside their formulas written out and torch's cross-entropy."""

import numpy as np
import pytest
import torch
from torch.nn import functional as F

from assay.order import drawn_order
from assay.signals.clip.alignment import neg_clip_loss, norm_sim


def unit(rng: np.random.Generator, n: int, d: int = 12) -> np.ndarray:
    vectors = rng.normal(size=(n, d)).astype(np.float32)
    return vectors / np.linalg.norm(vectors, axis=1, keepdims=True)


@pytest.mark.parametrize(("n", "batch_size", "partitions"), [(7, 100, 1), (23, 8, 3), (40, 10, 2)])
def test_it_is_the_cosine_less_both_log_sums_averaged_over_partitions(n, batch_size, partitions):
    rng = np.random.default_rng(n)
    images, texts, t = unit(rng, n), unit(rng, n), 0.07
    total = np.zeros(n)
    for number in range(partitions):
        mixed = drawn_order(n, "negative batches", 5, number)
        for batch in np.array_split(mixed, -(-n // batch_size)):
            assert len(batch) <= batch_size
            for i in batch:
                by_text = np.log(sum(np.exp(images[i] @ texts[j] / t) for j in batch))
                by_image = np.log(sum(np.exp(images[j] @ texts[i] / t) for j in batch))
                total[i] += images[i] @ texts[i] - t / 2 * (by_text + by_image)
    found = neg_clip_loss(
        images, texts, temperature=t, batch_size=batch_size, partitions=partitions, seed=5
    )
    assert found == pytest.approx(total / partitions, abs=1e-5)


def test_in_one_batch_it_is_each_pairs_part_of_the_contrastive_loss():
    rng = np.random.default_rng(2)
    images, texts, t = unit(rng, 700), unit(rng, 700), 0.05
    found = neg_clip_loss(images, texts, temperature=t, batch_size=700, partitions=1, seed=0)
    logits = torch.from_numpy(images @ texts.T / t)
    gold = torch.arange(700)
    losses = [F.cross_entropy(table, gold, reduction="none") for table in (logits, logits.T)]
    assert found == pytest.approx((-t * sum(losses) / 2).numpy(), abs=1e-5)


@pytest.mark.parametrize("order", [2, np.inf])
def test_norm_sim_is_the_norm_of_cosines(order):
    rng = np.random.default_rng(4)
    vectors, target = unit(rng, 1030), unit(rng, 9)
    found = norm_sim(vectors, target, order=order)
    for row in (0, 511, 512, 1029):
        cosines = [abs(float(vectors[row] @ other)) for other in target]
        slow = max(cosines) if order == np.inf else sum(c * c for c in cosines) ** 0.5
        assert found[row] == pytest.approx(slow, abs=1e-5)
    covariance = target.T @ target
    if order == 2:
        assert found**2 == pytest.approx(((vectors @ covariance) * vectors).sum(1), abs=1e-4)
