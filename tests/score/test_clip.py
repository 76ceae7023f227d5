import math
from dataclasses import replace

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats
from sklearn.metrics import (
    balanced_accuracy_score,
    f1_score,
    jaccard_score,
    label_ranking_average_precision_score,
    top_k_accuracy_score,
)

from assay.errors import SuiteError
from assay.score.arithmetic import linearized_standard_error, standard_error
from assay.score.clip import CLIP_OUTPUT_SCHEMA, score_clip
from assay.suite.clip import ClipSuite, ClipTask

CLASSES = 8


def classification(num_items, main="acc1", **changes):
    task = ClipTask("c", "g", "classification", main, num_items, CLASSES, shards=("sha256:0",))
    return replace(task, **changes)


def suite_of(*tasks):
    return ClipSuite("s", 1, tasks)


def ask(scores, golds, *, task="c", part="", groups=None, depth=5):
    """Answer questions from a matrix of logits, as plainly as can be."""
    rows = []
    for number, (row, gold) in enumerate(zip(scores, golds, strict=True)):
        wrong = [c for c in range(len(row)) if c not in gold]
        best = max(row[c] for c in gold)
        odds = np.exp(row - row.max())
        rows.append(
            {
                "task": task,
                "item": number,
                "part": part,
                "gold": list(gold),
                "top": sorted(range(len(row)), key=lambda c: -row[c])[:depth],
                "rank": sum(row[c] > best for c in wrong),
                "tied": sum(row[c] == best for c in wrong),
                "num_candidates": len(row),
                "log_prob": min(0.0, math.log(odds[list(gold)].sum() / odds.sum())),
                "group": None if groups is None else groups[number],
            }
        )
    return pa.Table.from_pylist(rows, schema=CLIP_OUTPUT_SCHEMA)


def random_outputs(seed, num_items, groups=None):
    rng = np.random.default_rng(seed)
    golds = rng.choice(CLASSES, num_items, p=[0.3, 0.2, 0.2, 0.1, 0.1, 0.06, 0.04, 0.0])
    scores = rng.normal(size=(num_items, CLASSES)) + 1.5 * np.eye(CLASSES)[golds]
    return scores, golds, ask(scores, golds[:, None].tolist(), groups=groups)


@pytest.mark.filterwarnings("ignore:y_pred contains classes not in y_true")
@pytest.mark.parametrize("seed", range(5))
def test_classification_agrees_with_scikit_learn(seed):
    scores, golds, outputs = random_outputs(seed, 200)
    metrics = score_clip(outputs, suite_of(classification(200))).tasks["c"].metrics
    predicted = scores.argmax(axis=1)
    labels = range(CLASSES)
    expected = {
        "acc1": top_k_accuracy_score(golds, scores, k=1, labels=labels),
        "acc5": top_k_accuracy_score(golds, scores, k=5, labels=labels),
        "mean_per_class_recall": balanced_accuracy_score(golds, predicted),
        "f1_macro": f1_score(golds, predicted, average="macro", labels=np.unique(golds)),
    }
    assert metrics == pytest.approx(expected, abs=1e-12)


@pytest.mark.parametrize("seed", range(5))
def test_the_worst_group_is_the_least_accurate(seed):
    groups = [f"g{i % 4}" for i in range(120)]
    scores, golds, outputs = random_outputs(seed, 120, groups)
    right = scores.argmax(axis=1) == golds
    by_group = [right[g::4].mean() for g in range(4)]
    task = classification(120, "acc_wg")
    metrics = score_clip(outputs, suite_of(task)).tasks["c"]
    assert metrics.main_metric == pytest.approx(min(by_group))
    in_top5 = [
        top_k_accuracy_score(golds[g::4], scores[g::4], k=5, labels=range(CLASSES))
        for g in range(4)
    ]
    assert metrics.metrics["acc_top5_wg"] == pytest.approx(min(in_top5))


def retrieval_outputs(scores, owners):
    of_image = [np.flatnonzero(owners == i).tolist() for i in range(len(scores))]
    image = ask(scores, of_image, task="r", part="image")
    text = ask(scores.T, [[owner] for owner in owners], task="r", part="text")
    return pa.concat_tables([text, image])


def retrieval(num_items, num_captions=None):
    return ClipTask("r", "g", "retrieval", "mean_recall@1", num_items, num_captions=num_captions)


