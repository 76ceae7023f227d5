"""What each image-text baseline promises; `test_contract.py` has what all of them do."""

from collections.abc import Iterator
from dataclasses import replace

import numpy as np
import pyarrow.parquet as pq
import pytest

from assay.foundry.scenes import ScenesSource
from assay.pool import ImageTextPool, build_image_text_pool, pool_path
from assay.pool.manifest import truth_path
from assay.pool.uid import find
from assay.strategy import load_strategy, parse_settings, run_strategy
from assay.submission import Submission
from assay.track.spec import Budget

QUICK = {"samples_seen": "640", "reference": "foundry-clip-reference-200"}
"""So that networks are trained in seconds; they tell nothing."""


class Scored(ScenesSource):
    """The generator, with a column of similarities such as DataComp's pools have."""

    def records(self, start: int) -> Iterator:
        for place, pair in super().records(start):
            columns = {**pair.columns, "clip_l14_similarity_score": (place * 37 % 100) / 100}
            yield place, replace(pair, columns=columns)


@pytest.fixture(scope="module")
def home(tmp_path_factory) -> Iterator[None]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("ASSAY_HOME", str(tmp_path_factory.mktemp("home")))
        yield


@pytest.fixture(scope="module")
def pool(home) -> ImageTextPool:
    return build_image_text_pool([Scored(1000)], pool_path("scored"), name="scored")


def chosen(pool: ImageTextPool, name: str, *words: str, seed: int = 0) -> Submission:
    strategy = load_strategy(name, "clip")
    given = {word.partition("=")[0] for word in words}
    quick = QUICK.items() if "samples_seen" in strategy.defaults else ()
    words = (*words, *(f"{key}={value}" for key, value in quick if key not in given))
    words = tuple(word for word in words if word.partition("=")[0] in strategy.defaults)
    settings = parse_settings(strategy, words)
    budget = Budget(10_000, "samples", 10)
    return run_strategy(strategy, pool, budget=budget, seed=seed, settings=settings).submission


def rows(pool: ImageTextPool, submission: Submission) -> np.ndarray:
    return find(pool.uids, submission.stages[0].uids)


def mean_quality(pool: ImageTextPool, submission: Submission) -> float:
    quality = pq.read_table(truth_path(pool.path))["quality"].to_numpy()
    return float(quality[rows(pool, submission)].mean())


def test_quality_rises_from_worst_over_random_and_basic_filter_to_the_oracle(pool):
    names = ["worst_first", "random", "basic_filter", "oracle"]
    qualities = [mean_quality(pool, chosen(pool, name)) for name in names]
    assert qualities == sorted(qualities)
    assert qualities[2] > qualities[1] + 20


def test_the_basic_filter_keeps_what_datacomps_rules_keep(pool):
    kept = np.zeros(pool.n, dtype=bool)
    kept[rows(pool, chosen(pool, "basic_filter", "language="))] = True
    width, height = (
        pool.column(f"original_{side}").to_numpy(zero_copy_only=False)
        for side in ("width", "height")
    )
    for row, caption in enumerate(pool.captions()):
        sides = sorted((width[row], height[row]))
        well_formed = sides[0] >= 200 and sides[1] / sides[0] <= 3
        assert kept[row] == (well_formed and len(caption.split()) > 2 and len(caption) > 5)


def test_clip_score_takes_the_scores_that_came_with_the_pool(pool):
    score = pool.column("clip_l14_similarity_score").to_numpy(zero_copy_only=False)
    kept = rows(pool, chosen(pool, "clip_score", "fraction=0.3"))
    assert len(kept) == 300
    assert score[kept].min() >= np.sort(score)[::-1][299]


@pytest.mark.slow
def test_clip_score_trains_a_scorer_where_the_pool_has_no_scores(home):
    pool = build_image_text_pool([ScenesSource(300)], pool_path("bare"), name="bare")
    words = ("reference=foundry-clip-reference-500", "samples_seen=6400", "fraction=0.5")
    first = chosen(pool, "clip_score", *words)
    assert first.n == 150
    # An hour's training tells more; this little tells something.
    assert mean_quality(pool, first) > mean_quality(pool, chosen(pool, "no_filter")) + 20
    # The second call takes the scorer that the first one left.
    assert chosen(pool, "clip_score", *words).digest == first.digest
