"""The reference table, from records and expectations that are made up."""

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from assay.cli.reproduce import REFITTED, render
from assay.errors import TrackError
from assay.reproduce.expected import expected_path, read_expected, write_expected
from assay.reproduce.lists import ListFacts
from assay.reproduce.table import ReferenceTable, reference_table
from assay.stats.rules import rerun_tolerance
from assay.track.load import LoadedScale
from scored import nano, scored, text_task

POOL = "sha256:bb"


@pytest.fixture
def loaded(tmp_path: Path) -> LoadedScale:
    return replace(nano(), folder=tmp_path)


def records(loaded: LoadedScale, name: str, bits: list[float], first: int = 0) -> list[dict]:
    return [
        scored(loaded, name, first + seed, {"facts": text_task(x, 1 - x / 4)})
        for seed, x in enumerate(bits)
    ]


@pytest.fixture
def claimed(loaded: LoadedScale) -> dict[str, list[dict]]:
    rng = np.random.default_rng(9)
    names = {"oracle": 0.4, "random": 0.6, "worst_first": 0.9}
    found = {n: records(loaded, n, rng.normal(x, 0.01, 5).tolist()) for n, x in names.items()}
    write_expected(loaded, POOL, found)
    return found


def table(loaded: LoadedScale, found: dict[str, list[dict]]) -> ReferenceTable:
    return reference_table(loaded, POOL, found, read_expected(loaded, POOL), {}, {})


def status(found: ReferenceTable, name: str) -> str:
    row = next(row for row in found.baselines if row.name == name)
    return row.metrics["bits_per_byte"].status


def test_the_same_runs_are_identical_and_best_first(
    loaded: LoadedScale, claimed: dict[str, list[dict]]
) -> None:
    found = table(loaded, claimed)
    assert [row.name for row in found.baselines] == ["oracle", "random", "worst_first"]
    assert all(m.status == "identical" for row in found.baselines for m in row.metrics.values())
    assert found.deviating == []
    assert found.degrees["bits_per_byte"] == 12


def test_the_tolerance_is_that_of_the_rule(
    loaded: LoadedScale, claimed: dict[str, list[dict]]
) -> None:
    found = table(loaded, {"random": records(loaded, "random", [0.61, 0.6, 0.59])})
    column = found.baselines[0].metrics["bits_per_byte"]
    values = np.array([[r["metrics"]["bits_per_byte"] for r in runs] for runs in claimed.values()])
    sd = float(np.sqrt(values.var(axis=1, ddof=1).mean()))
    assert column.tolerance == pytest.approx(rerun_tolerance(sd, 12, 5, 3), rel=1e-10)
    assert column.gap == pytest.approx(0.6 - values[1].mean())
    assert column.status == "agrees"


def test_a_score_beyond_the_tolerance_deviates(
    loaded: LoadedScale, claimed: dict[str, list[dict]]
) -> None:
    found = table(
        loaded,
        {
            "random": records(loaded, "random", [0.66, 0.66, 0.65]),
            "oracle": records(loaded, "oracle", [0.40, 0.41, 0.40]),
        },
    )
    assert (status(found, "random"), status(found, "oracle")) == ("deviates", "agrees")
    assert found.deviating == ["random"]


def test_another_list_deviates_whatever_it_scores(
    loaded: LoadedScale, claimed: dict[str, list[dict]]
) -> None:
    other = records(loaded, "oracle changed", [0.40, 0.41, 0.40])
    found = table(loaded, {"oracle": other})
    assert found.baselines[0].other_list
    assert found.deviating == ["oracle"]


