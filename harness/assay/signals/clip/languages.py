"""Which language a caption is in, by three models: short texts are named differently by each.

language            py3langid, whose model comes inside its package
cld3_language       CLD3, which DataComp's LAION-2B rule asks; inside its package as well
fasttext_language   a fastText model from a file, such as lid.176.bin, which DataComp's other rules ask
"""

from collections.abc import Mapping
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np

from assay.canonical import digest_file
from assay.errors import SignalError
from assay.pool import AnyPool
from assay.signals.columns import Columns, Examples, PerExample, PoolInputs, Setting, WholePool
from assay.signals.text.fasttext import load_labeller
from assay.signals.text.language import check_installed, identify

ENGLISH_ODDS = 8.0
"""What a caption's language is held to be beforehand: English has about eight times the pages of any other language.

Of 14,749 real queries of one or two English (or Latin) words 81 % are then called English, and 26 % without; of 1,554
single words of German, French, Spanish and Chinese 59 % are, and none without. Longer English captions gain as well
(labels of five words: 79 to 100 %); of the generator's foreign sentences one in two hundred is lost.

Source:
    https://commoncrawl.github.io/cc-crawl-statistics/plots/languages: English about 44 %, the next about 6 %.
"""

CLD3_BYTES = 1000
"""Looked at of a caption at most, as in DataComp."""


def _language(examples: Examples) -> Columns:
    captions = examples.table.column("text").to_pylist()
    codes, probabilities = identify(captions, ENGLISH_ODDS)
    return {"language": codes, "language_score": probabilities}


CAPTION_LANGUAGE = PerExample(
    name="language",
    version=2,
    kind="image-text",
    reads=("text",),
    columns={
        "language": "ISO 639 code, `und` where there is no letter; of few words, a guess",
        "language_score": "probability of that language",
    },
    compute=_language,
    check=check_installed,
)


def _cld3(examples: Examples) -> Columns:
    detector = _detector()
    captions = examples.table.column("text").to_pylist()
    found = [detector.FindLanguage(text=caption.replace("\n", " ")) for caption in captions]
    return {
        "cld3_language": np.array([one.language for one in found], dtype="<U8"),
        "cld3_score": np.array([one.probability for one in found], dtype=np.float32),
    }


@lru_cache(maxsize=1)
def _detector() -> Any:
    try:
        from gcld3 import NNetLanguageIdentifier
    except ModuleNotFoundError:
        raise SignalError(
            "naming languages as CLD3 does needs the package cld3-py, which is not installed; install it: "
            "pip install -c constraints.txt -e '.[language]'"
        ) from None
    return NNetLanguageIdentifier(min_num_bytes=0, max_num_bytes=CLD3_BYTES)


def _check_cld3() -> None:
    _detector()


CLD3 = PerExample(
    name="cld3",
    version=1,
    kind="image-text",
    reads=("text",),
    columns={
        "cld3_language": "BCP 47 code by CLD3, `und` where there is nothing to go by",
        "cld3_score": "probability of that language",
    },
    compute=_cld3,
    check=_check_cld3,
)


def _fasttext(inputs: PoolInputs) -> Columns:
    label = load_labeller(inputs.parameters["model"])
    codes = np.full(inputs.pool.n, "und", dtype="<U16")
    scores = np.zeros(inputs.pool.n, dtype=np.float32)
    for rows, batch in inputs.scan(("text",), "reading captions"):
        kept = np.flatnonzero(rows >= 0)
        found = label([batch["text"][place].as_py() for place in kept.tolist()])
        codes[rows[kept]] = [code for code, _ in found]
        scores[rows[kept]] = [score for _, score in found]
    return {"fasttext_language": codes, "fasttext_language_score": scores}


def _pin_model(pool: AnyPool, settings: Mapping[str, Setting]) -> Mapping[str, Setting]:
    """Return settings with a digest of the model beside its file."""
    path = Path(str(settings["model"]))
    if not path.is_file():
        raise SignalError(
            f"fasttext_language asks a fastText model, and its file is {settings['model']!r}; get lid.176.bin from "
            "https://fasttext.cc/docs/en/language-identification.html and name it: --set language_model=lid.176.bin"
        )
    return {**settings, "model_digest": digest_file(path)}


FASTTEXT_LANGUAGE = WholePool(
    name="fasttext_language",
    version=1,
    kind="image-text",
    columns={
        "fasttext_language": "code by the fastText model in the file `model`, `und` for an empty caption",
        "fasttext_language_score": "probability of that language",
    },
    compute=_fasttext,
    parameters={"model": ""},
    pin=_pin_model,
)
