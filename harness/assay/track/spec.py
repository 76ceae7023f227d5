"""The dataclasses of the law: everything that can change a score, and nothing else.

What all tracks share, and what a text track has; `assay.track.clip_spec` has the rest.
"""

from dataclasses import dataclass
from typing import Literal


@dataclass(frozen=True)
class Rules:
    """Which submissions a track takes.

    Attributes:
        forms: Accepted forms of submission.
        units: Accepted units of an id: whole documents or frozen chunks of them.
        max_repeats: How often one example may be seen in a run, by weight and by repeated passes
            together. A selection that cannot fill the budget within it is refused (S4).
    """

    forms: tuple[Literal["ids", "weighted", "staged"], ...]
    units: tuple[Literal["document", "words128", "tokens512", "tokens1024"], ...]
    max_repeats: int


@dataclass(frozen=True)
class Budget:
    """What a run may see.

    Attributes:
        amount: Tokens or samples, counting repeats.
        unit: What `amount` counts.
        steps: Optimiser steps that it is cut into.
    """

    amount: int
    unit: Literal["tokens", "samples"]
    steps: int


@dataclass(frozen=True)
class PoolRef:
    """The pool of a scale of a text track.

    Attributes:
        name: A pool that `assay pools` lists: embedded, or built by the user.
        root: Its Merkle root, `sha256:...`; None for a published pool that everybody builds from a
            licensed source, whose scores are then comparable only under the same root.
        documents: Size of an embedded pool, in documents; None for a pool that a user builds.
    """

    name: str
    root: str | None = None
    documents: int | None = None

    @property
    def size(self) -> int | None:
        """Examples of an embedded pool."""
        return self.documents


@dataclass(frozen=True)
class SuiteRef:
    """The evaluation of a scale.

    Attributes:
        name: File stem under the track's `suites/`.
        items_per_task: Only the first so many items of each task, or None for all.
    """

    name: str
    items_per_task: int | None = None


@dataclass(frozen=True)
class Model:
    """A decoder-only transformer of the Llama family, as transformers builds it.

    Attributes:
        architecture: `llama`, or `qwen3`, which is Llama with normalised queries and keys.
        hidden_size: Width of the residual stream.
        intermediate_size: Width of the gated feed-forward layer.
        num_layers: Transformer blocks.
        num_heads: Attention heads; keys and values have as many.
        vocab_size: Rows of the token table; the pool's tokenizer may have fewer pieces, not more.
        context_length: Tokens that the model sees at once.
        tie_embeddings: Whether the output layer is the token table.
        rope_theta: Base of the rotary position embedding.
        norm_eps: Added to the mean square in RMSNorm.
        init_std: Standard deviation of the normal initialisation.
    """

    architecture: Literal["llama", "qwen3"]
    hidden_size: int
    intermediate_size: int
    num_layers: int
    num_heads: int
    vocab_size: int
    context_length: int
    tie_embeddings: bool
    rope_theta: float
    norm_eps: float
    init_std: float

    @property
    def num_parameters(self) -> int:
        """Trained numbers, the token table counted once where it is tied."""
        head = self.hidden_size // self.num_heads
        attention = 4 * self.hidden_size**2 + (2 * head if self.architecture == "qwen3" else 0)
        block = attention + 3 * self.hidden_size * self.intermediate_size + 2 * self.hidden_size
        tables = self.vocab_size * self.hidden_size * (1 if self.tie_embeddings else 2)
        return self.num_layers * block + tables + self.hidden_size


@dataclass(frozen=True)
class Optimizer:
    """How weights move.

    Attributes:
        name: `adamw`, or `muon`: Muon for the matrices inside the blocks, AdamW for the rest.
        lr: Peak learning rate of AdamW.
        beta1: AdamW's decay of the first moment.
        beta2: AdamW's decay of the second moment.
        eps: AdamW's denominator term.
        weight_decay: Decoupled; on matrices only, not on norms.
        grad_clip: Largest norm of the whole gradient; None leaves it alone.
        muon_lr: Peak learning rate of Muon.
        muon_momentum: Muon's (Nesterov) momentum.
    """

    name: Literal["adamw", "muon"]
    lr: float
    beta1: float
    beta2: float
    eps: float
    weight_decay: float
    grad_clip: float | None
    muon_lr: float = 0.0
    muon_momentum: float = 0.95


@dataclass(frozen=True)
class Schedule:
    """Learning rate over steps: linear warm-up, then a decay to a fraction of the peak.

    Attributes:
        warmup_steps: Steps of the linear rise.
        decay: Shape of the fall over all remaining steps; `open_clip_cosine` is a cosine that would
            end one step after the last, as open_clip has it.
        final_frac: Last learning rate over peak, in [0, 1].
    """

    warmup_steps: int
    decay: Literal["linear", "cosine", "open_clip_cosine"]
    final_frac: float


@dataclass(frozen=True)
class Recipe:
    """Everything about training a language model that can change a score.

    Attributes:
        model: The network.
        optimizer: How weights move.
        schedule: Learning rate over steps.
        tokens_seen: Budget, in tokens, counting repeats; a multiple of `global_batch_tokens`.
        global_batch_tokens: Tokens per optimiser step over all devices.
        z_loss: Weight of the squared log-partition term.
        precision: Of the forward and backward pass; weights and optimiser state stay fp32.
        average_last_frac: The checkpoint is the mean of the weights over the last so many steps,
            as a fraction of all; 0 takes the last step's weights.
        deviations: Where this departs from a published recipe of the same name, and why.
    """

    model: Model
    optimizer: Optimizer
    schedule: Schedule
    tokens_seen: int
    global_batch_tokens: int
    z_loss: float
    precision: Literal["fp32", "bf16"]
    average_last_frac: float
    deviations: tuple[str, ...] = ()

    @property
    def steps(self) -> int:
        """Optimiser steps in a run."""
        return self.tokens_seen // self.global_batch_tokens

    @property
    def budget(self) -> Budget:
        """Return what a run may see."""
        return Budget(self.tokens_seen, "tokens", self.steps)

    @property
    def batch_windows(self) -> int:
        """Windows in a global batch, which processes share evenly."""
        return self.global_batch_tokens // self.model.context_length


@dataclass(frozen=True)
class Scale:
    """A compute budget inside a text track, as its YAML file has it.

    Attributes:
        version: Bumped whenever a score could move.
        pool: The candidates.
        recipe: The training.
        suite: The evaluation.
    """

    version: int
    pool: PoolRef
    recipe: Recipe
    suite: SuiteRef


@dataclass(frozen=True)
class TrackFile:
    """`track.yaml`: what all scales of a track share.

    Attributes:
        modality: Which of the two kinds of model is trained.
        summary: One line for people.
        rules: Accepted submissions.
    """

    modality: Literal["text", "clip"]
    summary: str
    rules: Rules