def test_another_list_of_a_model_that_was_fitted_here_is_said_and_does_not_deviate(
    loaded: LoadedScale, claimed: dict[str, list[dict]]
) -> None:
    other = {"oracle": records(loaded, "oracle changed", [0.40, 0.41, 0.40])}
    lists = {"oracle": ListFacts(fitted=True)}
    expected = read_expected(loaded, POOL)
    found = reference_table(loaded, POOL, other, expected, {}, {}, lists)
    assert found.baselines[0].other_list
    assert found.deviating == []
    assert f"{REFITTED}: oracle\n" in render(found)
    bad = {"oracle": records(loaded, "oracle changed", [0.50, 0.51, 0.50])}
    found = reference_table(loaded, POOL, bad, expected, {}, {}, lists)
    assert found.deviating == ["oracle"]
    assert REFITTED not in render(found)


def test_what_is_not_expected_yet_does_not_deviate(
    loaded: LoadedScale, claimed: dict[str, list[dict]]
) -> None:
    found = table(loaded, {"new": records(loaded, "new", [0.5, 0.6])})
    assert status(found, "new") == "not expected yet"
    assert found.deviating == []


def test_single_expected_seeds_give_no_tolerance(loaded: LoadedScale) -> None:
    write_expected(loaded, POOL, {"random": records(loaded, "random", [0.6])})
    found = table(loaded, {"random": records(loaded, "random", [0.7, 0.7])})
    assert status(found, "random") == "no noise estimate"


def test_expected_scores_say_what_they_rest_on(
    loaded: LoadedScale, claimed: dict[str, list[dict]]
) -> None:
    document = json.loads(expected_path(loaded).read_text())
    found = document["baselines"]["oracle"]["metrics"]["bits_per_byte"]
    values = [r["metrics"]["bits_per_byte"] for r in claimed["oracle"]]
    assert found["n"] == 5
    assert found["mean"] == pytest.approx(np.mean(values), rel=1e-12)
    assert found["sd"] == pytest.approx(np.std(values, ddof=1), rel=1e-12)
    assert found["values"] == values


def test_writing_some_baselines_keeps_the_others(
    loaded: LoadedScale, claimed: dict[str, list[dict]]
) -> None:
    write_expected(loaded, POOL, {"random": records(loaded, "random", [0.7, 0.8])})
    expected = read_expected(loaded, POOL)
    assert expected is not None
    assert {name: b.metrics["bits_per_byte"].n for name, b in expected.baselines.items()} == {
        "oracle": 5,
        "random": 2,
        "worst_first": 5,
    }


def test_expectations_of_another_seal_or_pool_do_not_count(
    loaded: LoadedScale, claimed: dict[str, list[dict]]
) -> None:
    assert read_expected(replace(loaded, seal="sha256:other"), POOL) is None
    assert read_expected(loaded, "sha256:other") is None
    write_expected(loaded, "sha256:other", {"random": claimed["random"]})
    expected = read_expected(loaded, "sha256:other")
    assert expected is not None
    assert list(expected.baselines) == ["random"]


def test_an_edited_expectation_is_refused(
    loaded: LoadedScale, claimed: dict[str, list[dict]]
) -> None:
    path = expected_path(loaded)
    document = json.loads(path.read_text())
    document["baselines"]["oracle"]["metrics"]["bits_per_byte"]["mean"] -= 1e-6
    path.write_text(json.dumps(document))
    with pytest.raises(TrackError, match=r"not what SEALS.json sealed as 'text/nano@1 expected'"):
        read_expected(loaded, POOL)
    with pytest.raises(TrackError, match="git checkout"):
        write_expected(loaded, POOL, {"random": claimed["random"]})
    path.unlink()
    write_expected(loaded, POOL, claimed)
    assert table(loaded, claimed).deviating == []


def test_a_damaged_file_is_said_to_be(loaded: LoadedScale) -> None:
    path = expected_path(loaded)
    path.parent.mkdir()
    path.write_text("[")
    with pytest.raises(TrackError, match="--write-expected"):
        read_expected(loaded, POOL)
    path.write_text('{"seal": "a", "pool": "b"}')
    with pytest.raises(TrackError, match="key 'baselines' is missing"):
        read_expected(loaded, POOL)
