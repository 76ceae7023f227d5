"""The language of --where: what expressions keep, against numpy; and what is refused, with the place."""

import json
from contextlib import suppress

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from assay.errors import StrategyError
from assay.pool import Pool, build_pool
from assay.strategy import manifest_of, run_strategy
from assay.strategy.view import PoolView
from assay.strategy.where import Evaluation, where_strategy
from assay.strategy.where_syntax import parse
from assay.submission import submission_of, write_submission
from assay.track.spec import Budget

N = 60


@pytest.fixture(scope="module", autouse=True)
def home(tmp_path_factory):
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("ASSAY_HOME", str(tmp_path_factory.mktemp("home")))
        yield


@pytest.fixture(scope="module")
def pool(tmp_path_factory) -> Pool:
    folder = tmp_path_factory.mktemp("where")
    lines = [
        {
            "text": f"Number {i}. " + "and some more words. " * (i % 9 + 1),
            "score": float(i * 37 % N),
            "lang": ["en", "de", None][i % 3],
            "good": i % 2 == 0,
        }
        for i in range(N)
    ]
    (folder / "d.jsonl").write_text("\n".join(map(json.dumps, lines)))
    return build_pool([str(folder / "d.jsonl")], folder / "pool", vocab_size=300)


def kept(pool: Pool, where: str, seed: int = 0) -> np.ndarray:
    return Evaluation(PoolView(pool, 1000), where, seed).mask(parse(where))


def column(pool: Pool, name: str) -> np.ndarray:
    return pool.column(name).to_numpy(zero_copy_only=False)


def test_expressions_keep_what_numpy_keeps(pool):
    score, lang, good = column(pool, "score"), column(pool, "lang"), column(pool, "good")
    en, rank = lang == "en", np.argsort(np.argsort(-score))
    tokens = pool.n_tokens
    for where, expected in {
        "score > 30": score > 30,
        "10 <= score < 30": (score >= 10) & (score < 30),
        'score > 30 & lang == "en"': (score > 30) & en,
        'score > 30 and lang == "en"': (score > 30) & en,
        '~lang == "en" | score == 3': ~en | (score == 3),
        'lang != "en"': lang == "de",
        'lang in ["en", "de"]': en | (lang == "de"),
        'lang not in ["de"]': en,
        "score not in (1, 2)": ~np.isin(score, [1, 2]),
        "good": good.astype(bool),
        "good == False": ~good.astype(bool),
        "top(score, 0.5) - good": (rank < 30) & ~good.astype(bool),
        "top(score, 0.3)": rank < 18,
        "bottom(score, 0.3)": rank >= 42,
        "top(-score, 0.3)": rank >= 42,
        "top(score, 0.25, within=good)": good.astype(bool)
        & (score >= np.sort(score[good.astype(bool)])[-8]),
        "score * 2 - 1 > n_tokens / 2 + 3": score * 2 - 1 > tokens / 2 + 3,
        '(score > 30 | score < 5) & ~(lang == "de")': ((score > 30) | (score < 5)) & (lang != "de"),
        "gopher_stop_words == 1": np.ones(N, dtype=bool),
    }.items():
        assert np.array_equal(kept(pool, where), expected), where


def test_groups_are_capped_and_get_quotas_and_shares(pool):
    lang, score = column(pool, "lang"), column(pool, "score")
    capped = kept(pool, "cap(lang, 4, by=score)")
    for name in ("en", "de", None):
        own = np.array([value == name for value in lang])
        assert (capped & own).sum() == 4
        assert score[capped & own].min() == np.sort(score[own])[-4]
    given_ = kept(pool, 'quota(lang, {"en": 5, "de": 2})')
    assert [(given_ & (lang == name)).sum() for name in ("en", "de")] == [5, 2]
    assert given_.sum() == 7
    per = kept(pool, "top(score, 0.1, per=lang)")
    assert [(per & (lang == name)).sum() for name in ("en", "de")] == [2, 2]


