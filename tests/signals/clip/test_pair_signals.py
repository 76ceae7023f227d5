"""Signals of image-text pairs, against what the generator planted."""

from collections import Counter

import numpy as np
import pyarrow.parquet as pq
import pytest

from assay.foundry.scenes import ScenesSource, scene_tasks
from assay.pool import ImageTextPool, build_image_text_pool, pool_path
from assay.pool.manifest import truth_path
from assay.signals.build import build_signals, want
from assay.signals.clip.reference import pair_reference
from assay.signals.clip.target import (
    IMAGES_A_TASK,
    cluster_target,
    hit_by_target,
    target_images,
)
from pairs import make_sample, write_tar

NAMES = (
    "caption_length",
    "language",
    "copies",
    "sizes",
    "text_in_image",
    "image_duplicates",
)


@pytest.fixture(scope="module")
def pool(tmp_path_factory) -> ImageTextPool:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("ASSAY_HOME", str(tmp_path_factory.mktemp("home")))
        yield build_image_text_pool([ScenesSource(1000)], pool_path("pairs"), name="pairs")


@pytest.fixture(scope="module")
def columns(pool) -> dict[str, np.ndarray]:
    stored = build_signals(pool, [want(name, pool) for name in NAMES], workers=1)
    return {column: one.column(column) for one in stored for column in one.digests}


@pytest.fixture(scope="module")
def truth(pool):
    return pq.read_table(truth_path(pool.path))


def test_counts_are_those_of_the_captions(pool, columns):
    captions = list(pool.captions())
    copies = Counter(captions)
    assert columns["caption_words"].tolist() == [len(text.split()) for text in captions]
    assert columns["caption_characters"].tolist() == [len(text) for text in captions]
    assert columns["caption_copies"].tolist() == [copies[text] for text in captions]
    images = [pool.image_bytes(row) for row in range(pool.n)]
    assert columns["image_copies"].tolist() == [Counter(images)[image] for image in images]


def test_sizes_are_those_that_were_noted(pool, columns):
    width, height = (pool.column(f"original_{side}").to_numpy() for side in ("width", "height"))
    assert columns["min_side"].tolist() == np.minimum(width, height).tolist()
    assert (
        columns["aspect_ratio"].tolist()
        == (np.maximum(width, height) / np.minimum(width, height)).tolist()
    )


def test_sizes_are_those_of_the_stored_image_where_none_was_noted(tmp_path, monkeypatch):
    monkeypatch.setenv("ASSAY_HOME", str(tmp_path / "home"))
    samples = [make_sample(number) | {"json": b"{}"} for number in range(3)]
    pool = build_image_text_pool([write_tar(tmp_path / "0.tar", samples)], tmp_path / "pool")
    stored = build_signals(pool, [want("sizes", pool)])[0]
    assert stored.column("min_side").tolist() == [6, 6, 6]
    assert stored.column("aspect_ratio").tolist() == pytest.approx([8 / 6] * 3)


def test_planted_foreign_captions_are_named_foreign_and_english_ones_mostly_english(columns, truth):
    defect = np.array(truth["defect"].to_pylist(), dtype=object)
    english = columns["language"] == "en"
    assert english[defect == "foreign_caption"].mean() < 0.02
    assert english[np.isin(defect, [None, "mismatched_caption", "partly_wrong"])].mean() > 0.99


def test_images_of_equal_bytes_share_a_cluster_and_few_others_do(pool, columns, truth):
    cluster, planted = columns["image_cluster"], truth["cluster"].to_numpy()
    assert columns["image_cluster_size"].tolist() == np.bincount(cluster)[cluster].tolist()
    by_image: dict[bytes, set[int]] = {}
    for row in range(pool.n):
        by_image.setdefault(pool.image_bytes(row), set()).add(int(cluster[row]))
    assert all(len(clusters) == 1 for clusters in by_image.values())
    alike = [row for row in range(pool.n) if cluster[row] != row]
    assert len(alike) > 30
    # An image that shows no scene, such as a page of text, has only itself for a planted cluster.
    assert np.mean([planted[row] == planted[cluster[row]] for row in alike]) > 0.8


def test_target_images_are_no_items_of_the_suite(pool):
    found = list(target_images(pool, "default", "default"))
    items = {item.image for task in scene_tasks() for item in task.items}
    assert len(found) == len(scene_tasks()) * IMAGES_A_TASK
    assert len(set(found)) > 0.99 * len(found)
    assert not items & set(found)


def test_of_the_generated_target_one_task_decides_about_clusters(pool, tmp_path):
    assert scene_tasks()[0].name == "shape"
    every = list(target_images(pool, "default", "default"))
    assert len(every[cluster_target(pool, "default")]) == IMAGES_A_TASK
    assert every[cluster_target(pool, str(tmp_path))] == every


def test_a_target_is_a_folder_or_a_pool(pool, tmp_path):
    (tmp_path / "sub").mkdir()
    (tmp_path / "sub" / "b.png").write_bytes(b"b")
    (tmp_path / "a.jpg").write_bytes(b"a")
    (tmp_path / "c.txt").write_bytes(b"c")
    assert list(target_images(pool, str(tmp_path), "default")) == [b"a", b"b"]
    named = list(target_images(pool, "foundry-clip-reference-20", "default"))
    reference = pair_reference(pool, "foundry-clip-reference-20")
    assert named == [reference.image_bytes(row) for row in range(20)]


def test_clusters_hit_are_those_nearest_to_a_target_image():
    rng = np.random.default_rng(0)
    vectors, target = rng.normal(size=(300, 4)), rng.normal(size=(3, 4))
    centroids = rng.normal(size=(12, 4)).astype(np.float32)
    hit = {max(range(12), key=lambda c: float(t @ centroids[c])) for t in target}
    slow = [max(range(12), key=lambda c: float(v @ centroids[c])) in hit for v in vectors]
    assert hit_by_target(vectors, target, centroids).tolist() == slow
