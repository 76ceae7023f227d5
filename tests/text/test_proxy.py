"""Small language models as judges of documents: what they read, and that they are the same again."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any, cast

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from lm_eval.api.instance import Instance
from safetensors.torch import load_file
from scipy.stats import kendalltau
from sklearn.linear_model import LogisticRegression

from assay.foundry.source import FoundrySource
from assay.home import package_folder
from assay.pool import Pool, build_pool, pool_path
from assay.selection import select_rows
from assay.settings import Settings
from assay.signals.build import build_signals, want
from assay.signals.columns import PoolInputs, TrainedModel
from assay.signals.store import StoredSignal
from assay.signals.text.reference import open_reference
from assay.submission import submission_of
from assay.text.lm import SharedPrefixLM
from assay.text.modality import TextModality
from assay.text.proxy.ranking import concordance, fit_preference
from assay.text.proxy.reader import read_documents, read_pool
from assay.text.proxy.stand_ins import _in_tokens_of, proxy_losses_columns
from assay.text.proxy.trainer import FINE_TUNING_SCALE, SCALE, Proxy, proxy_recipe, train_proxy
from assay.track.load import load_scale_file
from assay.track.spec import Recipe
from assay.train.loop import train

pytestmark = pytest.mark.usefixtures("one_thread")

TOKENS = 4096
REFERENCE = "foundry-text-reference-60"


@pytest.fixture(scope="module", autouse=True)
def home(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    with pytest.MonkeyPatch.context() as patch:
        home = tmp_path_factory.mktemp("home")
        patch.setenv("ASSAY_HOME", str(home))
        patch.setenv("TOKENIZERS_PARALLELISM", "false")
        yield home


@pytest.fixture(scope="module")
def pool(home: Path) -> Pool:
    tokenizer = package_folder("tracks") / "text" / "tokenizer.json"
    return build_pool([FoundrySource(120)], pool_path("judged"), name="judged", tokenizer=tokenizer)


@pytest.fixture(scope="module")
def proxy(pool: Pool) -> Proxy:
    return train_proxy(pool, tokens_seen=TOKENS, seed=0, width=32)


def built(pool: Pool, name: str, **parameters) -> StoredSignal:
    settings = {"reference": REFERENCE, "tokens_seen": TOKENS} | parameters
    return build_signals(pool, [want(name, pool, **settings)], workers=1)[0]


def test_losses_are_those_of_the_evaluation(pool: Pool, proxy: Proxy) -> None:
    texts = list(pool.texts())
    lm = SharedPrefixLM(proxy.model, pool.tokenizer(), pool.eos_id)
    requests = [Instance("loglikelihood_rolling", {}, (text,), i) for i, text in enumerate(texts)]
    lm.loglikelihood_rolling(requests)
    outcomes = [lm.outcomes[(text,)] for text in texts]
    assert [outcome.num_tokens for outcome in outcomes] == pool.n_tokens.tolist()
    assert pool.n_tokens.min() < 128 < pool.n_tokens.max() / 2  # in one window, and in several
    expected = [-outcome.log_likelihood / outcome.num_tokens for outcome in outcomes]
    assert read_pool(proxy, pool).losses == pytest.approx(expected, rel=1e-5)


def test_states_are_the_mean_of_those_that_predict(pool: Pool, proxy: Proxy) -> None:
    row = int(np.argmin(pool.n_tokens))
    tokens = pool.tokens(row).astype(np.int64)
    shown = torch.from_numpy(np.concatenate([[pool.eos_id], tokens[:-1]]))[None]
    with torch.no_grad():
        states = proxy.model(input_ids=shown, output_hidden_states=True).hidden_states[-1]
    found = read_pool(proxy, pool, np.array([row]))
    assert found.states[0] == pytest.approx(states[0].mean(0).numpy(), abs=1e-5)
    assert found.states.shape == (1, 32)


def test_a_document_is_read_the_same_in_any_company(pool: Pool, proxy: Proxy) -> None:
    rows = np.arange(60)
    together, back = read_pool(proxy, pool, rows), read_pool(proxy, pool, rows[::-1])
    assert back.losses[::-1] == pytest.approx(together.losses, rel=1e-5)
    alone = read_documents(proxy, [pool.tokens(7)])
    assert alone.losses[0] == pytest.approx(together.losses[7], rel=1e-5)


def test_what_has_no_tokens_has_no_loss(pool: Pool, proxy: Proxy) -> None:
    found = read_documents(proxy, [np.empty(0, dtype=np.uint16), pool.tokens(0)])
    assert np.isnan(found.losses).tolist() == [True, False]
    assert np.isnan(found.states).all(axis=1).tolist() == [True, False]


def test_moments_are_the_weights_after_those_steps(
    pool: Pool, proxy: Proxy, tmp_path: Path
) -> None:
    kept = train_proxy(pool, tokens_seen=TOKENS, seed=0, width=32, moments=2)
    same = [load_file(one.folder / "model.safetensors") for one in (kept, proxy)]
    assert all(torch.equal(same[0][name], same[1][name]) for name in same[0])
    selection = select_rows(submission_of(pool.uids), pool)
    again = TextModality(pool, selection, kept.recipe, seed=0, micro_batch=0)
    assert again.steps == 4
    half = train(again, seed=0, folder=tmp_path, settings=Settings(), last_step=2).model
    moment = kept.at(0).model.state_dict()
    assert all(torch.equal(moment[name], weight) for name, weight in half.state_dict().items())


def test_a_trajectory_is_the_losses_at_each_moment(pool: Pool) -> None:
    wanted = want("loss_trajectory", pool, tokens_seen=TOKENS, moments=2)
    found = build_signals(pool, [wanted], workers=1)[0].column("loss_trajectory")
    assert found.shape == (pool.n, 2)
    kept = train_proxy(pool, tokens_seen=TOKENS, seed=0, moments=2)
    assert np.array_equal(found[:, 1], read_pool(kept.at(1), pool).losses)
    assert np.nanmean(found[:, 1]) < np.nanmean(found[:, 0])  # it learns


def test_the_recipe_is_the_tracks_but_for_budget_and_width() -> None:
    folder = package_folder("tracks") / "text" / "scales"
    sealed = load_scale_file(folder / f"{SCALE}.yaml", "text").recipe
    assert isinstance(sealed, Recipe)
    assert proxy_recipe(2048, sealed.tokens_seen) == sealed
    small = proxy_recipe(300, 5000, width=32)
    assert (small.model.hidden_size, small.model.intermediate_size, small.model.num_heads) == (
        32,
        80,
        2,
    )
    assert (small.tokens_seen, small.steps, small.schedule.warmup_steps) == (4096, 4, 1)
    assert small.optimizer == sealed.optimizer
    tuned = load_scale_file(folder / f"{FINE_TUNING_SCALE}.yaml", "text").recipe.optimizer
    start = Proxy(Path(), "", "", replace(sealed, model=small.model), 0, 0.0, ready=True)
    going_on = proxy_recipe(300, 5000, start=start)
    assert (going_on.optimizer, going_on.model) == (tuned, small.model)


def test_the_same_documents_and_seed_give_the_same_bytes(
    pool: Pool, proxy: Proxy, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ASSAY_HOME", str(tmp_path))
    rows = np.arange(pool.n)[::-1]
    again = train_proxy(pool, rows, tokens_seen=TOKENS, seed=0, width=32)
    assert again.digest == proxy.digest
    assert again.folder != proxy.folder
    weights = [(p.folder / "model.safetensors").read_bytes() for p in (proxy, again)]
    assert weights[0] == weights[1]
    assert not (again.folder.parent / "resume.safetensors").exists()


def test_it_is_trained_once(pool: Pool, proxy: Proxy, capsys: pytest.CaptureFixture[str]) -> None:
    again = train_proxy(pool, tokens_seen=TOKENS, seed=0, width=32)
    assert (again.ready, replace(again, ready=False)) == (True, proxy)
    assert again.cpu_seconds > 0
    assert "training a proxy" not in capsys.readouterr().err
    others = [
        train_proxy(pool, tokens_seen=TOKENS, seed=1, width=32),
        train_proxy(pool, np.arange(50), tokens_seen=TOKENS, seed=0, width=32),
        train_proxy(pool, tokens_seen=2 * TOKENS, seed=0, width=32),
    ]
    assert len({p.digest for p in [proxy, *others]}) == 4


def test_fine_tuning_goes_on_from_the_prior(pool: Pool, proxy: Proxy) -> None:
    reference = open_reference(pool, REFERENCE)
    tuned = train_proxy(reference.pool, tokens_seen=TOKENS, seed=0, start=proxy)
    afresh = train_proxy(reference.pool, tokens_seen=TOKENS, seed=0, width=32)
    assert len({tuned.digest, afresh.digest, proxy.digest}) == 3
    moved = [
        max(
            float((a - b).detach().abs().max())
            for a, b in zip(one.model.parameters(), proxy.model.parameters(), strict=True)
        )
        for one in (tuned, afresh)
    ]
    assert 0 < moved[0] < moved[1] / 2
    before, after = (read_pool(p, reference.pool).losses.mean() for p in (proxy, tuned))
    assert after < before


def test_without_fine_tuning_both_losses_are_one(pool: Pool) -> None:
    same = built(pool, "proxy_losses", fine_tuning_tokens=0)
    assert np.array_equal(same.column("proxy_loss"), same.column("conditional_loss"))
    other = built(pool, "proxy_losses", fine_tuning_tokens=TOKENS)
    assert np.array_equal(other.column("proxy_loss"), same.column("proxy_loss"))
    assert not np.array_equal(other.column("conditional_loss"), same.column("conditional_loss"))
    assert same.cpu_seconds > 0


def test_what_an_earlier_signal_trained_costs_this_one_the_same(pool: Pool, tmp_path: Path) -> None:
    parameters = {"reference": REFERENCE, "seed": 0}
    parameters |= {"tokens_seen": TOKENS, "fine_tuning_tokens": TOKENS}
    built(pool, "proxy_losses", fine_tuning_tokens=TOKENS)
    prior = train_proxy(pool, tokens_seen=TOKENS, seed=0)
    reference = open_reference(pool, REFERENCE).pool
    conditional = train_proxy(reference, tokens_seen=TOKENS, seed=0, start=prior)
    ready: list[float] = []
    models: list[TrainedModel] = []
    inputs = PoolInputs(
        pool, parameters, tmp_path, lambda name: np.empty(0), ready.append, models.append
    )
    proxy_losses_columns(inputs)
    assert ready == [prior.cpu_seconds, conditional.cpu_seconds]
    assert min(ready) > 0
    assert models == [
        TrainedModel(prior.weights, pool.root, pool.n),
        TrainedModel(conditional.weights, reference.root, reference.n),
    ]


def test_a_preference_puts_the_reference_before_the_pool(pool: Pool) -> None:
    found = built(pool, "pairwise_ranker", reference=REFERENCE).column("preference")
    assert found.shape == (pool.n,)
    assert np.isfinite(found).all()
    rows = np.arange(20)
    best = f"url~{pool.column('host')[0].as_py()}"
    own = built(pool, "pairwise_ranker", reference=best).column("preference")
    preferred = open_reference(pool, best).rows
    assert preferred is not None
    others = np.setdiff1d(np.arange(pool.n), preferred)
    assert own[preferred].mean() > own[others].mean()
    assert not np.array_equal(own[rows], found[rows])


def test_strength_is_known_of_the_documents_that_were_drawn(
    pool: Pool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("assay.text.proxy.stand_ins.LADDER_WIDTHS", (32, 64))
    monkeypatch.setattr("assay.text.proxy.stand_ins.LADDER_DOCUMENTS", 50)
    found = built(pool, "proxy_ladder", tokens_seen=2048).column("predictive_strength")
    known = found[~np.isnan(found)]
    assert len(known) == 50
    assert set(known.tolist()) <= {0.0, 0.5, 1.0}


def test_a_reference_of_another_tokenizer_is_read_in_tokens_of_the_pool(
    pool: Pool, tmp_path: Path
) -> None:
    other = build_pool([FoundrySource(9)], tmp_path / "other", name="other", vocab_size=300)
    found = _in_tokens_of(pool, str(other.path))
    assert list(found.pool.texts()) == list(other.texts())
    assert np.array_equal(found.pool.uids, other.uids)
    ids = pool.tokenizer().encode(found.pool.text(3), add_special_tokens=False).ids
    assert found.pool.tokens(3).tolist() == ids
    assert found.pool.vocab_size == pool.vocab_size != other.vocab_size


def test_preferences_are_a_logistic_regression_on_differences() -> None:
    rng = np.random.default_rng(0)
    better, worse = rng.normal(0.3, 1, (300, 5)), rng.normal(0, 1, (300, 5))
    gaps = better - worse
    ridge = 0.01
    # sklearn minimises the summed loss plus |w|^2 / 2C, and wants both classes.
    sklearn = LogisticRegression(C=1 / (2 * len(gaps) * ridge), fit_intercept=False, tol=1e-10)
    sklearn.fit(np.concatenate([gaps, -gaps]), np.repeat([1, 0], len(gaps)))
    found = fit_preference(better, worse, ridge=ridge)
    assert found == pytest.approx(sklearn.coef_[0], abs=1e-4)


@given(arrays(np.float64, (4, 3), elements=st.integers(-3, 3)), st.permutations(range(4)))
def test_concordance_is_kendalls_tau_of_strength_and_loss(losses, order) -> None:
    strengths = np.array(order, dtype=float)
    found = concordance(losses, strengths)
    for document, value in enumerate(found):
        column = losses[:, document]
        assert concordance(-losses, strengths)[document] == pytest.approx(1 - value)
        if len(set(column.tolist())) == len(column):
            tau = cast("Any", kendalltau(strengths, -column)).statistic
            assert value == pytest.approx((tau + 1) / 2)
    assert np.array_equal(concordance(losses[::-1], strengths[::-1]), found)
