import csv
import math
from collections import Counter
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from assay.errors import SuiteError
from assay.score.arithmetic import centered_accuracy
from assay.score.text import OUTPUT_SCHEMA, score
from assay.suite import Suite, Task

DATA = Path(__file__).parents[2] / "../shared/data"


def task(name="t", form="choice", num_items=1, normalization="none"):
    return Task(name, "g", form, "sha256:0", num_items, normalization=normalization)


def suite(*tasks):
    return Suite("s", 1, tasks)


def row(name="t", item=0, gold=0, nats=(-1.0, -2.0), tokens=None, sizes=None, greedy=None):
    return {
        "task": name,
        "item": item,
        "gold": gold,
        "log_likelihood": list(nats),
        "num_tokens": list(tokens or [1] * len(nats)),
        "num_bytes": list(sizes or [1] * len(nats)),
        "greedy": list(greedy or [False] * len(nats)),
    }


def table(*rows):
    return pa.Table.from_pylist(list(rows), schema=OUTPUT_SCHEMA)


def one(row_, normalization="none", form="choice"):
    return score(table(row_), suite(task(form=form, normalization=normalization))).tasks["t"]


# Single items -------------------------------------------------------------------------------------


def test_the_likeliest_choice_is_the_answer():
    assert one(row(gold=0)).accuracy == 1.0
    assert one(row(gold=1)).accuracy == 0.0


@pytest.mark.parametrize(("normalization", "best"), [("none", 0), ("bytes", 1), ("tokens", 2)])
def test_normalization_divides_before_choices_are_compared(normalization, best):
    nats, sizes, tokens = (-6.0, -7.0, -8.0), (6, 14, 8), (3, 4, 8)
    for gold in range(3):
        got = one(row(gold=gold, nats=nats, sizes=sizes, tokens=tokens), normalization).accuracy
        assert got == float(gold == best)


def test_a_tie_is_shared_by_those_who_tie():
    nats = (-1.0, -1.0, -1.0, -2.0)
    assert [one(row(gold=gold, nats=nats)).accuracy for gold in range(4)] == [
        1 / 3,
        1 / 3,
        1 / 3,
        0,
    ]


def test_bits_per_byte_are_those_of_the_gold_answer():
    scored = one(row(gold=1, nats=(-1.0, -3 * math.log(2)), sizes=(2, 6)))
    assert scored.bits_per_byte == pytest.approx(0.5)


def test_an_exact_item_counts_when_greedy_decoding_writes_it():
    assert one(row(nats=[-1.0], greedy=[True]), form="exact").accuracy == 1.0
    scored = one(row(nats=[-1.0], greedy=[False]), form="exact")
    assert (scored.accuracy, scored.chance, scored.centered_accuracy) == (0.0, 0.0, 0.0)


def test_chance_comes_from_the_items():
    rows = [row(item=0, nats=[-1, -2]), row(item=1, nats=[-1, -2, -3, -4])]
    assert score(table(*rows), suite(task(num_items=2))).tasks["t"].chance == (1 / 2 + 1 / 4) / 2


def test_held_out_text_is_all_bits_over_all_bytes():
    rows = [
        row("a"),
        row("h", 0, nats=[-8 * math.log(2)], sizes=[2]),
        row("h", 1, nats=[-10 * math.log(2)], sizes=[7]),
    ]
    metrics = score(table(*rows), suite(task("a"), task("h", "text", 2)))
    assert metrics.tasks["h"].bits_per_byte == pytest.approx(2.0)
    assert metrics.tasks["h"].accuracy is None
    assert metrics.heldout_bits_per_byte == pytest.approx(2.0)


def test_aggregates_are_plain_means_over_tasks():
    rows = [row("a", 0), row("a", 1, gold=1), row("b", 0), row("h", nats=[-3.0])]
    metrics = score(table(*rows), suite(task("a", num_items=2), task("b"), task("h", "text")))
    a, b = metrics.tasks["a"], metrics.tasks["b"]
    assert metrics.centered_accuracy == (a.centered_accuracy + b.centered_accuracy) / 2
    assert metrics.bits_per_byte == (a.bits_per_byte + b.bits_per_byte) / 2
    assert metrics.heldout_bits_per_byte == metrics.tasks["h"].bits_per_byte


def test_json_holds_every_number_and_nothing_else():
    document = score(table(row("a"), row("a", 1)), suite(task("a", num_items=2))).as_json()
    assert set(document) == {"bits_per_byte", "centered_accuracy", "heldout_bits_per_byte", "tasks"}
    assert document["heldout_bits_per_byte"] is None
    assert set(document["tasks"]["a"]) == {
        "accuracy",
        "chance",
        "centered_accuracy",
        "bits_per_byte",
        "stderr",
        "bits_per_byte_stderr",
        "num_items",
    }


# Reference scorers --------------------------------------------------------------------------------


def simulated(scorer, num_items, choices=4, seed=0):
    rng = np.random.default_rng(seed)
    golds = rng.integers(choices, size=num_items)
    return table(
        *(
            row(item=i, gold=int(gold), nats=scorer(rng, int(gold), choices))
            for i, gold in enumerate(golds)
        )
    )


