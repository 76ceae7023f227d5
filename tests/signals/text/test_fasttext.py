"""The classifier, beside fastText used directly."""

from pathlib import Path

import fasttext
import numpy as np
import pytest

from assay.errors import SignalError
from assay.foundry import documents
from assay.foundry.pages import reference_documents
from assay.signals.text.fasttext import BUCKETS, Classifier


@pytest.fixture(scope="module")
def good() -> list[str]:
    return [page.text for page in reference_documents(0, 300)]


@pytest.fixture(scope="module")
def model(good: list[str]) -> Classifier:
    return Classifier.train(good, [page.text for page in documents(0, 300)], seed=1)


def test_scores_are_those_of_fasttext_with_dclms_settings(
    good: list[str], model: Classifier, tmp_path: Path
) -> None:
    lines = []
    for one, other in zip(good, (page.text for page in documents(0, 300)), strict=True):
        lines += [
            "__label__hq " + " ".join(one.strip().splitlines()),
            "__label__cc " + " ".join(other.strip().splitlines()),
        ]
    path = tmp_path / "train.txt"
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    settings = {"lr": 0.1, "dim": 100, "epoch": 5, "wordNgrams": 2, "minCount": 1}
    theirs = fasttext.train_supervised(
        str(path), **settings, bucket=BUCKETS, thread=1, seed=1, verbose=0
    )
    for text in (page.text for page in documents(300, 320)):
        labels, probabilities = theirs.predict(" ".join(text.strip().splitlines()), k=2)
        expected = probabilities[labels.index("__label__hq")]
        assert model.score([text])[0] == pytest.approx(min(1.0, expected), abs=1e-6)


def test_the_same_documents_train_the_same_model(good: list[str], model: Classifier) -> None:
    again = Classifier.train(good, [page.text for page in documents(0, 300)], seed=1)
    assert np.array_equal(again.score(good[:20]), model.score(good[:20]))


def test_clean_pages_score_above_spoilt_ones(model: Classifier) -> None:
    pages = list(documents(1000, 1400))
    scores = model.score([page.text for page in pages])
    surface = {"gibberish", "foreign_language", "keyword_spam", "markup_residue", "shouting"}
    clean = scores[[not page.truth.defects for page in pages]]
    spoilt = scores[[bool(surface & {*page.truth.defects}) for page in pages]]
    assert np.median(clean) > np.quantile(spoilt, 0.9)


def test_odd_texts_have_a_score(model: Classifier) -> None:
    scores = model.score(["", "\n\n", "a\u2028b\rc\x00d", "\ud800 lone", "__label__hq"])
    assert ((scores >= 0) & (scores <= 1)).all()
    assert model.score([]).shape == (0,)


def test_without_the_package_the_way_to_get_it_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(__import__("sys").modules, "fasttext", None)
    with pytest.raises(SignalError, match=r"-e '\.\[fasttext\]'"):
        Classifier.train(["a"], ["b"])
