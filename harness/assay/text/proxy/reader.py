"""What a proxy makes of documents: its mean loss on each, and its mean hidden state.

A document is cut into lm-eval's disjoint rolling windows, as evaluation cuts held-out documents: the first
begins with the end-of-text token, a later one with the token before it (the last with as many as fit),
and each token is predicted exactly once. Both means are over the document's tokens.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from lm_eval.utils import get_rolling_token_windows, make_disjoint_window
from numpy.typing import NDArray
from torch.nn.functional import cross_entropy

from assay.console import progress
from assay.pool import Pool
from assay.text.proxy.trainer import Proxy
from assay.text.rows import Layout, Row, batches
from assay.train.device import one_thread

BLOCK_TOKENS = 1 << 17
"""Of the documents among whose windows those of one length are read together; it bounds memory."""

_BATCH_TOKENS = {"cpu": 1 << 12, "cuda": 1 << 15}
"""Tokens of a forward pass, padding included."""


@dataclass(frozen=True, eq=False)
class Reading:
    """What a proxy made of documents.

    Attributes:
        losses: (k,) mean loss of each, in nats a token; NaN where there is no token.
        states: (k, d) mean of its last hidden states, those that predict its tokens; NaN as well.
    """

    losses: NDArray[np.float32]
    states: NDArray[np.float32]


def read_pool(proxy: Proxy, pool: Pool, rows: NDArray[np.int64] | None = None) -> Reading:
    """Read documents of a pool.

    Args:
        proxy: Trained with the pool's tokenizer.
        pool: Where they are.
        rows: (k,) which of them; None for all.

    Returns:
        Aligned to `rows`, or to the pool's.
    """
    wanted = np.arange(pool.n) if rows is None else rows
    losses = np.full(len(wanted), np.nan, dtype=np.float32)
    states = np.full((len(wanted), proxy.recipe.model.hidden_size), np.nan, dtype=np.float32)
    stored = np.argsort(pool.positions[wanted], kind="stable")  # tokens lie in storage order
    blocks = np.cumsum(pool.n_tokens[wanted[stored]], dtype=np.int64) // BLOCK_TOKENS
    with progress("reading documents by a proxy", len(wanted), "examples") as bar:
        for places in np.split(stored, np.flatnonzero(np.diff(blocks)) + 1):
            found = read_documents(proxy, [pool.tokens(int(row)) for row in wanted[places]])
            losses[places], states[places] = found.losses, found.states
            bar.update(len(places))
    return Reading(losses, states)


def read_documents(proxy: Proxy, documents: Sequence[NDArray[np.unsignedinteger]]) -> Reading:
    """Read documents given as tokens, without end-of-text tokens."""
    context = proxy.recipe.model.context_length
    windows = [
        (number, row)
        for number, tokens in enumerate(documents)
        for row in _windows(tokens, proxy.eos_id, context)
    ]
    windows.sort(key=lambda window: -window[1].length)
    owners = np.array([number for number, _ in windows], dtype=np.int64)
    nats = np.zeros(len(documents))
    sums = np.zeros((len(documents), proxy.recipe.model.hidden_size))
    start = 0
    for rows in batches([row for _, row in windows], _BATCH_TOKENS[proxy.device]):
        owner = owners[start : start + len(rows)]
        window_nats, window_sums = _forward(proxy, rows)
        np.add.at(nats, owner, window_nats)
        np.add.at(sums, owner, window_sums)
        start += len(rows)
    lengths = np.array([len(tokens) for tokens in documents], dtype=np.float64)
    lengths[lengths == 0] = np.nan
    return Reading(
        (nats / lengths).astype(np.float32), (sums / lengths[:, None]).astype(np.float32)
    )


def _windows(tokens: NDArray[np.unsignedinteger], eos_id: int, context: int) -> Iterator[Row]:
    for window in get_rolling_token_windows(tokens.tolist(), eos_id, context, context_len=1):
        prefix, target = make_disjoint_window(window)
        yield Row(tuple(prefix), (tuple(target),))


def _forward(proxy: Proxy, rows: Sequence[Row]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return the sums of losses and of hidden states over each window's targets, (w,) and (w, d)."""
    layout = Layout.of(rows)

    def on_device(values: NDArray[np.int64]) -> torch.Tensor:
        return torch.from_numpy(values).to(proxy.device)

    head = proxy.model.get_output_embeddings()
    assert head is not None, "a causal language model has an output layer"
    with one_thread(), torch.inference_mode():
        # Causality hides the padding, which lies on the right: no mask needed.
        hidden = proxy.model.base_model(
            input_ids=on_device(layout.tokens), use_cache=False
        ).last_hidden_state
        states = hidden.flatten(0, 1)[on_device(layout.sources)]
        nats = cross_entropy(head(states).float(), on_device(layout.targets), reduction="none")
    sizes = [len(row.branches[0]) for row in rows]
    starts = np.cumsum([0, *sizes[:-1]])
    return (
        np.add.reduceat(nats.double().cpu().numpy(), starts),
        np.add.reduceat(states.double().cpu().numpy(), starts, axis=0),
    )