def guesses(rng, gold, choices):
    return -rng.exponential(size=choices)


def knows(rng, gold, choices):
    return [-0.0 if i == gold else -9.0 for i in range(choices)]


def constant(rng, gold, choices):
    return [-3.0] * choices


def test_a_perfect_model_scores_one_at_no_cost():
    metrics = score(simulated(knows, 50), suite(task(num_items=50)))
    assert (metrics.centered_accuracy, metrics.bits_per_byte) == (1.0, 0.0)


def test_a_guesser_scores_zero_within_its_interval():
    inside = 0
    for seed in range(40):
        scored = score(simulated(guesses, 400, seed=seed), suite(task(num_items=400))).tasks["t"]
        inside += abs(scored.accuracy - scored.chance) <= 1.96 * scored.stderr
    assert inside >= 34


@pytest.mark.parametrize("choices", [2, 3, 7])
def test_a_constant_scorer_scores_exactly_zero(choices):
    outputs = simulated(constant, 101, choices)
    assert score(outputs, suite(task(num_items=101))).centered_accuracy == 0.0


@given(st.integers(2, 9), st.lists(st.integers(0, 8), min_size=1, max_size=30))
def test_a_constant_scorer_scores_exactly_zero_whatever_the_golds(choices, golds):
    rows = [row(item=i, gold=g % choices, nats=[-1.5] * choices) for i, g in enumerate(golds)]
    assert score(table(*rows), suite(task(num_items=len(rows)))).centered_accuracy == 0.0


def test_accuracy_is_scikit_learns_where_nothing_ties():
    from sklearn.metrics import accuracy_score

    outputs = simulated(guesses, 300)
    golds = outputs["gold"].to_pylist()
    predicted = [int(np.argmax(nats)) for nats in outputs["log_likelihood"].to_pylist()]
    assert score(outputs, suite(task(num_items=300))).tasks["t"].accuracy == pytest.approx(
        accuracy_score(golds, predicted), abs=1e-15
    )


def test_standard_errors_are_those_of_numpy():
    outputs = simulated(guesses, 300)
    scored = score(outputs, suite(task(num_items=300))).tasks["t"]
    correct = [float(np.argmax(r["log_likelihood"]) == r["gold"]) for r in outputs.to_pylist()]
    assert scored.stderr == pytest.approx(np.std(correct, ddof=1) / math.sqrt(300))


def test_the_standard_error_of_a_held_out_domain_covers_its_value():
    rng = np.random.default_rng(3)
    inside = 0
    for _ in range(60):
        sizes = rng.integers(50, 500, size=80)
        bits = sizes * 2.0 + rng.normal(0, 8, size=80) * np.sqrt(sizes)
        rows = [
            row("h", i, nats=[-max(b, 0) * math.log(2)], sizes=[int(s)])
            for i, (b, s) in enumerate(zip(bits, sizes, strict=True))
        ]
        outputs = table(row("a"), *rows)
        scored = score(outputs, suite(task("a"), task("h", "text", 80))).tasks["h"]
        inside += abs(scored.bits_per_byte - 2.0) <= 1.96 * scored.bits_per_byte_stderr
    assert inside >= 51


# Invariants ---------------------------------------------------------------------------------------


@settings(max_examples=40)
@given(st.permutations(list(range(12))), st.integers(0, 5))
def test_the_order_of_rows_moves_no_bit(order, seed):
    rows = simulated(guesses, 12, seed=seed).to_pylist()
    shuffled = table(*(rows[i] for i in order))
    law = suite(task(num_items=12))
    assert score(shuffled, law) == score(table(*rows), law)


@settings(max_examples=40)
@given(st.permutations(list(range(12))), st.integers(0, 5))
def test_renumbering_items_moves_no_bit(order, seed):
    rows = simulated(guesses, 12, seed=seed).to_pylist()
    renumbered = table(*({**rows[old], "item": new} for new, old in enumerate(order)))
    law = suite(task(num_items=12))
    assert score(renumbered, law).as_json() == score(table(*rows), law).as_json()


@settings(max_examples=40)
@given(st.permutations(list(range(4))), st.integers(0, 5))
def test_the_order_of_choices_does_not_matter(order, seed):
    rows = simulated(guesses, 20, seed=seed).to_pylist()
    turned = [
        {
            **r,
            "log_likelihood": [r["log_likelihood"][i] for i in order],
            "gold": order.index(r["gold"]),
        }
        for r in rows
    ]
    law = suite(task(num_items=20))
    assert score(table(*turned), law) == score(table(*rows), law)


@given(st.floats(0, 1), st.floats(0, 0.99))
def test_centered_accuracy_is_increasing_and_zero_at_chance(accuracy, chance):
    value = centered_accuracy(accuracy, chance)
    assert (value > 0) == (accuracy > chance)
    assert value <= 1
    assert centered_accuracy(chance, chance) == 0


