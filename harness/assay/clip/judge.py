"""What a model's similarities say about the right answers: ranks, ties and probabilities."""

from collections.abc import Sequence
from dataclasses import dataclass, field

import torch
from torch import Tensor

_MAX_SCORES = 1 << 23
"""Similarities held at a time; 8 million are 100 MB with what is made of them."""


@dataclass
class Verdicts:
    """One entry a question; `assay.score.clip.CLIP_OUTPUT_SCHEMA` says what each means."""

    top: list[list[int]] = field(default_factory=list)
    rank: list[int] = field(default_factory=list)
    tied: list[int] = field(default_factory=list)
    log_prob: list[float] = field(default_factory=list)


@torch.inference_mode()
def judge(
    questions: Tensor,
    candidates: Tensor,
    golds: Sequence[Sequence[int]],
    *,
    logit_scale: float,
    depth: int,
) -> Verdicts:
    """Compare every question with every candidate.

    Args:
        questions: (q, d) unit vectors.
        candidates: (n, d) unit vectors, on the same device.
        golds: Right candidates of each question, one or more.
        logit_scale: What similarities are multiplied by before the softmax.
        depth: How many of the likeliest candidates to name; of equal ones, the first.
    """
    verdicts = Verdicts()
    rows = max(1, _MAX_SCORES // len(candidates))
    for start in range(0, len(questions), rows):
        scores = questions[start : start + rows] @ candidates.T
        _judge_block(scores, golds[start : start + rows], logit_scale, depth, verdicts)
    return verdicts


def _judge_block(
    scores: Tensor,
    golds: Sequence[Sequence[int]],
    logit_scale: float,
    depth: int,
    verdicts: Verdicts,
) -> None:
    row = [number for number, gold in enumerate(golds) for _ in gold]
    column = [candidate for gold in golds for candidate in gold]
    is_gold = torch.zeros_like(scores, dtype=torch.bool)
    is_gold[row, column] = True
    best = scores.masked_fill(~is_gold, -torch.inf).amax(dim=1, keepdim=True)
    verdicts.rank += (scores > best).sum(dim=1).tolist()
    verdicts.tied += ((scores == best) & ~is_gold).sum(dim=1).tolist()
    logits = scores.double() * logit_scale
    gold = logits.masked_fill(~is_gold, -torch.inf).logsumexp(dim=1)
    verdicts.log_prob += (gold - logits.logsumexp(dim=1)).clamp(max=0.0).tolist()
    verdicts.top += _top(scores, depth).tolist()


def _top(scores: Tensor, depth: int) -> Tensor:
    """Return the likeliest candidates; `argmax` names the first of equals, where `topk` promises nothing."""
    left = scores.clone()
    found: list[Tensor] = []
    for _ in range(min(depth, scores.shape[1])):
        found.append(left.argmax(dim=1, keepdim=True))
        left.scatter_(1, found[-1], -torch.inf)
    return torch.cat(found, dim=1)
