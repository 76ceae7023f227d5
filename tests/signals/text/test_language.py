"""Languages of the embedded pool's documents and of well-known sentences."""

import numpy as np
import pytest

from assay.errors import SignalError
from assay.foundry import documents
from assay.signals.text import language
from assay.signals.text.language import identify

DECLARATION = {
    "en": "All human beings are born free and equal in dignity and rights.",
    "de": "Alle Menschen sind frei und gleich an Würde und Rechten geboren.",
    "fr": "Tous les êtres humains naissent libres et égaux en dignité et en droits.",
    "es": "Todos los seres humanos nacen libres e iguales en dignidad y derechos.",
    "ru": "Все люди рождаются свободными и равными в своем достоинстве и правах.",
    "ja": "すべての人間は、生まれながらにして自由であり、かつ、尊厳と権利とについて平等である。",
}


def test_the_first_article_is_known_in_each_language() -> None:
    codes, probabilities = identify(list(DECLARATION.values()))
    assert codes.tolist() == list(DECLARATION)
    assert (probabilities > 0.9).all()


def test_the_made_up_language_and_noise_are_not_english_and_pages_are() -> None:
    pages = list(documents(0, 600))
    codes, _ = identify([page.text for page in pages])
    english = codes == "en"
    other = np.array(
        [bool({"foreign_language", "gibberish"} & {*page.truth.defects}) for page in pages]
    )
    assert other.sum() > 40
    assert not english[other].any()
    assert english[~other].mean() > 0.995


def test_odds_are_those_of_bayes_rule_and_hardly_move_a_sentence() -> None:
    texts = ["puppy", "cat", "Flugzeug", *DECLARATION.values()]
    codes, probabilities = identify(texts, english_odds=8)
    for text, code, probability in zip(texts, codes, probabilities, strict=True):
        prior = {name: 8 if name == "en" else 1 for name, _ in language._identifier().rank(text)}
        weights = {name: prior[name] * p for name, p in language._identifier().rank(text)}
        assert code == max(weights, key=weights.__getitem__)
        assert probability == pytest.approx(weights[code] / sum(weights.values()), rel=1e-4)
    assert codes.tolist() == ["en", "en", "de", *DECLARATION]
    assert identify(texts[:2])[0].tolist() != ["en", "en"]


def test_long_texts_are_sampled_and_texts_without_letters_are_undetermined() -> None:
    text = DECLARATION["de"] + "\n" + "1234 " * 5000 + DECLARATION["de"]
    codes, probabilities = identify([text, "", "12 + 30 = 42"])
    assert codes.tolist() == ["de", "und", "und"]
    assert probabilities[1:].tolist() == [0.0, 0.0]


def test_without_the_package_the_way_to_get_it_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    language._identifier.cache_clear()
    monkeypatch.setitem(__import__("sys").modules, "py3langid.langid", None)
    with pytest.raises(SignalError, match=r"-e '\.\[language\]'"):
        identify(["text"])
    language._identifier.cache_clear()
