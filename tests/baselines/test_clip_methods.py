"""Image-text methods, each beside a slow writing-out of what its paper or released code does."""

from collections import Counter
from types import SimpleNamespace
from typing import Any

import numpy as np
import pyarrow as pa
import pytest

from assay.errors import SignalError, StrategyError
from assay.pool.uid import UID_DTYPE, find
from assay.signals.clip.density import complexity, quotas
from assay.signals.kmeans import nearest, spherical_kmeans
from assay.strategy import load_strategy

N = 400


def view(columns: dict[str, Any] | None = None, captions: list[str] | None = None, **signals: Any):
    """Return what a strategy may see of a made-up pool, signals included."""
    uids = np.zeros(N, dtype=UID_DTYPE)
    uids["f0"] = np.arange(N) * 7
    columns = columns or {}
    return SimpleNamespace(
        n=N,
        uids=uids,
        samples_seen=1000,
        column_names=tuple(columns),
        column=lambda name: pa.array(columns[name]),
        captions=lambda: iter(captions or []),
        signal=lambda name, **_: signals[name],
    )


def rows(pool: Any, name: str, **settings: Any) -> list[int]:
    strategy = load_strategy(name, "clip")
    unknown = set(settings) - set(strategy.defaults)
    assert not unknown, unknown
    return find(pool.uids, strategy.select(pool, seed=0, **settings)).tolist()


def unit(seed: int, n: int = N, d: int = 6) -> np.ndarray:
    vectors = np.random.default_rng(seed).normal(size=(n, d)).astype(np.float32)
    return vectors / np.linalg.norm(vectors, axis=1, keepdims=True)


def test_align_rules_are_those_of_section_3():
    rng = np.random.default_rng(0)
    known = [f"w{number}" for number in range(12)]
    captions = [" ".join(rng.choice(known, rng.integers(1, 24))) for _ in range(N - 30)]
    captions += ["w1 w2 w3 w1"] * 15 + ["w1 w2 rare"] + ["w1 W2 w3 w4"] * 10 + ["w1 w2 w3"] * 4
    side = rng.choice([200.0, 201.0, 400.0], N)
    aspect = rng.choice([1.0, 2.9, 3.0], N)
    images = rng.choice([1, 1000, 1001], N)
    copies = np.array([Counter(captions)[caption] for caption in captions])
    words = np.array([len(caption.split()) for caption in captions])
    grams = Counter()
    for caption in captions:
        tokens = caption.lower().split()
        grams.update(tokens + [" ".join(tokens[i : i + 2]) for i in range(len(tokens) - 1)])
    kept = []
    for row, caption in enumerate(captions):
        tokens = caption.lower().split()
        own = tokens + [" ".join(tokens[i : i + 2]) for i in range(len(tokens) - 1)]
        good = side[row] > 200 and aspect[row] < 3 and images[row] <= 1000
        good = good and copies[row] <= 10 and 3 <= len(tokens) <= 20
        if good and min(grams[gram] for gram in own) >= 2:
            kept.append(row)
    pool = view(
        captions=captions,
        min_side=side,
        aspect_ratio=aspect,
        image_copies=images,
        caption_copies=copies,
        caption_words=words,
    )
    assert rows(pool, "align_rules") == kept
    assert 20 < len(kept) < N - 100


@pytest.mark.parametrize("name", ["align_rules", "basic_filter"])
def test_where_all_images_were_scaled_down_the_error_says_a_limit_that_works(name):
    side = np.repeat([32.0, 72.0, np.nan], [N - 110, 100, 10])
    signals = {
        "min_side": side,
        "aspect_ratio": np.ones(N),
        "image_copies": np.ones(N, int),
        "caption_copies": np.ones(N, int),
        "caption_words": np.full(N, 3),
        "caption_characters": np.full(N, 12),
        "language": np.full(N, "en"),
    }
    pool = view(captions=["a red star"] * N, **signals)
    with pytest.raises(SignalError, match=r"have 32 pixels or fewer, .* 72; .* --set min_side=31"):
        rows(pool, name)
    assert rows(pool, name, min_side=31) == list(range(N - 10))
    unknown = view(captions=["a red star"] * N, **signals | {"min_side": np.full(N, np.nan)})
    assert rows(unknown, name) == []


