"""Min-K%++: does a trained model know leaked items better than it should? Evidence, never proof."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import torch
import torch.nn.functional as F
from numpy.typing import NDArray
from scipy.stats import mannwhitneyu
from torch import Tensor

from assay.audit.ngrams import solved_text
from assay.pool import Pool
from assay.suite import Suite
from assay.suite.files import read_items
from assay.text.model import load_checkpoint

if TYPE_CHECKING:
    from tokenizers import Tokenizer
    from transformers import PreTrainedModel

K = 0.2
"""Share of a text's tokens that count, those with the lowest scores; the paper's default."""

BATCH_TOKENS = 8_192
CONTROL_DOCUMENTS = 300
SEED = 21
CHANCE_LEVEL = 0.05
"""A control whose p-value is not below it cannot be told from chance, and neither can anything that rests on it."""

MIN_ITEMS = 2
"""Of each kind; fewer are compared with nothing."""


@dataclass(frozen=True)
class Separation:
    """How well scores tell two groups apart.

    Attributes:
        auroc: Probability that one of the suspected scores higher than one of the others, ties half; 0.5
            is no evidence.
        p_value: One-sided Mann-Whitney test that the suspected score higher.
        suspected: Texts that training has seen, as far as is known.
        others: Texts that it has not.
    """

    auroc: float
    p_value: float
    suspected: int
    others: int


@dataclass(frozen=True)
class Membership:
    """Evidence from one checkpoint.

    Attributes:
        checkpoint: Its folder.
        k: Share of tokens that count.
        items: Leaked items against the other items of the same tasks, scores standardised by task; None
            where too few are leaked.
        control: Selected documents against others of the pool: whether the method sees anything at this
            scale; None where all of the pool is selected.
        reading: What both say together, for people.
    """

    checkpoint: str
    k: float
    items: Separation | None
    control: Separation | None
    reading: str


def membership(
    checkpoint: Path,
    pool: Pool,
    suite: Suite,
    folder: Path,
    *,
    leaked: Mapping[str, set[int]],
    selected: NDArray[np.int64],
    device: str = "cpu",
) -> Membership:
    """Compare what a model makes of leaked items and of others.

    Args:
        checkpoint: Folder of a run's model.
        pool: That it was trained on a part of.
        suite: With the items.
        folder: The suite's item files, verified.
        leaked: Task to leaked items.
        selected: Rows that the model was trained on.
        device: Where to run it.
    """
    model = load_checkpoint(checkpoint, device)
    tokenizer = pool.tokenizer()
    suspected: list[float] = []
    others: list[float] = []
    for task in suite.tasks:
        items = leaked.get(task.name, set())
        if not items:
            continue
        texts = (solved_text(task, item) for item in read_items(suite, task, folder))
        scores = min_k_plus_plus(model, _encoded(texts, tokenizer), eos_id=pool.eos_id)
        is_leaked = np.isin(np.arange(len(scores)), sorted(items))
        rest = scores[~is_leaked]
        if len(rest) < MIN_ITEMS:
            continue
        standard = (scores - rest.mean()) / max(float(rest.std()), 1e-12)
        suspected += standard[is_leaked].tolist()
        others += standard[~is_leaked].tolist()
    control = _control(model, pool, selected)
    found = _separation(suspected, others)
    return Membership(str(checkpoint), K, found, control, reading(found, control))


def reading(items: Separation | None, control: Separation | None) -> str:
    """Say what the test has shown: nothing about items unless the control tells what training has seen."""
    if control is None:
        return (
            "Reading: no control, since the whole pool is selected: whether the test sees anything at this "
            "scale is not known."
        )
    seen = f"its control tells what training has seen from other documents with AUROC {control.auroc:.3f}"
    if control.p_value >= CHANCE_LEVEL:
        return (
            f"Reading: at this scale the test cannot see leakage: {seen} (p {control.p_value:.2g}), which is "
            "chance. Whatever it says of items is no evidence, for a leak or against one."
        )
    if items is None:
        return (
            f"Reading: the test works at this scale ({seen}), and too few items leak to be tested."
        )
    found = f"of leaked items the AUROC is {items.auroc:.3f} (p {items.p_value:.2g})"
    if items.p_value >= CHANCE_LEVEL:
        return f"Reading: the test works at this scale ({seen}); {found}: no sign that training kept them."
    return f"Reading: the test works at this scale ({seen}); {found}: evidence that training kept them."


def _control(
    model: "PreTrainedModel", pool: Pool, selected: NDArray[np.int64]
) -> Separation | None:
    draw = np.random.default_rng(SEED)
    outside = np.setdiff1d(np.arange(pool.n), selected)
    scores = []
    for rows in (np.unique(selected), outside):
        sample = draw.choice(rows, min(CONTROL_DOCUMENTS, len(rows)), replace=False)
        tokens = [pool.tokens(int(row)).tolist() for row in np.sort(sample)]
        scores.append(min_k_plus_plus(model, tokens, eos_id=pool.eos_id).tolist())
    return _separation(*scores)


def _separation(suspected: Sequence[float], others: Sequence[float]) -> Separation | None:
    if min(len(suspected), len(others)) < MIN_ITEMS:
        return None
    test = mannwhitneyu(suspected, others, alternative="greater")
    pairs = len(suspected) * len(others)
    return Separation(
        float(test.statistic) / pairs, float(test.pvalue), len(suspected), len(others)
    )


def min_k_plus_plus(
    model: "PreTrainedModel", texts: Iterable[Sequence[int]], *, eos_id: int, k: float = K
) -> NDArray[np.float64]:
    """Return each text's Min-K%++ score: the higher, the likelier it was trained on.

    A token's score is its log-probability less the mean of all log-probabilities under the model's own
    next-token distribution, over their standard deviation; a text's is the mean of its lowest `k`.

    Args:
        model: A causal language model.
        texts: Token ids, cut to what the model can see; one token at least.
        eos_id: Put before each text, as in training.
        k: Share of tokens that count, in (0, 1].

    Source:
        Zhang et al. (2024), https://arxiv.org/abs/2404.02936, equations 3 and 4.
    """
    longest = model.config.max_position_embeddings
    sequences = [[eos_id, *text][: longest + 1] for text in texts]
    scores = np.zeros(len(sequences))
    for places in _batches([len(sequence) for sequence in sequences]):
        rows = [torch.tensor(sequences[i]) for i in places]
        tokens = torch.nn.utils.rnn.pad_sequence(rows, batch_first=True, padding_value=eos_id)
        per_token = _token_scores(model, tokens.to(model.device)).double().cpu().numpy()
        for place, row in zip(places, per_token, strict=True):
            known = np.sort(row[: len(sequences[place]) - 1])
            scores[place] = known[: max(1, int(len(known) * k))].mean()
    return scores


@torch.inference_mode()
def _token_scores(model: "PreTrainedModel", tokens: Tensor) -> Tensor:
    """Return the standardised log-probability of every token but the first, (b, t - 1)."""
    logits = model(input_ids=tokens[:, :-1], use_cache=False).logits.float()
    log_probs = F.log_softmax(logits, dim=-1)
    probs = log_probs.exp()
    mean = (probs * log_probs).sum(-1)
    variance = (probs * log_probs.square()).sum(-1) - mean.square()
    chosen = log_probs.gather(-1, tokens[:, 1:, None]).squeeze(-1)
    return (chosen - mean) / variance.clamp_min(1e-12).sqrt()


def _batches(sizes: Sequence[int]) -> Iterator[list[int]]:
    """Yield places of texts of similar length, longest first."""
    batch: list[int] = []
    for place in sorted(range(len(sizes)), key=lambda place: -sizes[place]):
        if batch and sizes[batch[0]] * (len(batch) + 1) > BATCH_TOKENS:
            yield batch
            batch = []
        batch.append(place)
    if batch:
        yield batch


def _encoded(texts: Iterable[str], tokenizer: "Tokenizer") -> list[list[int]]:
    return [encoding.ids for encoding in tokenizer.encode_batch(list(texts))]