@pytest.mark.parametrize(("accuracy", "chance"), [(34.0, 0.25), (0.5, 25), (-0.1, 0.5), (0.5, 1.0)])
def test_percentages_are_refused(accuracy, chance):
    with pytest.raises(ValueError, match="fraction"):
        centered_accuracy(accuracy, chance)


# Refusals -----------------------------------------------------------------------------------------


def test_a_missing_task_is_an_error_not_a_smaller_average():
    with pytest.raises(SuiteError, match=r"'b'.*got 0 rows"):
        score(table(row("a")), suite(task("a"), task("b")))


@pytest.mark.parametrize("items", [[0], [0, 2], [0, 1, 1], [0, 0], [0, 1, 2], [-1, 0, 1]])
def test_missing_repeated_and_surplus_items_are_errors(items):
    with pytest.raises(SuiteError, match="expected items 0 to 1 once each"):
        score(table(*(row(item=i) for i in items)), suite(task(num_items=2)))


def test_a_task_that_the_suite_has_not_is_an_error():
    with pytest.raises(SuiteError, match="task 'x', which suite 's' has not"):
        score(table(row("t"), row("x")), suite(task()))


@pytest.mark.parametrize(
    "bad",
    [
        {"nats": (math.nan, -1)},
        {"nats": (-math.inf, -1)},
        {"nats": (math.inf, -1)},
        {"nats": (0.1, -1)},
        {"gold": 2},
        {"gold": -1},
        {"sizes": (0, 1)},
        {"tokens": (1, 0)},
        {"nats": ()},
    ],
)
def test_impossible_values_are_errors(bad):
    with pytest.raises(SuiteError, match="outputs hold"):
        score(table(row(**bad)), suite(task()))


def test_lists_of_different_length_are_an_error():
    with pytest.raises(SuiteError, match="num_bytes and log_likelihood differ"):
        score(table(row(sizes=(1, 1, 1))), suite(task()))


@pytest.mark.parametrize("column", OUTPUT_SCHEMA.names[2:])
def test_nulls_are_errors(column):
    with pytest.raises(SuiteError, match="null"):
        score(table({**row(), column: None}), suite(task()))
    if column != "gold":
        values = [None, *row()[column][1:]]
        with pytest.raises(SuiteError, match="null"):
            score(table({**row(), column: values}), suite(task()))


def test_another_table_is_an_error():
    with pytest.raises(SuiteError, match="columns"):
        score(table(row()).drop_columns(["greedy"]), suite(task()))


def test_a_suite_of_held_out_text_alone_is_an_error():
    with pytest.raises(SuiteError, match="held-out text only"):
        score(table(row(nats=[-1.0])), suite(task(form="text")))


def test_a_single_item_has_no_standard_error():
    assert one(row()).stderr is None
    assert one(row()).bits_per_byte_stderr is None


# The published record -----------------------------------------------------------------------------

CHANCES = {
    "hellaswag_zeroshot": 0.25, "jeopardy": 0, "bigbench_qa_wikidata": 0, "arc_easy": 0.25,
    "arc_challenge": 0.25, "copa": 0.5, "commonsense_qa": 0.25, "piqa": 0.5, "openbook_qa": 0.25,
    "lambada_openai": 0, "hellaswag": 0.25, "winograd": 0.5, "winogrande": 0.5,
    "bigbench_dyck_languages": 0, "agi_eval_lsat_ar": 0.25, "bigbench_cs_algorithms": 0,
    "bigbench_operators": 0, "bigbench_repeat_copy_logic": 0, "squad": 0, "coqa": 0, "boolq": 0.5,
    "bigbench_language_identification": 0.25,
}  # fmt: skip
"""Chance of CORE's tasks, uniform over the choices that the items have."""
FIRST_VERSION = {
    "commonsense_qa": 0.2, "agi_eval_lsat_ar": 0.2, "boolq": 0.62,
    "bigbench_language_identification": 0.091,
}  # fmt: skip
"""Where DCLM's first hand-typed table departs."""


@pytest.mark.realdata
def test_dclms_core_is_the_mean_of_our_centered_accuracies():
    """Of 328 published values, 207 used uniform chance, the others the first hand-typed table."""
    path = DATA / "anchors/DCLM_model_database.csv"
    if not path.is_file():
        pytest.skip("no real data here")
    with path.open(encoding="utf-8") as stream:
        models = [r for r in csv.DictReader(stream) if r["Core"] and all(r[t] for t in CHANCES)]

    def core(model, chances):
        return math.fsum(centered_accuracy(float(model[t]), chances[t]) for t in chances) / 22

    agrees = Counter()
    for model in models:
        try:
            published = float(model["Core"])
        except ValueError:
            continue
        # The file has ten digits.
        uniform = abs(core(model, CHANCES) - published) < 1e-9
        first = abs(core(model, CHANCES | FIRST_VERSION) - published) < 1e-9
        agrees["uniform" if uniform else "first" if first else "neither"] += 1
    assert agrees == {"uniform": 207, "first": 121}
