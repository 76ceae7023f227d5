"""What every file in baselines/ has to do, on tiny pools: the one contract of all strategies."""

import inspect
import shutil
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from dataclasses import replace

import pytest

from assay.foundry.scenes import ScenesSource
from assay.foundry.source import FoundrySource
from assay.home import assay_home, package_folder
from assay.pool import AnyPool, build_image_text_pool, build_pool, pool_path
from assay.pool.manifest import truth_path
from assay.signals.catalogue import signals_of
from assay.signals.columns import WholePool
from assay.strategy import list_strategies, load_strategy, manifest_of, run_strategy
from assay.strategy.cards import FIELDS, cards, read_card
from assay.strategy.run import Outcome
from assay.submission import validate
from assay.submission.manifest import check_manifest
from assay.track.spec import Budget, Rules

NAMES = [(modality, name) for modality in ("text", "clip") for name in list_strategies(modality)]
BUDGETS = {"text": Budget(60_000, "tokens", 60), "clip": Budget(500, "samples", 10)}

SMALL = {
    "text": {
        "reference": "foundry-text-reference-200",
        "proxy_tokens": 4096,
        "fine_tuning_tokens": 2048,
    },
    "clip": {"samples_seen": 640, "reference": "foundry-clip-reference-200"},
}
"""The same for every method that trains a network or has a reference."""


class Scored(ScenesSource):
    """The generator, with a column of similarities, so that nothing has to be trained."""

    name = "scored"

    def records(self, start: int) -> Iterator:
        for place, pair in super().records(start):
            columns = {**pair.columns, "clip_l14_similarity_score": (place * 37 % 100) / 100}
            yield place, replace(pair, columns=columns)


@pytest.fixture(scope="module")
def pools(tmp_path_factory) -> Iterator[dict[str, AnyPool]]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("ASSAY_HOME", str(tmp_path_factory.mktemp("home")))
        patch.setenv("TOKENIZERS_PARALLELISM", "false")
        text = build_pool(
            [FoundrySource(400)],
            pool_path("foundry-text-400"),
            name="foundry-text-400",
            vocab_size=300,
        )
        clip = build_image_text_pool([Scored(300)], pool_path("scored"), name="scored")
        yield {"text": text, "clip": clip}


@pytest.fixture(scope="module")
def ran() -> dict[tuple[str, str], tuple[Outcome, Outcome]]:
    """What ran already, each twice."""
    return {}


@pytest.fixture
def runs(pools, ran, modality, name) -> tuple[Outcome, Outcome]:
    """The same choice made twice: cheap signals computed anew, and no truth there for who may not read it."""
    if (modality, name) not in ran:
        strategy, pool = load_strategy(name, modality), pools[modality]
        settings = dict(strategy.defaults)
        settings |= {key: value for key, value in SMALL[modality].items() if key in settings}

        def run() -> Outcome:
            return run_strategy(strategy, pool, budget=BUDGETS[modality], seed=0, settings=settings)

        with nullcontext() if strategy.reads_truth else truth_away(pool):
            first = run()
            forget_what_trains_nothing(pool)
            ran[modality, name] = first, run()
    return ran[modality, name]


@contextmanager
def truth_away(pool: AnyPool) -> Iterator[None]:
    """Keep the ground truth where nobody finds it."""
    path = truth_path(pool.path)
    hidden = assay_home() / "elsewhere"
    path.rename(hidden)
    try:
        yield
    finally:
        hidden.rename(path)


def forget_what_trains_nothing(pool: AnyPool) -> None:
    """Remove the signals that cost little, so that who wants them computes them again."""
    for signal in signals_of(pool.manifest.kind):
        if not (isinstance(signal, WholePool) and signal.trains):
            for folder in (assay_home() / "signals" / pool.name).glob(f"{signal.name}-*"):
                shutil.rmtree(folder)


each = pytest.mark.parametrize(("modality", "name"), NAMES)


@each
def test_its_ids_are_in_the_pool_and_its_budget_is_kept(pools, runs, modality, name):
    rules = Rules(
        forms=("ids", "weighted", "staged"),
        units=("document", "words128", "tokens512", "tokens1024"),
        max_repeats=100,
    )
    report = validate(runs[0].submission, pools[modality], rules, BUDGETS[modality])
    assert report.refusal is None, report.refusal


@each
def test_the_same_seed_gives_the_same_list_on_the_same_pool(runs):
    assert runs[0].submission.digest == runs[1].submission.digest


@each
def test_its_cost_and_its_inputs_are_recorded(pools, runs, modality, name):
    strategy = load_strategy(name, modality)
    made = manifest_of(strategy, runs[0], pools[modality], seed=0, settings=strategy.defaults)
    assert check_manifest(made)[1] == []
    assert made["curation_seconds"] >= 0
    if read_card(strategy.path, modality).needs.startswith("Signal"):
        assert made["strategy"]["inputs"]
    assert runs[0].inputs == runs[1].inputs


@each
def test_the_ground_truth_is_only_given_to_who_says_so(modality, name):
    strategy = load_strategy(name, modality)
    says_so = "ground truth" in read_card(strategy.path, modality).needs
    assert says_so == strategy.reads_truth
    source = strategy.path.read_text()
    assert all(word not in source for word in ("_pool", "truth_path", "read_truth", "__dict__"))
    view = inspect.signature(strategy.select).parameters["pool"].annotation.__name__
    assert view == {"text": "PoolView", "clip": "PairView"}[modality]


@each
def test_its_docstring_is_a_card_and_the_readme_names_it(modality, name):
    card = next(card for card in cards(modality) if card.name == name)
    assert all(getattr(card, field.lower()) for field in FIELDS if field != "Ranks")
    assert card.form.split()[0] in ("ids", "weighted", "staged")
    halves = (package_folder("baselines") / "README.md").read_text().split("## Image-text")
    assert f"`{name}`" in halves[modality == "clip"]


@each
def test_its_form_is_what_the_card_says(runs, modality, name):
    card = read_card(package_folder("baselines") / modality / f"{name}.py", modality)
    form = runs[0].submission.form
    assert form == card.form.split()[0] or (form, card.form) == ("ids", "weighted")
