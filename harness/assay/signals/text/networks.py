"""Signals that take small language models, which layers above this one train: imported when one is computed."""

from assay.signals.columns import WholePool, later
from assay.signals.text.reference import DEFAULT, pin_parameters

TOKENS_SEEN = 262_144
"""Budget of a proxy: some 20 seconds on one CPU."""

FINE_TUNING_TOKENS = 65_536
LADDER_TOKENS = 131_072
"""Budget of each proxy of a ladder."""

MOMENTS = 4
"""Of a training, at each of which a pool is read once."""

STAND_INS = "assay.text.proxy.stand_ins"


PROXY_LOSSES = WholePool(
    name="proxy_losses",
    version=2,
    kind="text",
    columns={
        "proxy_loss": "mean loss of a small language model trained on this pool, nats a token",
        "conditional_loss": "the same after that model was fine-tuned on the reference",
    },
    compute=later(STAND_INS, "proxy_losses_columns"),
    parameters={
        "reference": DEFAULT,
        "tokens_seen": TOKENS_SEEN,
        "fine_tuning_tokens": FINE_TUNING_TOKENS,
        "seed": 0,
    },
    pin=pin_parameters,
    trains=True,
)


LOSS_TRAJECTORY = WholePool(
    name="loss_trajectory",
    version=2,
    kind="text",
    columns={
        "loss_trajectory": "mean loss at moments of the training of a small language model of this pool, nats a token"
    },
    compute=later(STAND_INS, "trajectory_columns"),
    parameters={"tokens_seen": TOKENS_SEEN, "moments": MOMENTS, "seed": 0},
    trains=True,
)


PROXY_LADDER = WholePool(
    name="proxy_ladder",
    version=2,
    kind="text",
    columns={
        "predictive_strength": "share of pairs of small language models of this pool of which the one better on the "
        "reference has the lower loss here; missing: not among the documents drawn"
    },
    compute=later(STAND_INS, "ladder_columns"),
    parameters={"reference": DEFAULT, "tokens_seen": LADDER_TOKENS, "seed": 0},
    pin=pin_parameters,
    trains=True,
)


PAIRWISE_RANKER = WholePool(
    name="pairwise_ranker",
    version=2,
    kind="text",
    columns={
        "preference": "log-odds of being preferred, learnt from pairs of a reference document and one of this pool, on "
        "mean hidden states of a small language model of this pool"
    },
    compute=later(STAND_INS, "pairwise_ranker_columns"),
    parameters={"reference": DEFAULT, "tokens_seen": TOKENS_SEEN, "seed": 0},
    pin=pin_parameters,
    trains=True,
)
