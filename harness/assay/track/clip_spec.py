"""The dataclasses of the law of a CLIP track."""

from dataclasses import dataclass
from typing import Literal

from assay.track.spec import Budget, Optimizer, Schedule, SuiteRef


@dataclass(frozen=True)
class PairPoolRef:
    """The pool of a scale of a CLIP track.

    Attributes:
        name: A pool that `assay pools` lists: embedded, or built by the user.
        root: Its Merkle root, `sha256:...`; None for a published pool that everybody downloads as far
            as it still exists, whose scores are then comparable only under the same root.
        pairs: Size of an embedded pool; None for a pool that a user builds.
    """

    name: str
    root: str | None = None
    pairs: int | None = None

    @property
    def size(self) -> int | None:
        """Examples of an embedded pool."""
        return self.pairs


@dataclass(frozen=True)
class ImageTower:
    """The image encoder, in open_clip's terms.

    Attributes:
        kind: `vit`, open_clip's transformer; or `timm`, a model of timm's by name.
        image_size: Side of the square that it sees, in pixels.
        norm_group: Images that a batch norm takes its statistics over, so that neither the
            micro-batch nor the number of processes plays a part; None for a tower without batch norm.
        layers: Of a `vit`.
        width: Of a `vit`.
        head_width: Of a `vit`.
        patch_size: Of a `vit`, in pixels.
        mlp_ratio: Of a `vit`: width of the feed-forward layer over width.
        timm_model_name: Of a `timm` tower.
        timm_pool: Of a `timm` tower: how positions are pooled.
        timm_proj: Of a `timm` tower: what projects to the shared space.
    """

    kind: Literal["vit", "timm"]
    image_size: int
    norm_group: int | None = None
    layers: int | None = None
    width: int | None = None
    head_width: int | None = None
    patch_size: int | None = None
    mlp_ratio: float | None = None
    timm_model_name: str | None = None
    timm_pool: str | None = None
    timm_proj: str | None = None


@dataclass(frozen=True)
class TextTower:
    """The text encoder: open_clip's causal transformer, read out at the end-of-text token.

    Attributes:
        context_length: Tokens that it sees, both marks included; a longer caption is cut.
        vocab_size: Rows of the token table; the end-of-text token is the last.
        width: Of the residual stream.
        heads: Attention heads.
        layers: Blocks.
    """

    context_length: int
    vocab_size: int
    width: int
    heads: int
    layers: int


@dataclass(frozen=True)
class ClipModel:
    """Two towers into one space.

    Attributes:
        num_parameters: Trained numbers, both towers and the temperature; checked when it is built.
        embed_dim: Width of the shared space.
        quick_gelu: Whether the activation is OpenAI's approximation.
        init_logit_scale: Inverse temperature at the start.
        image: Image encoder.
        text: Text encoder.
    """

    num_parameters: int
    embed_dim: int
    quick_gelu: bool
    init_logit_scale: float
    image: ImageTower
    text: TextTower


@dataclass(frozen=True)
class CaptionTokenizer:
    """What turns captions and prompts into tokens.

    Attributes:
        kind: `open_clip`, the BPE of 49,408 pieces that its package carries; or `bpe`, a tokenizer of
            the track's own, `tokenizer.json` in its folder.
        digest: `sha256:...` of the file that holds the vocabulary.
    """

    kind: Literal["open_clip", "bpe"]
    digest: str


@dataclass(frozen=True)
class Preprocess:
    """From encoded image to tensor.

    Attributes:
        transparency: `white` lays transparent pixels over white; `drop` forgets the alpha channel.
        augmentation: `crop` cuts out a random part and scales it, as torchvision's
            RandomResizedCrop; `shift` scales the shorter side, cuts the middle and shifts it.
        crop_scale: Of `crop`: least and most area cut out, as fractions.
        crop_ratio: Of `crop`: least and most width over height.
        max_shift: Of `shift`: most pixels in either direction; edges are repeated.
        flip: Whether half of the samples are mirrored left to right.
        interpolation: Of every change of size, antialiased.
        mean: Subtracted from each channel in [0, 1].
        std: Each channel is then divided by it.
    """

    transparency: Literal["white", "drop"]
    augmentation: Literal["crop", "shift"]
    crop_scale: tuple[float, ...]
    crop_ratio: tuple[float, ...]
    max_shift: int
    flip: bool
    interpolation: Literal["bicubic"]
    mean: tuple[float, ...]
    std: tuple[float, ...]


@dataclass(frozen=True)
class ClipRecipe:
    """Everything about training a CLIP model that can change a score.

    Attributes:
        model: The network.
        tokenizer: Of captions and prompts.
        preprocess: Of images.
        optimizer: How weights move.
        schedule: Learning rate over steps.
        samples_seen: Budget, counting repeats; a multiple of `global_batch_size`.
        global_batch_size: Pairs that one contrastive loss compares, over all devices.
        max_logit_scale: The inverse temperature is held at or below this.
        precision: Of the forward and backward pass; weights and optimiser state stay fp32.
        average_last_frac: The checkpoint is the mean of the weights over the last so many steps, as a
            fraction of all; 0 takes the last step's weights.
        deviations: Where this departs from a published recipe of the same name, and why.
    """

    model: ClipModel
    tokenizer: CaptionTokenizer
    preprocess: Preprocess
    optimizer: Optimizer
    schedule: Schedule
    samples_seen: int
    global_batch_size: int
    max_logit_scale: float
    precision: Literal["fp32", "bf16"]
    average_last_frac: float
    deviations: tuple[str, ...] = ()

    @property
    def steps(self) -> int:
        """Optimiser steps in a run."""
        return self.samples_seen // self.global_batch_size

    @property
    def budget(self) -> Budget:
        """Return what a run may see."""
        return Budget(self.samples_seen, "samples", self.steps)


@dataclass(frozen=True)
class ClipScale:
    """A compute budget inside a CLIP track, as its YAML file has it.

    Attributes:
        version: Bumped whenever a score could move.
        pool: The candidates.
        recipe: The training.
        suite: The evaluation.
    """

    version: int
    pool: PairPoolRef
    recipe: ClipRecipe
    suite: SuiteRef