def test_samples_run_from_the_top_to_random_and_each_has_its_own_draw(pool):
    assert np.array_equal(
        kept(pool, "sample(score, 0.3, temperature=0)"), kept(pool, "top(score, 0.3)")
    )
    warm = [kept(pool, "sample(score, 0.3, temperature=1e9)", seed) for seed in range(5)]
    assert len({mask.tobytes() for mask in warm}) == 5
    assert all(mask.sum() == 18 for mask in warm)
    hot = "sample(score, 0.3, temperature=1e9)"
    both = kept(pool, f"{hot} & {hot}")
    assert both.sum() < 18
    assert np.array_equal(both, kept(pool, f"{hot} & {hot}"))


def test_lists_are_sets_and_the_manifest_says_what_was_read(pool, tmp_path):
    path = tmp_path / "other.npy"
    write_submission(submission_of(pool.uids[:10]), path)
    where = f'(gopher_stop_words >= 0 | score > 1) - ids("{path}")'
    strategy = where_strategy(where)
    settings = dict(strategy.defaults)
    outcome = run_strategy(
        strategy, pool, budget=Budget(1000, "tokens", 4), seed=0, settings=settings
    )
    assert np.array_equal(outcome.submission.stages[0].uids, pool.uids[10:])
    made = manifest_of(strategy, outcome, pool, seed=0, settings=settings)["strategy"]
    assert made["parameters"] == {"where": where}
    assert set(made["inputs"]) == {"gopher_stop_words", "ids(other.npy)"}
    assert all(digest.startswith("sha256:") for digest in made["inputs"].values())


@pytest.mark.parametrize(
    ("where", "place", "message"),
    [
        ("scroe > 3", 1, "did you mean 'score'"),
        ('score > 3 & lng == "en"', 13, "no column 'lng'"),
        ("score", 1, "a condition is wanted"),
        ("top(score, 3)", 12, "from 0 to 1"),
        ("top(lang, 0.3)", 5, "column of numbers"),
        ("top(score)", 1, "called so: top(column, fraction"),
        ("top(score, 0.1, 0.2, 0.3, 0.4)", 1, "called so"),
        ("top(score, fractoin=0.1)", 21, "called so"),
        ("topp(score, 0.3)", 1, "did you mean 'top'"),
        ('score > "3"', 9, "text is compared with a number"),
        ("lang in [1]", 9, "a list of texts"),
        ("lang in score", 9, "a list is wanted"),
        ("1 < 2", 1, "two constants"),
        ("score > 3 &", 12, "invalid syntax"),
        ("score > (3", 9, "never closed"),
        ("lambda: 1", 1, "Lambda"),
        ("score.__class__ == 1", 1, "Attribute"),
        ("[x for x in score]", 1, "ListComp"),
        ("(score := 3) > 1", 2, "NamedExpr"),
        ("score ** 99999 > 1", 1, "Pow"),
        ("score > None", 9, "not part of the language"),
        ("ids('nowhere.npy')", 5, "is not a file"),
        ('quota(lang, {"fr": 1})', 13, "no example is in group 'fr'"),
        ('quota(lang, {"en": 1.5})', 13, "whole number"),
        ("quota(lang, 3)", 13, "given so"),
        ("~" * 200 + "good", None, "nested too deeply"),
        ("good & " * 2000 + "good", None, "at most 4000"),
        ("cap(lang, 3, **lang)", None, "called so"),
        ("'äöü' == lang & scroe > 1", 17, "did you mean 'score'"),
    ],
)
def test_what_is_wrong_is_refused_with_its_place(pool, where, place, message):
    with pytest.raises(StrategyError) as caught:
        kept(pool, where)
    assert message in str(caught.value)
    assert "\n" not in str(caught.value)
    if place is not None:
        assert f"character {place}:" in str(caught.value)


@given(st.text(max_size=60))
def test_any_text_is_an_expression_or_refused_with_one_line(text):
    with suppress(StrategyError):
        parse(text)


PIECES = [
    "score",
    "lang",
    "good",
    "top(",
    ")",
    "(",
    ">",
    "3",
    "&",
    "|",
    "~",
    "-",
    '"en"',
    ",",
    "0.5",
    "in",
    "[",
]


@given(st.lists(st.sampled_from(PIECES), max_size=12))
def test_any_sequence_of_words_is_judged_without_failing(pool, pieces):
    with suppress(StrategyError):
        assert kept(pool, " ".join(pieces)).shape == (N,)
