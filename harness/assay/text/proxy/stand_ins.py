"""Signals that take proxies: `assay.signals.text.networks` says what each column is."""

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from assay.canonical import digest_json
from assay.home import assay_home
from assay.order import drawn_order, drawn_words
from assay.pool import Pool, build_pool
from assay.pool.records import Record
from assay.pool.uid import uids_to_hex
from assay.signals.columns import Columns, PoolInputs, TrainedModel
from assay.signals.text.reference import Reference, open_reference
from assay.text.proxy.ranking import concordance, fit_preference
from assay.text.proxy.reader import read_pool
from assay.text.proxy.trainer import Proxy, train_proxy

LADDER_WIDTHS = (48, 64, 80, 96, 112)
"""Of the proxies of a ladder, 0.15 to 0.5 million parameters; farther apart, they agree on nearly every document."""

LADDER_DOCUMENTS = 10_000
"""Of the pool that the whole ladder reads, at most; drawn by the seed."""

REFERENCE_DOCUMENTS = 2_000
"""Read at most, to order a ladder or to learn a preference from."""

PAIRS_A_DOCUMENT = 8
"""Pairs of a reference document with a drawn one of the pool."""


def proxy_losses_columns(inputs: PoolInputs) -> Columns:
    """Read a pool by a prior and by the same after fine-tuning: see `PROXY_LOSSES`."""
    pool, settings = _documents(inputs), inputs.parameters
    reference = _in_tokens_of(pool, settings["reference"])
    prior = _trained(inputs, Reference(pool), tokens_seen=settings["tokens_seen"])
    tuning = settings["fine_tuning_tokens"]
    conditional = _trained(inputs, reference, tokens_seen=tuning, start=prior) if tuning else prior
    return {
        "proxy_loss": read_pool(prior, pool).losses,
        "conditional_loss": read_pool(conditional, pool).losses,
    }


def trajectory_columns(inputs: PoolInputs) -> Columns:
    """Read a pool at several moments of a proxy's training: see `LOSS_TRAJECTORY`."""
    pool, settings = _documents(inputs), inputs.parameters
    moments = settings["moments"]
    proxy = _trained(inputs, Reference(pool), tokens_seen=settings["tokens_seen"], moments=moments)
    losses = [read_pool(proxy.at(moment), pool).losses for moment in range(moments)]
    return {"loss_trajectory": np.stack(losses, axis=1)}


def ladder_columns(inputs: PoolInputs) -> Columns:
    """Read a part of a pool by proxies of several widths: see `PROXY_LADDER`."""
    pool, settings = _documents(inputs), inputs.parameters
    reference = _in_tokens_of(pool, settings["reference"])
    seed = settings["seed"]
    rows = drawn_order(pool.n, "ladder documents", seed)[:LADDER_DOCUMENTS]
    shown = _some(reference, seed)
    losses, strengths = [], []
    for width in LADDER_WIDTHS:
        proxy = _trained(inputs, Reference(pool), tokens_seen=settings["tokens_seen"], width=width)
        losses.append(read_pool(proxy, pool, rows).losses)
        strengths.append(-np.nanmean(read_pool(proxy, reference.pool, shown).losses))
    found = np.full(pool.n, np.nan, dtype=np.float32)
    found[rows] = concordance(np.stack(losses), np.array(strengths))
    return {"predictive_strength": found}


def pairwise_ranker_columns(inputs: PoolInputs) -> Columns:
    """Rate a pool by a preference for the reference: see `PAIRWISE_RANKER`."""
    pool, settings = _documents(inputs), inputs.parameters
    reference = _in_tokens_of(pool, settings["reference"])
    seed = settings["seed"]
    proxy = _trained(inputs, Reference(pool), tokens_seen=settings["tokens_seen"])
    states = read_pool(proxy, pool).states
    preferred = read_pool(proxy, reference.pool, _some(reference, seed)).states
    readable = np.flatnonzero(~np.isnan(states[:, 0]))
    mean, scale = states[readable].mean(axis=0), states[readable].std(axis=0) + 1e-6
    better = np.repeat((preferred[~np.isnan(preferred[:, 0])] - mean) / scale, PAIRS_A_DOCUMENT, 0)
    drawn = drawn_words(len(better), "pairs", seed) % np.uint64(len(readable))
    standard = (states - mean) / scale
    direction = fit_preference(better, standard[readable[drawn.astype(np.int64)]])
    return {"preference": (standard @ direction).astype(np.float32)}


def _trained(
    inputs: PoolInputs,
    documents: Reference,
    *,
    tokens_seen: int,
    start: Proxy | None = None,
    width: int | None = None,
    moments: int = 0,
) -> Proxy:
    """Train, or take what an earlier signal left, which costs this one the same."""
    proxy = train_proxy(
        documents.pool,
        documents.rows,
        tokens_seen=tokens_seen,
        seed=inputs.parameters["seed"],
        start=start,
        width=width,
        moments=moments,
    )
    if proxy.ready:
        inputs.found_ready(proxy.cpu_seconds)
    documents_read = documents.pool.n if documents.rows is None else len(documents.rows)
    inputs.rests_on(TrainedModel(proxy.weights, documents.pool.root, documents_read))
    return proxy


def _some(reference: Reference, seed: int) -> NDArray[np.int64]:
    """Draw rows of the reference's pool."""
    rows = np.arange(reference.pool.n) if reference.rows is None else reference.rows
    return rows[drawn_order(len(rows), "reference documents", seed)[:REFERENCE_DOCUMENTS]]


def _documents(inputs: PoolInputs) -> Pool:
    assert isinstance(inputs.pool, Pool), "a signal of kind text"
    return inputs.pool


def _in_tokens_of(pool: Pool, reference: str) -> Reference:
    """Open a reference; one with another tokenizer is built again, once."""
    found = open_reference(pool, reference)
    mine = pool.manifest.tokenizer
    if found.pool.manifest.tokenizer.digest == mine.digest:
        return found
    source = _Again(found.pool, mine.digest)
    folder = assay_home() / "proxies" / f"reference-{source.fingerprint[7:19]}"
    tokenizer = pool.file(mine.file, mine.digest)
    return Reference(build_pool([source], folder, name=folder.name, tokenizer=tokenizer))


class _Again:
    """The documents of a pool, to be built again with another tokenizer.

    Attributes:
        name: Of that pool.
        size: Documents.
        done: Documents that the running `records` has yielded.
        fingerprint: Of documents and tokenizer.
        unit: `docs`.
    """

    unit = "docs"

    def __init__(self, pool: Pool, tokenizer: str):
        self.name, self.size, self.done = pool.name, pool.n, 0
        self.fingerprint = digest_json([pool.root, tokenizer])
        self._pool = pool

    def records(self, start: int) -> Iterator[tuple[int, Record]]:
        """Yield documents from place `start` on, by id."""
        uids = uids_to_hex(self._pool.uids[start:])
        texts = self._pool.texts(np.arange(start, self._pool.n))
        for place, (uid, text) in enumerate(zip(uids, texts, strict=True), start):
            self.done = place
            yield place, Record(text, bytes.fromhex(uid))