@pytest.mark.parametrize("seed", range(3))
def test_recall_agrees_with_scikit_learn(seed):
    rng = np.random.default_rng(seed)
    owners = np.sort(np.concatenate([np.arange(30), rng.integers(0, 30, 25)]))
    scores = rng.normal(size=(30, 55)) + 2 * (owners == np.arange(30)[:, None])
    scored = score_clip(retrieval_outputs(scores, owners), suite_of(retrieval(30, 55)))
    metrics = scored.tasks["r"].metrics
    for k in (1, 5, 10):
        top = top_k_accuracy_score(owners, scores.T, k=k, labels=range(30))
        assert metrics[f"image_retrieval_recall@{k}"] == pytest.approx(top)
        best = np.argsort(-scores, axis=1)[:, :k]
        hits = (owners[best] == np.arange(30)[:, None]).any(axis=1).mean()
        assert metrics[f"text_retrieval_recall@{k}"] == pytest.approx(hits)
    both = (metrics["text_retrieval_recall@1"] + metrics["image_retrieval_recall@1"]) / 2
    assert scored.average == metrics["mean_recall@1"] == pytest.approx(both)


def test_ranks_agree_with_label_ranking():
    scores, golds, outputs = random_outputs(3, 80)
    precision = label_ranking_average_precision_score(np.eye(CLASSES)[golds], scores)
    assert np.mean(1 / (1 + outputs["rank"].to_numpy())) == pytest.approx(precision)


