"""A fastText classifier that tells reference documents from documents of the pool, trained in place.

Source:
    Joulin et al. (2017), https://arxiv.org/abs/1607.01759; settings are those of DCLM's
    `train_fasttext_classifier.py`, Li et al. (2024), https://arxiv.org/abs/2406.11794.
"""

import tempfile
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from assay.errors import SignalError

LEARNING_RATE = 0.1
DIMENSIONS = 100
EPOCHS = 5
WORD_NGRAMS = 2
BUCKETS = 262_144
"""Of hashed bigrams. fastText's 2,000,000 take 0.8 GB, and references here hold some 100,000 bigrams.

One thread of fastText draws the first tenth of the vectors and leaves the rest as memory comes: zeros, from
the kernel, for a table of over 32 MB, which these make it.
"""

_LABEL = "__label__"
_POSITIVE, _NEGATIVE = f"{_LABEL}hq", f"{_LABEL}cc"


class Classifier:
    """A trained model."""

    def __init__(self, model: Any):
        """Use `train`."""
        self._model = model

    @classmethod
    def train(
        cls,
        positives: Iterable[str],
        negatives: Iterable[str],
        *,
        folder: Path | None = None,
        seed: int = 0,
    ) -> "Classifier":
        """Learn to tell two sets of documents apart, in one thread: the same every time.

        Args:
            positives: Documents of the reference.
            negatives: About as many others.
            folder: For the file that fastText reads; None takes the system's.
            seed: Of the first vectors.

        Raises:
            SignalError: If the package is not installed.
        """
        fasttext = _package()
        with tempfile.TemporaryDirectory(dir=folder) as scratch:
            path = Path(scratch) / "examples.txt"
            with path.open("w", encoding="utf-8") as stream:
                for line in _interleaved(positives, negatives):
                    stream.write(line)
            return cls(
                fasttext.train_supervised(
                    str(path),
                    lr=LEARNING_RATE,
                    dim=DIMENSIONS,
                    epoch=EPOCHS,
                    minCount=1,
                    wordNgrams=WORD_NGRAMS,
                    bucket=BUCKETS,
                    seed=seed,
                    thread=1,
                    verbose=0,
                )
            )

    def score(self, texts: Sequence[str]) -> NDArray[np.float32]:
        """Return the probability that each text is of the reference, (n,), in [0, 1]; 0 for an empty one."""
        if not texts:
            return np.empty(0, dtype=np.float32)
        lines = [_one_line(text) for text in texts]
        labels, probabilities = self._model.predict(lines, k=2)
        found = np.zeros(len(texts), dtype=np.float32)
        for place, (names, values) in enumerate(zip(labels, probabilities, strict=True)):
            if _POSITIVE in names:
                found[place] = values[names.index(_POSITIVE)]
        return np.clip(found, 0.0, 1.0)


def load_labeller(path: str) -> Callable[[Sequence[str]], list[tuple[str, float]]]:
    """Return what gives texts the likeliest label of a classifier in a file, with its probability.

    A label is without its `__label__`; that of a text without a word is `und`, at 0.

    Raises:
        SignalError: If the package is not installed, or the file is no fastText model.
    """
    fasttext = _package()
    try:
        model = fasttext.load_model(path)
    except ValueError as error:
        raise SignalError(
            f"{path} is no fastText model ({error}); name another file, such as lid.176.bin"
        ) from None

    def label(texts: Sequence[str]) -> list[tuple[str, float]]:
        if not texts:
            return []
        # As DataComp asks lid.176; `_one_line` would part words at rarer line breaks.
        labels, probabilities = model.predict([text.replace("\n", " ") for text in texts])
        return [
            (names[0].removeprefix(_LABEL), min(1.0, float(values[0]))) if names else ("und", 0.0)
            for names, values in zip(labels, probabilities, strict=True)
        ]

    return label


def _one_line(text: str) -> str:
    """Return a document as DCLM shows it to fastText; a lone surrogate or NUL would end its C++ string."""
    line = " ".join(text.strip().splitlines()).replace("\n", " ").replace("\x00", " ")
    return line.encode("utf-8", "replace").decode("utf-8")


def _interleaved(positives: Iterable[str], negatives: Iterable[str]) -> Iterable[str]:
    """Yield labelled lines of both in turn: fastText goes through them in the order of the file."""
    one, other = iter(positives), iter(negatives)
    while True:
        pair = [(_POSITIVE, next(one, None)), (_NEGATIVE, next(other, None))]
        if all(text is None for _, text in pair):
            return
        for label, text in pair:
            if text is not None:
                yield f"{label} {_one_line(text)}\n"


def _package() -> Any:
    try:
        import fasttext
    except ModuleNotFoundError:
        raise SignalError(
            "fastText classifiers need the package fasttext-numpy2-wheel, which is not installed; install it: "
            "pip install -c constraints.txt -e '.[fasttext]'"
        ) from None
    return fasttext
