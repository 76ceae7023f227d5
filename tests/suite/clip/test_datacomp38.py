import math
from collections import Counter
from dataclasses import replace

import numpy as np
import pyarrow as pa
import pytest

from assay.errors import SuiteError
from assay.home import package_folder
from assay.score.clip import CLIP_OUTPUT_SCHEMA, score_clip
from assay.suite.clip import load_clip_suite
from assay.suite.clip.embedded import prepare_clip_suite

ITEMS = 12


@pytest.fixture(scope="module")
def suite():
    return load_clip_suite(package_folder("tracks") / "clip/suites/datacomp38.yaml")


def test_forty_tasks_of_which_thirty_eight_are_averaged(suite):
    counted = [task for task in suite.tasks if task.main_metric]
    assert (len(suite.tasks), len(counted)) == (40, 38)
    assert Counter(task.group for task in counted) == {
        "imagenet": 1,
        "imagenet_shifts": 6,
        "vtab": 13,
        "retrieval": 3,
        "others": 15,
    }
    assert sum(task.num_items for task in suite.tasks) == 732_026
    assert {task.name for task in suite.tasks if not task.main_metric} == {
        "fairness-fairface",
        "fairness-utkface",
    }
    assert all(task.source and task.shards is None for task in suite.tasks)


def test_its_files_are_refused_without_a_lock(suite, tmp_path):
    with pytest.raises(SuiteError, match=r"assay suite fetch datacomp38 --out"):
        prepare_clip_suite(suite, tmp_path)


def answers(task, part, number, size, golds, depth, rng):
    row = rng.normal(size=size)
    best = max(row[gold] for gold in golds)
    odds = np.exp(row - row.max())
    return {
        "task": task.name,
        "item": number,
        "part": part,
        "gold": golds,
        "top": np.argsort(-row)[:depth].tolist(),
        "rank": int((row > best).sum()),
        "tied": 0,
        "num_candidates": size,
        "log_prob": math.log(odds[golds].sum() / odds.sum()),
        "group": None if task.group_column is None else str(number % 6),
    }


@pytest.fixture(scope="module")
def outputs(suite):
    """Random answers to the first items of all tasks."""
    rng = np.random.default_rng(0)
    rows = []
    for task in suite.tasks:
        for number in range(ITEMS):
            if task.kind == "retrieval":
                rows += [
                    answers(task, part, number, ITEMS, [number], 5, rng)
                    for part in ("image", "text")
                ]
            elif task.kind == "association":
                size = (5, 6, 10, 12)[number % 4]
                rows.append(answers(task, "", number, size, [0, 2], 2, rng))
            else:
                gold = int(rng.integers(task.num_classes))
                rows.append(
                    answers(
                        task, "", number, task.num_classes, [gold], min(5, task.num_classes), rng
                    )
                )
    return pa.Table.from_pylist(rows, schema=CLIP_OUTPUT_SCHEMA)


def test_the_average_is_the_plain_mean_of_thirty_eight(suite, outputs):
    scored = score_clip(outputs, suite, ITEMS)
    tasks = scored.tasks
    mains = [task.main_metric for task in tasks.values() if task.main_metric is not None]
    assert len(mains) == 38
    assert scored.average == pytest.approx(np.mean(mains))
    shifts = [
        tasks[task.name].main_metric for task in suite.tasks if task.group == "imagenet_shifts"
    ]
    assert scored.groups["imagenet_shifts"] == pytest.approx(np.mean(shifts))
    assert scored.groups["imagenet"] == tasks["imagenet1k"].metrics["acc1"]
    expected = {
        "vtab-pets": "mean_per_class_recall",
        "wilds-iwildcam": "f1_macro",
        "wilds-fmow": "acc_wg",
        "fairness-dollar_street": "acc_top5_wg",
        "fairness-geode": "acc_wg",
        "misc-winogavil": "jaccard_score_10-12",
        "retrieval-flickr": "mean_recall@1",
    }
    for name, metric in expected.items():
        assert tasks[name].main_metric == tasks[name].metrics[metric]


def test_fmows_other_region_may_be_the_worst_as_in_datacomps_numbers(suite, outputs):
    (task,) = (task for task in suite.tasks if task.name == "wilds-fmow")
    rows = [row for row in outputs.to_pylist() if row["task"] == "wilds-fmow"]
    for row in rows:  # right everywhere but in region 5
        right = row["group"] != "5"
        wrong = (row["gold"][0] + 1) % task.num_classes
        rest = [c for c in range(20, 30) if c not in (row["gold"][0], wrong)][:4]
        row |= {"rank": 0 if right else 1, "top": [row["gold"][0] if right else wrong, *rest]}
    table = pa.Table.from_pylist(rows, schema=CLIP_OUTPUT_SCHEMA)
    assert score_clip(table, replace(suite, tasks=(task,)), ITEMS).average == 0.0


@pytest.mark.parametrize("name", ["vtab-svhn", "fairness-utkface"])
def test_a_missing_task_is_refused(suite, outputs, name):
    rest = outputs.filter(pa.array([task != name for task in outputs["task"].to_pylist()]))
    with pytest.raises(SuiteError, match=f"task '{name}': expected items 0 to 11"):
        score_clip(rest, suite, ITEMS)
