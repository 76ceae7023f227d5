import hashlib
from collections import Counter

import numpy as np
import pytest

from assay.foundry.draw import Draw
from assay.foundry.scenes import SceneTask, reference_scenes, scene_tasks, scenes
from assay.foundry.scenes.concepts import BACKGROUNDS
from assay.foundry.scenes.items import TAIL_COUNTS, leak
from assay.pool.imagetext.images import decode_image

PINNED = "eaeb6af22445573f2ffb3141d6c26748706247e022fe8db178e9fe0953365f5e"
"""Digest of all items. A change of it is a new version of the suite."""


@pytest.fixture(scope="module")
def tasks() -> dict[str, SceneTask]:
    return {task.name: task for task in scene_tasks()}


def test_every_item_is_pinned(tasks: dict[str, SceneTask]) -> None:
    hasher = hashlib.sha256()
    for task in tasks.values():
        hasher.update(
            repr((task.name, task.group, task.kind, task.classes, task.templates)).encode()
        )
        for item in task.items:
            hasher.update(repr((item.gold, item.captions, item.group)).encode() + item.image)
    assert hasher.hexdigest() == PINNED


def test_the_suite_is_large_enough_to_tell_models_apart(tasks: dict[str, SceneTask]) -> None:
    sizes = [len(task.items) for task in tasks.values()]
    assert min(sizes) >= 200
    assert 2500 <= sum(sizes) <= 3500


def test_images_are_all_different_and_of_one_size(tasks: dict[str, SceneTask]) -> None:
    images = [item.image for task in tasks.values() for item in task.items]
    assert len(set(images)) == len(images)
    assert {decode_image(image).size for image in images[::7]} == {(32, 32)}


def test_classes_and_templates_are_well_formed(tasks: dict[str, SceneTask]) -> None:
    for task in tasks.values():
        if task.kind == "retrieval":
            assert task.classes == task.templates == []
            continue
        names = [name for names in task.classes for name in names]
        assert len(set(names)) == len(names), task.name
        assert all(template.count("{c}") == 1 for template in task.templates)
        for name in names:
            for template in task.templates:
                assert "a orange" not in template.format(c=name)


def test_classes_are_balanced_but_for_the_tail(tasks: dict[str, SceneTask]) -> None:
    for task in tasks.values():
        counts = Counter(item.gold for item in task.items)
        if task.name == "texture_tail":
            assert tuple(counts[gold] for gold in range(len(task.classes))) == TAIL_COUNTS
        elif task.kind == "classification":
            assert counts.keys() == set(range(len(task.classes)))
            assert len(set(counts.values())) == 1, task.name


def test_groups_cross_classes(tasks: dict[str, SceneTask]) -> None:
    counts = Counter((item.group, item.gold) for item in tasks["shape_background"].items)
    assert len(counts) == len(BACKGROUNDS) * 10
    assert set(counts.values()) == {8}
    assert all(item.group is None for item in tasks["shape"].items)


def test_a_retrieval_caption_belongs_to_one_image(tasks: dict[str, SceneTask]) -> None:
    items = tasks["retrieval"].items
    assert all(len(item.captions) == 2 and item.gold is None for item in items)
    owners = Counter(caption.lower() for item in items for caption in set(item.captions))
    assert max(owners.values()) == 1


def test_shifted_images_differ_as_told(tasks: dict[str, SceneTask]) -> None:
    def spread(name: str) -> float:
        images = [np.asarray(decode_image(item.image)) for item in tasks[name].items[:60]]
        return float(np.mean([image.std() for image in images]))

    assert spread("shape_faint") < 0.5 * spread("shape")
    assert spread("shape_noisy") > 1.1 * spread("shape_faint")
    levels = [np.asarray(decode_image(i.image)).mean() for i in tasks["shape_sketch"].items]
    assert 0.4 < np.mean([level < 128 for level in levels]) < 0.6


def test_only_leaks_are_in_the_pool(tasks: dict[str, SceneTask]) -> None:
    items = {item.image for task in tasks.values() for item in task.items}
    found = 0
    for pair in scenes(0, 3000):
        assert (pair.image in items) == (pair.truth.defect == "leaked_item")
        if pair.truth.leaked_item:
            name, number = pair.truth.leaked_item.split(":")
            assert tasks[name].items[int(number)].image == pair.image
            found += 1
    assert found == 6
    assert not items & {pair.image for pair in reference_scenes(0, 500)}


def test_leaks_come_from_every_task(tasks: dict[str, SceneTask]) -> None:
    draw = Draw("test")
    names = Counter(leak(draw)[0].split(":")[0] for _ in range(300))
    assert names.keys() == tasks.keys()
