"""A causal language model as lm-eval sees one, scoring every shared prefix once.

lm-eval's stock adapter repeats a question's tokens for each of its answers. Here a question and all
of its answers are one row: the answers branch off the question's last token, each blind to the
others (a tree in place of a line: positions restart after the prefix, a mask hides other branches).
"""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import chain, islice
from typing import Any

import numpy as np
import torch
from lm_eval.api.instance import Instance
from lm_eval.api.model import TemplateLM
from lm_eval.utils import get_rolling_token_windows, make_disjoint_window
from numpy.typing import NDArray
from tokenizers import Tokenizer
from torch.nn.functional import cross_entropy
from transformers import PreTrainedModel

from assay.errors import SuiteError
from assay.text.rows import Layout, Row, Tokens, batches, pack

_TEXTS_AT_ONCE = 1024
"""Texts tokenised in one call."""
_BATCH_TOKENS = {"cpu": 1 << 12, "cuda": 1 << 16}
"""Tokens of a forward pass, padding included."""
_LOGITS_AT_ONCE = {"cpu": 1 << 21, "cuda": 1 << 26}
"""Entries of the largest logit matrix: what a cache holds, or what keeps a GPU busy."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """What a model made of one continuation or document.

    Attributes:
        log_likelihood: In nats, at most 0.
        num_tokens: Tokens predicted.
        greedy: Whether each of them was the likeliest one.
    """

    log_likelihood: float
    num_tokens: int
    greedy: bool


class SharedPrefixLM(TemplateLM):
    """`lm_eval`'s interface around a transformers model of the Llama family.

    Scores equal those of lm-eval's `HFLM`: the same split of context and continuation, the same
    truncation from the left, the same rolling windows, the end-of-text token before an empty
    context. Deterministic for given requests, software and machine. Computes in the model's dtype.

    Args:
        model: Any `PreTrainedModel` whose logits are its output layer on its last hidden state.
        tokenizer: Adds no special tokens here, whatever its post-processor says.
        eos_id: The end-of-text token, put before texts that have nothing before them.
        device: Where the model is.
        max_length: Tokens that the model sees at once; default, its `max_position_embeddings`.
        on_progress: Called after each batch with its share of the requests' work, in (0, 1].

    Attributes:
        outcomes: Request arguments (context and continuation, or a document) to their outcome.
    """

    def __init__(
        self,
        model: PreTrainedModel,
        tokenizer: Tokenizer,
        eos_id: int,
        *,
        device: torch.device | str = "cpu",
        max_length: int | None = None,
        on_progress: Callable[[float], object] | None = None,
    ):
        super().__init__()
        self._model = model
        self._encoder = Tokenizer.from_str(tokenizer.to_str())
        self._encoder.no_truncation()
        self._encoder.no_padding()
        self._encoder.encode_special_tokens = True  # `to_str` does not keep what the pool set
        self._eos_id = eos_id
        self._device = torch.device(device)
        self._max_length: int = max_length or model.config.max_position_embeddings
        self._on_progress = on_progress or (lambda share: None)
        kind = "cpu" if self._device.type == "cpu" else "cuda"
        self._batch_tokens, self._logits_at_once = _BATCH_TOKENS[kind], _LOGITS_AT_ONCE[kind]
        self.outcomes: dict[tuple[str, ...], Outcome] = {}

    @property
    def eot_token_id(self) -> int:
        """The end-of-text token."""
        return self._eos_id

    def tok_encode(
        self, string: str, add_special_tokens: bool | None = None, **kwargs: Any
    ) -> list[int]:
        """Turn one text into tokens; special tokens are never added."""
        return self._encoder.encode(string, add_special_tokens=False).ids

    def loglikelihood(
        self, requests: list[Instance], disable_tqdm: bool = False
    ) -> list[tuple[float, bool]]:
        """Score continuations; each different request is scored once.

        Args:
            requests: Whose `args` are a context and a continuation.
            disable_tqdm: Ignored; see `on_progress`.

        Returns:
            Log-likelihood in nats and whether greedy decoding writes it, for each request.

        Raises:
            SuiteError: If a continuation has no tokens of its own.
        """
        pairs: list[tuple[str, str]] = [request.arguments for request in requests]  # pyright: ignore
        different = list(dict.fromkeys(pairs))
        encoded = [
            (pair, *tokens) for pair, tokens in zip(different, self._encode(different), strict=True)
        ]
        self._loglikelihood_tokens(encoded)
        outcomes = [self.outcomes[pair] for pair in pairs]
        return [(outcome.log_likelihood, outcome.greedy) for outcome in outcomes]

    def _encode(self, pairs: list[tuple[str, str]]) -> Iterator[tuple[Tokens, Tokens]]:
        """Split each request into context and continuation tokens, exactly as `_encode_pair` does."""
        moved = [_move_spaces(context, continuation) for context, continuation in pairs]
        contexts = list(dict.fromkeys(context for context, _ in moved))
        context_ids = dict(zip(contexts, self._encode_batch(contexts), strict=True))
        for (context, _), whole in zip(moved, self._encode_batch(map("".join, moved)), strict=True):
            if context:
                yield context_ids[context], whole[len(context_ids[context]) :]
            elif whole[0] == self._eos_id:
                yield whole[:1], whole[1:]
            else:
                yield (self._eos_id,), whole

    def _encode_batch(self, texts: Iterable[str]) -> Iterator[Tokens]:
        """Encode in blocks: an `Encoding` is many times larger than its ids."""
        remaining = iter(texts)
        while block := list(islice(remaining, _TEXTS_AT_ONCE)):
            for encoding in self._encoder.encode_batch_fast(block, add_special_tokens=False):
                yield tuple(encoding.ids)

    def _loglikelihood_tokens(
        self,
        requests: Sequence[tuple[tuple[str, ...], Sequence[int], Sequence[int]]],
        **kwargs: Any,
    ) -> list[tuple[float, bool]]:
        windows = [self._windows(*request) for request in requests]
        scored = self._score(list(chain.from_iterable(windows)))
        for (arguments, _, _), keys in zip(requests, windows, strict=True):
            parts = [scored[key] for key in keys]
            self.outcomes[arguments] = Outcome(
                log_likelihood=sum(part.log_likelihood for part in parts),
                num_tokens=sum(part.num_tokens for part in parts),
                greedy=all(part.greedy for part in parts),
            )
        outcomes = [self.outcomes[arguments] for arguments, _, _ in requests]
        return [(outcome.log_likelihood, outcome.greedy) for outcome in outcomes]

    def _windows(
        self, arguments: tuple[str, ...], context: Sequence[int], target: Sequence[int]
    ) -> list[tuple[Tokens, Tokens]]:
        """Fit a request into the model's window: cut its context from the left, or roll over it.

        A target longer than the window, where `HFLM` gives up on an answer, is scored as documents
        are: in windows that predict each token once.
        """
        if not target:
            raise SuiteError(
                f"{arguments[-1][:80]!r} adds no token to its context {arguments[0][-80:]!r}: give the "
                "task a delimiter that starts with white space"
            )
        room = self._max_length + 1 - len(target)
        if room >= 1:
            return [(tuple(context[-room:]), tuple(target))]
        rolling = get_rolling_token_windows(
            list(target), context[-1], self._max_length, context_len=1
        )
        disjoint = [make_disjoint_window(window) for window in rolling]
        return [(tuple(prefix), tuple(part)) for prefix, part in disjoint]

    def loglikelihood_rolling(
        self, requests: list[Instance], disable_tqdm: bool = False
    ) -> list[float]:
        """Score whole documents in lm-eval's rolling windows, each token predicted exactly once.

        Args:
            requests: Whose `args` are a text.
            disable_tqdm: Ignored; see `on_progress`.

        Returns:
            Log-likelihood in nats of each document.
        """
        documents = list(dict.fromkeys(request.args for request in requests))
        encoded = self._encode_batch(text for (text,) in documents)
        self._loglikelihood_tokens(
            [(text, [self._eos_id], ids) for text, ids in zip(documents, encoded, strict=True)]
        )
        return [self.outcomes[request.args].log_likelihood for request in requests]

    def generate_until(self, requests: list[Instance], disable_tqdm: bool = False) -> list[str]:
        """Not offered: no task of a suite samples text."""
        raise NotImplementedError("suites compare likelihoods; nothing is generated")

    def _score(self, keys: Sequence[tuple[Tokens, Tokens]]) -> dict[tuple[Tokens, Tokens], Outcome]:
        """Score each different (prefix, continuation) once."""
        rows = sorted(pack(keys), key=lambda row: -row.length)
        scored: dict[tuple[Tokens, Tokens], Outcome] = {}
        was_training = self._model.training
        self._model.eval()
        try:
            work = sum(row.length for row in rows)
            with torch.inference_mode():
                for batch in batches(rows, self._batch_tokens):
                    self._score_batch(batch, scored)
                    self._on_progress(sum(row.length for row in batch) / work)
        finally:
            self._model.train(was_training)
        return scored

    def _score_batch(self, rows: list[Row], scored: dict[tuple[Tokens, Tokens], Outcome]) -> None:
        layout = Layout.of(rows)
        # Without side branches, positions count up and causality hides the padding: no mask needed.
        positions = self._tensor(layout.positions) if layout.is_tree else None
        hidden = self._model.base_model(
            input_ids=self._tensor(layout.tokens),
            position_ids=positions,
            attention_mask=self._mask(layout) if layout.is_tree else None,
            use_cache=False,
        ).last_hidden_state
        predictors = hidden.flatten(0, 1)[self._tensor(layout.sources)]
        nats, hits = self._predict(predictors, self._tensor(layout.targets))
        keys = [(row.prefix, branch) for row in rows for branch in row.branches]
        sizes = np.array([len(branch) for _, branch in keys])
        starts = np.cumsum(sizes) - sizes
        totals = np.add.reduceat(nats, starts)
        greedy = np.logical_and.reduceat(hits, starts)
        for i, key in enumerate(keys):
            scored[key] = Outcome(float(totals[i]), int(sizes[i]), bool(greedy[i]))

    def _predict(
        self, predictors: torch.Tensor, targets: torch.Tensor
    ) -> tuple[NDArray[np.float64], NDArray[np.bool_]]:
        """Return each target's log-probability, and whether it was the likeliest token.

        Args:
            predictors: Hidden states, (predictions, width).
            targets: Tokens, (predictions,).
        """
        head = self._model.get_output_embeddings()
        assert head is not None, "a causal language model has an output layer"
        step = max(1, self._logits_at_once // self._model.config.vocab_size)
        nats: list[torch.Tensor] = []
        hits: list[torch.Tensor] = []
        for hidden, target in zip(predictors.split(step), targets.split(step), strict=True):
            logits = head(hidden)
            nats.append(-cross_entropy(logits.float(), target, reduction="none").clamp(min=0.0))
            hits.append(logits.argmax(1) == target)
        return torch.cat(nats).double().cpu().numpy(), torch.cat(hits).cpu().numpy()

    def _mask(self, layout: Layout) -> torch.Tensor:
        """Return the additive tree mask, (rows, 1, width, width): a branch sees its prefix and itself."""
        branch = self._tensor(layout.branches)
        visible = (branch[:, None, :] == 0) | (branch[:, None, :] == branch[:, :, None])
        visible = visible.tril()[:, None]
        mask = torch.zeros(visible.shape, dtype=self._model.dtype, device=self._device)
        return mask.masked_fill_(~visible, torch.finfo(self._model.dtype).min)

    def _tensor(self, values: NDArray[Any]) -> torch.Tensor:
        return torch.from_numpy(values).to(self._device)


def _move_spaces(context: str, continuation: str) -> tuple[str, str]:
    """Give a context's trailing white space to the continuation, where its token begins."""
    stripped = context.rstrip()
    return stripped, context[len(stripped) :] + continuation
