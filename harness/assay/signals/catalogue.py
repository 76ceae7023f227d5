"""Every signal, in the order in which they are listed and built."""

from assay.errors import SignalError
from assay.signals.clip.captions import CAPTION_LENGTH, COPIES, SIZES
from assay.signals.clip.hashes import IMAGE_DUPLICATES, IMAGE_HASH
from assay.signals.clip.image_clusters import IMAGE_CLUSTERS
from assay.signals.clip.languages import CAPTION_LANGUAGE, CLD3, FASTTEXT_LANGUAGE
from assay.signals.clip.matches import CONCEPTS, NOUN_COUNT
from assay.signals.clip.networks import IMGENC, REFCLIP, SELFCLIP
from assay.signals.clip.text_in_image import TEXT_IN_IMAGE
from assay.signals.columns import Kind, Signal, WholePool
from assay.signals.text.c4 import C4
from assay.signals.text.duplicates import (
    DUPLICATE_KEYS,
    EXACT_DUPLICATES,
    MINHASH_DUPLICATES,
    REPEATED_PARAGRAPHS,
)
from assay.signals.text.fineweb import FINEWEB
from assay.signals.text.gopher import QUALITY, REPETITION
from assay.signals.text.models import (
    CLUSTERS,
    EMBEDDING,
    FASTTEXT,
    IMPORTANCE,
    LANGUAGE,
    PERPLEXITY,
    SEMANTIC_DUPLICATES,
)
from assay.signals.text.networks import (
    LOSS_TRAJECTORY,
    PAIRWISE_RANKER,
    PROXY_LADDER,
    PROXY_LOSSES,
)
from assay.signals.text.redpajama_v2 import REDPAJAMA_V2
from assay.signals.text.refinedweb import REFINEDWEB
from assay.spec import did_you_mean

SIGNALS: tuple[Signal, ...] = (
    QUALITY,
    REPETITION,
    C4,
    FINEWEB,
    REFINEDWEB,
    REDPAJAMA_V2,
    LANGUAGE,
    DUPLICATE_KEYS,
    EXACT_DUPLICATES,
    MINHASH_DUPLICATES,
    REPEATED_PARAGRAPHS,
    EMBEDDING,
    CLUSTERS,
    SEMANTIC_DUPLICATES,
    IMPORTANCE,
    PERPLEXITY,
    FASTTEXT,
    PROXY_LOSSES,
    LOSS_TRAJECTORY,
    PROXY_LADDER,
    PAIRWISE_RANKER,
    CAPTION_LENGTH,
    CAPTION_LANGUAGE,
    CLD3,
    FASTTEXT_LANGUAGE,
    COPIES,
    SIZES,
    NOUN_COUNT,
    CONCEPTS,
    TEXT_IN_IMAGE,
    IMAGE_HASH,
    IMAGE_DUPLICATES,
    REFCLIP,
    SELFCLIP,
    IMGENC,
    IMAGE_CLUSTERS,
)


def signals_of(kind: Kind) -> tuple[Signal, ...]:
    """Return the signals for pools of a kind."""
    return tuple(signal for signal in SIGNALS if signal.kind == kind)


def column_names(kind: Kind) -> tuple[str, ...]:
    """Return the columns of all signals for pools of a kind."""
    return tuple(column for signal in signals_of(kind) for column in signal.columns)


def is_fitted(signal: Signal) -> bool:
    """Tell whether a signal fits a model of any size, what it needs aside."""
    return isinstance(signal, WholePool) and signal.trains


def is_cheap(signal: Signal) -> bool:
    """Tell whether a signal takes only looking at the pool: no training, no reference, nor in what it needs."""
    if is_fitted(signal) or "reference" in signal.parameters:
        return False
    return all(is_cheap(find_signal(column, signal.kind)) for column in signal.needs)


def find_signal(name: str, kind: Kind) -> Signal:
    """Return the signal of this name, or the one that has a column of this name.

    Args:
        name: Of a signal or of a column.
        kind: Of the pool that it is wanted for.

    Raises:
        SignalError: If there is none, or it is for pools of another kind.
    """
    named = [s for s in SIGNALS if name == s.name or name in s.columns]
    found = next((s for s in named if s.kind == kind), named[0] if named else None)
    if found is None:
        known = [word for s in SIGNALS for word in (s.name, *s.columns)]
        raise SignalError(
            f"there is no signal {name!r}{did_you_mean(name, known)}; see them with: assay signals list"
        )
    if found.kind != kind:
        raise SignalError(
            f"the signal {found.name} is for pools of kind {found.kind}, and this one is of kind {kind}; see: "
            "assay signals list"
        )
    return found