def association_outputs(seed, sizes):
    rng = np.random.default_rng(seed)
    scores = [rng.normal(size=size) for size in sizes]
    golds = [sorted(rng.choice(n, n // 2 - 1, replace=False).tolist()) for n in sizes]
    tables = [
        ask([row], [gold], task="a", depth=len(gold))
        for row, gold in zip(scores, golds, strict=True)
    ]
    outputs = pa.concat_tables(tables)
    number = outputs.schema.get_field_index("item")
    return (
        scores,
        golds,
        outputs.set_column(number, "item", pa.array(range(len(sizes)), pa.int32())),
    )


def test_association_agrees_with_scikit_learn_and_scipy():
    sizes = [5, 6, 10, 12, 12, 10]
    scores, golds, outputs = association_outputs(0, sizes)
    task = ClipTask("a", "g", "association", "jaccard_score_10-12", 6)
    scored = score_clip(outputs, suite_of(task)).tasks["a"]
    values, chances = [], []
    for row, gold in zip(scores, golds, strict=True):
        truth = np.isin(np.arange(len(row)), gold)
        values.append(
            jaccard_score(truth, np.isin(np.arange(len(row)), np.argsort(row)[-len(gold) :]))
        )
        both = np.arange(len(gold) + 1)
        weights = stats.hypergeom(len(row), len(gold), len(gold)).pmf(both)
        chances.append(np.sum(weights * both / (2 * len(gold) - both)))
    assert scored.metrics["jaccard_score"] == pytest.approx(np.mean(values))
    assert scored.main_metric == pytest.approx(np.mean(values[2:]))
    assert scored.chance == pytest.approx(np.mean(chances[2:]))
    assert scored.stderr == pytest.approx(stats.sem(values[2:]))


@settings(max_examples=40)
@given(
    golds=st.lists(st.integers(0, CLASSES - 1), min_size=2, max_size=12),
    main=st.sampled_from(["acc1", "mean_per_class_recall", "f1_macro", "acc_wg", "acc_top5_wg"]),
)
def test_a_perfect_model_scores_one(golds, main):
    groups = [str(gold % 2) for gold in golds]
    outputs = ask(60.0 * np.eye(CLASSES)[golds], [[gold] for gold in golds], groups=groups)
    scored = score_clip(outputs, suite_of(classification(len(golds), main)))
    assert scored.average == scored.centered_average == 1.0
    assert scored.bits_per_answer == pytest.approx(0, abs=1e-12)


@pytest.mark.parametrize("main", ["acc1", "mean_per_class_recall", "f1_macro"])
def test_a_guesser_scores_chance(main):
    rng = np.random.default_rng(0)
    golds = rng.choice(CLASSES, 5000, p=[0.4, 0.2, 0.2, 0.1, 0.04, 0.03, 0.02, 0.01])
    outputs = ask(rng.normal(size=(5000, CLASSES)), golds[:, None].tolist())
    task = score_clip(outputs, suite_of(classification(5000, main))).tasks["c"]
    assert task.chance is not None
    assert abs(task.main_metric - task.chance) < 4 * task.stderr
    assert abs(task.centered_main_metric) < 0.05


def test_a_guesser_of_retrieval_scores_chance():
    owners = np.repeat(np.arange(400), 2)
    scores = np.random.default_rng(0).normal(size=(400, 800))
    task = score_clip(retrieval_outputs(scores, owners), suite_of(retrieval(400))).tasks["r"]
    assert task.chance == 1 / 400
    assert abs(task.main_metric - task.chance) < 4 * task.stderr


@pytest.mark.parametrize("main", ["acc1", "mean_per_class_recall", "f1_macro", "acc_wg"])
def test_standard_errors_are_those_of_repeated_samples(main):
    estimates, errors = [], []
    for seed in range(80):
        _, _, outputs = random_outputs(seed, 150, groups=["one"] * 150)
        task = score_clip(outputs, suite_of(classification(150, main))).tasks["c"]
        estimates.append(task.main_metric)
        errors.append(task.stderr)
    assert np.mean(errors) == pytest.approx(np.std(estimates, ddof=1), rel=0.3)


def test_the_linearized_error_of_a_mean_is_its_standard_error():
    values = np.random.default_rng(0).normal(size=20)
    influences = (values - values.mean()) / 20
    assert linearized_standard_error(influences) == pytest.approx(standard_error(values))
    assert linearized_standard_error([0.0]) is None


def test_ties_share_the_credit():
    golds = [[number % CLASSES] for number in range(16)]
    outputs = ask(np.zeros((16, CLASSES)), golds)
    metrics = score_clip(outputs, suite_of(classification(16))).tasks["c"].metrics
    assert metrics["acc1"] == metrics["mean_per_class_recall"] == 1 / CLASSES
    assert metrics["acc5"] == 5 / CLASSES


def test_few_classes_have_no_top_five():
    scores = np.eye(4)
    task = replace(classification(4), num_classes=4)
    metrics = score_clip(ask(scores, [[0], [1], [2], [3]]), suite_of(task)).tasks["c"].metrics
    assert set(metrics) == {"acc1", "mean_per_class_recall", "f1_macro"}


def test_averages_are_plain_means_of_main_metrics():
    _, _, outputs = random_outputs(0, 60)
    owners = np.arange(10)
    scores = np.random.default_rng(1).normal(size=(10, 10)) + 2 * np.eye(10)
    both = pa.concat_tables([outputs, retrieval_outputs(scores, owners)])
    reported = classification(60, None, name="reported", group="h")
    position = outputs.schema.get_field_index("task")
    extra = outputs.set_column(position, "task", pa.array(["reported"] * 60))
    tasks = (classification(60), replace(retrieval(10), group="h"), reported)
    scored = score_clip(pa.concat_tables([both, extra]), suite_of(*tasks))
    c, r = scored.tasks["c"], scored.tasks["r"]
    assert scored.average == (c.main_metric + r.main_metric) / 2
    assert scored.centered_average == (c.centered_main_metric + r.centered_main_metric) / 2
    assert scored.groups == {"g": c.main_metric, "h": r.main_metric}
    assert scored.tasks["reported"].main_metric is None
    assert scored.tasks["reported"].metrics == c.metrics
    document = scored.as_json()
    assert document["tasks"]["r"]["num_items"] == 10
    assert set(document) == {"average", "centered_average", "bits_per_answer", "groups", "tasks"}


@given(seed=st.integers(0, 1000))
@settings(max_examples=20)
def test_the_order_of_rows_moves_no_bit(seed):
    _, _, outputs = random_outputs(0, 50, groups=[str(i % 3) for i in range(50)])
    shuffled = outputs.take(np.random.default_rng(seed).permutation(50))
    suite = suite_of(classification(50, "acc_wg"))
    assert score_clip(shuffled, suite) == score_clip(outputs, suite)


def test_a_part_of_the_items_is_scored_when_it_was_asked_for():
    _, _, outputs = random_outputs(0, 60)
    suite = suite_of(classification(60))
    assert score_clip(outputs.slice(0, 20), suite, 20).tasks["c"].num_items == 20
    with pytest.raises(SuiteError, match=r"items 0 to 19 once each, got 60 rows"):
        score_clip(outputs, suite, 20)


def change(outputs, row, **values):
    rows = outputs.to_pylist()
    rows[row].update(values)
    return pa.Table.from_pylist(rows, schema=outputs.schema)


def test_a_missing_task_is_an_error_and_no_smaller_average():
    _, _, outputs = random_outputs(0, 20)
    with pytest.raises(SuiteError, match=r"task 'd': expected items 0 to 19"):
        score_clip(outputs, suite_of(classification(20), classification(20, name="d")))
    with pytest.raises(SuiteError, match=r"task 'c', which suite 's' has not"):
        score_clip(outputs, suite_of(classification(20, name="d")))
    with pytest.raises(SuiteError, match=r"no task with a main metric"):
        score_clip(outputs, suite_of(classification(20, None)))


def test_missing_and_repeated_items_are_errors():
    _, _, outputs = random_outputs(0, 20)
    suite = suite_of(classification(20))
    for table in (
        outputs.slice(0, 19),
        outputs.slice(1),
        pa.concat_tables([outputs, outputs.slice(3, 1)]),
        pa.concat_tables([outputs.slice(0, 19), outputs.slice(3, 1)]),
    ):
        with pytest.raises(SuiteError, match=r"once each"):
            score_clip(table, suite)


def test_another_table_is_refused():
    _, _, outputs = random_outputs(0, 20)
    with pytest.raises(SuiteError, match=r"evaluate again"):
        score_clip(outputs.drop_columns("tied"), suite_of(classification(20)))


@pytest.mark.parametrize(
    ("values", "problem"),
    [
        ({"log_prob": math.nan}, "NaN"),
        ({"log_prob": -math.inf}, "infinite"),
        ({"log_prob": 0.1}, "above 0"),
        ({"log_prob": None}, "null"),
        ({"rank": 8}, "impossible rank"),
        ({"rank": -1}, "impossible rank"),
        ({"rank": 7, "tied": 1}, "impossible rank"),
        ({"tied": -1}, "impossible rank"),
        ({"gold": []}, "without a right answer"),
        ({"gold": [1, 2]}, "another number of classes"),
        ({"gold": [CLASSES]}, "right answer that is no candidate"),
        ({"gold": [None]}, "null"),
        ({"top": [0, 1]}, "another number of likeliest answers"),
        ({"top": [0, 1, 2, 3, 3]}, "an answer twice"),
        ({"top": [0, 1, 2, 3, 8]}, "likeliest answer that is no candidate"),
        ({"num_candidates": 9}, "another number of classes"),
        ({"gold": [0], "top": [1, 2, 3, 4, 5], "rank": 0, "tied": 0}, "ranks that contradict"),
        ({"gold": [1], "top": [1, 2, 3, 4, 5], "rank": 1, "tied": 0}, "ranks that contradict"),
        ({"part": "image"}, "unknown part 'image'"),
        ({"group": "x"}, "some items have a group"),
    ],
)
def test_impossible_outputs_are_refused(values, problem):
    _, _, outputs = random_outputs(0, 20)
    with pytest.raises(SuiteError, match=problem):
        score_clip(change(outputs, 5, **values), suite_of(classification(20)))


@pytest.mark.parametrize("values", [{"gold": [0, 2]}, {"num_candidates": 21}])
def test_directions_that_contradict_each_other_are_refused(values):
    owners = np.repeat(np.arange(10), 2)
    scores = np.random.default_rng(1).normal(size=(10, 20))
    outputs = retrieval_outputs(scores, owners)
    score_clip(outputs, suite_of(retrieval(10, 20)))
    with pytest.raises(SuiteError, match=r"contradict each other|items 0 to"):
        score_clip(change(outputs, 20, **values), suite_of(retrieval(10, 20)))
    with pytest.raises(SuiteError, match=r"contradict each other"):
        score_clip(outputs, suite_of(retrieval(10, 21)))


def test_a_main_metric_that_the_items_do_not_give_is_an_error():
    _, _, outputs = random_outputs(0, 20)
    with pytest.raises(SuiteError, match=r"do not give 'acc_wg'"):
        score_clip(outputs, suite_of(classification(20, "acc_wg")))