def test_metaclip_keeps_each_pair_as_often_as_its_probability_says():
    probability = np.repeat([0.0, 0.1, 0.5, 1.0], N // 4)
    pool = view(metaclip_probability=probability)
    select = load_strategy("metaclip", "clip").select
    kept = np.zeros(N)
    for seed in range(200):
        kept[find(pool.uids, select(pool, seed=seed))] += 1
    shares = kept.reshape(4, -1).mean(axis=1) / 200
    assert shares == pytest.approx([0, 0.1, 0.5, 1], abs=0.02)
    assert (shares[0], shares[3]) == (0, 1)


@pytest.mark.parametrize(("alpha", "share"), [(0.0, 0.8), (1.0, 0.5)])
def test_concept_balancing_goes_from_as_it_is_to_flat(alpha, share):
    frequency = np.repeat([320, 80], [320, 80])
    pool = view(commonest_concept=frequency)
    select = load_strategy("concept_balance", "clip").select
    common = []
    for seed in range(60):
        drawn = find(pool.uids, select(pool, seed=seed, fraction=0.05, alpha=alpha))
        assert len(drawn) == 20
        common.append((frequency[drawn] == 320).mean())
    assert np.mean(common) == pytest.approx(share, abs=0.04)
    nothing = view(commonest_concept=np.repeat([5, 0], [50, 350]))
    assert max(rows(nothing, "concept_balance", fraction=0.9)) < 50


def test_source_mix_shares_out_what_was_asked_for():
    sources = np.repeat(["a", "b", "c"], [300, 60, 40])
    pool = view(columns={"host": sources.tolist()})
    counts = lambda kept: Counter(sources[kept].tolist())  # noqa: E731
    assert counts(rows(pool, "source_mix", mixture="a=0.5,b=0.5", fraction=0.2)) == {
        "a": 40,
        "b": 40,
    }
    assert counts(rows(pool, "source_mix", mixture="a=0.1,b=0.9", fraction=0.25)) == {
        "a": 40,
        "b": 60,
    }
    assert counts(rows(pool, "source_mix", fraction=0.3)) == {"a": 40, "b": 40, "c": 40}
    assert counts(rows(pool, "source_mix", mixture="proportional", fraction=0.2))["a"] == 60
    urls = view(columns={"url": [f"https://{name}/x" for name in sources]})
    assert rows(urls, "source_mix", fraction=0.3) == rows(pool, "source_mix", fraction=0.3)


@pytest.mark.parametrize("mixture", ["d=1", "a", "a=x", "a=-1", "a=inf", ""])
def test_a_mixture_that_cannot_be_read_is_refused_in_a_line(mixture):
    pool = view(columns={"host": ["a", "b"] * (N // 2)})
    with pytest.raises(StrategyError, match="is not SOURCE=WEIGHT with a source of the pool"):
        rows(pool, "source_mix", mixture=mixture)
    with pytest.raises(StrategyError, match="no column 'host'"):
        rows(view(), "source_mix")


def test_random_repeated_shows_everything_before_anything_again():
    pool = view()
    submission = load_strategy("random_repeated", "clip").select(pool, seed=3, fraction=0.25)
    stages = [set(find(pool.uids, stage.uids).tolist()) for stage in submission.stages]
    assert [len(stage) for stage in stages] == [100] * 10
    for start in (0, 4):
        assert set.union(*stages[start : start + 4]) == set(range(N))
    assert stages[:4] != stages[4:8]
    assert [stage.share_ppm for stage in submission.stages] == [100_000] * 10
    odd = load_strategy("random_repeated", "clip").select(pool, seed=3, fraction=0.7)
    assert [stage.share_ppm for stage in odd.stages] == [280_000, 280_000, 280_000, 160_000]


def test_semdedup_drops_whom_the_released_code_drops():
    images = unit(5)
    images[200:] = images[:200] + 0.15 * unit(6, 200)
    images /= np.linalg.norm(images, axis=1, keepdims=True)
    centroids = spherical_kmeans(images, 20, seed=0)
    labels = nearest(images, centroids)[0]
    for epsilon in (0.02, 0.05, 0.2):
        kept = []
        for cluster in range(20):
            members = np.flatnonzero(labels == cluster)
            # keep_hard: descending distance to the centroid
            members = members[np.argsort(images[members] @ centroids[cluster], kind="stable")]
            similarity = images[members] @ images[members].T
            for j, member in enumerate(members):
                if j == 0 or max(similarity[i, j] for i in range(j)) <= 1 - epsilon:
                    kept.append(int(member))
        assert 100 < len(kept) < N
        fraction = len(kept) / N
        assert rows(view(imgenc_image=images), "semdedup_lite", fraction=fraction) == sorted(kept)


def test_density_pruning_keeps_its_quota_of_each_cluster_farthest_first():
    images = unit(9)
    kept = rows(view(imgenc_image=images), "density_pruning_lite", fraction=0.3, deduplicated=1.0)
    centroids = spherical_kmeans(images, round(N**0.5 / 3), seed=0)
    labels, cosines = nearest(images, centroids)
    sizes = np.bincount(labels, minlength=len(centroids))
    shares = quotas(
        complexity(labels, cosines, centroids), sizes, 120, temperature=0.1, balance=0.5
    )
    expected = []
    for cluster, share in enumerate(shares):
        members = np.flatnonzero(labels == cluster)
        expected += sorted(members, key=lambda row: cosines[row])[:share]
    assert sorted(kept) == sorted(expected)
    assert len(kept) == 120


def test_t_mars_keeps_what_reaches_painted_over_the_threshold_of_images_as_they_are():
    score = np.linspace(-1, 1, N)
    masked = score - (np.arange(N) % 3 == 0)
    pool = view(clip_score=score, ref_masked_score=masked)
    kept = rows(pool, "t_mars_lite", fraction=0.3)
    threshold = sorted(score)[N - 120]
    assert kept == [row for row in range(N) if masked[row] >= threshold - 1e-9]
    assert len(kept) < 120


def test_norm_sim_goes_on_from_the_best_by_the_loss():
    images, texts = unit(1), unit(2)
    images[0] = np.nan
    close = np.random.default_rng(3).random(N)
    signals = {
        "ref_image": images.astype(np.float16),
        "ref_text": texts.astype(np.float16),
        "ref_temperature": np.full(N, 0.1),
        "target_similarity": close,
    }
    by_loss = rows(view(**signals), "negclip_loss_lite")
    both = rows(view(**signals), "negclip_loss_normsim_lite")
    assert len(by_loss) == 120
    assert 0 not in by_loss
    assert both == sorted(sorted(by_loss, key=lambda row: -close[row])[:80])


def test_norm_sim_knows_two_norms():
    pool = view(target_similarity=np.arange(N), target_norm=-np.arange(N))
    assert rows(pool, "normsim_lite") == list(range(280, 400))
    assert rows(pool, "normsim_lite", norm="2") == list(range(120))
    with pytest.raises(StrategyError, match="norm is inf or 2, got '1'"):
        rows(pool, "normsim_lite", norm="1")
