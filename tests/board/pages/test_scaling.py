"""Scales of the same compute are no rungs of curves, and what is ranked together is counted together."""

from itertools import combinations

import numpy as np
import pytest
from scipy.stats import spearmanr

import synthetic_entries
from assay_board.pages.cache import BoardCache
from assay_board.pages.compose import Pages
from assay_board.pages.links import Links
from assay_board.pages.snapshot import Snapshot
from assay_board.pages.views.scaling import ScalingPage, build_scaling
from synthetic_entries import FLOPS, POOL, Chain, board, run

LOW = ("pico-low-lr", "nano-low-lr")


@pytest.fixture(scope="module")
def snapshot() -> Snapshot:
    with pytest.MonkeyPatch.context() as patch:
        for scale in LOW:
            own = scale.removesuffix("-low-lr")
            patch.setitem(synthetic_entries.FLOPS, scale, FLOPS[own])
            patch.setitem(synthetic_entries.POOL, scale, POOL[own])
        return Snapshot().extended(board())


@pytest.fixture(scope="module")
def page(snapshot: Snapshot) -> ScalingPage:
    found = build_scaling(snapshot, BoardCache(), "text")
    assert found is not None
    return found


def test_rungs_are_of_strictly_growing_compute(page: ScalingPage) -> None:
    assert [b.table.scale for b in page.boards] == ["pico", "nano", "micro"]
    figures = {figure.key: figure for figure in page.figures}
    assert list(figures)[2:] == ["rank-transfer", "scatter-pico-nano", "scatter-nano-micro"]
    steps = {row["scales"] for row in figures["rank-transfer"].data}
    assert steps == {"pico → nano", "nano → micro"}
    for key in ("scaling", "rank-flow"):
        assert {row["scale"] for row in figures[key].data} == {"pico", "nano", "micro"}


def test_the_curves_caption_names_their_axis(page: ScalingPage) -> None:
    curves = page.figures[0]
    assert curves.spec is not None
    x = curves.spec["encoding"]["x"]
    assert x["field"] == "flops"
    assert f"against the {x['title']};" in curves.caption


def test_a_twin_is_held_against_its_own_scale(page: ScalingPage) -> None:
    assert [(t.board.table.scale, t.of) for t in page.twins] == [(s, s[:4]) for s in LOW]
    twin = page.twins[0]
    assert twin.step is not None
    assert (twin.step.small, twin.step.large) == ("pico", "pico-low-lr")
    small = np.array([p.small for p in twin.step.points])
    large = np.array([p.large for p in twin.step.points])
    alike = [(small[i] < small[j]) == (large[i] < large[j])
             for i, j in combinations(range(len(small)), 2)]  # fmt: skip
    assert twin.step.transfer.decision_accuracy.value == pytest.approx(np.mean(alike))
    assert twin.step.transfer.spearman.value == pytest.approx(spearmanr(small, large)[0])


def test_twins_have_a_section_of_their_own(snapshot: Snapshot) -> None:
    text = Pages().scaling(Links(), snapshot, "text")
    assert text is not None
    assert text.count("the same scale at a tenth of the learning rates") == len(LOW)
    without = Pages().scaling(Links(), snapshot, "clip")
    assert without is not None
    assert 'id="twins"' not in without


def test_places_and_intervals_count_the_same_methods(page: ScalingPage) -> None:
    flow = next(figure for figure in page.figures if figure.key == "rank-flow")
    count = len({row["submission"] for row in flow.data})
    assert count < page.shown  # one was renamed at one of the scales
    assert f"of the {count} methods shown" in flow.caption
    for scale in ("pico", "nano", "micro"):
        rows = [row for row in flow.data if row["scale"] == scale]
        assert [row["place"] for row in rows] == list(range(1, count + 1))
        assert all(
            1 <= row["rank_low"] <= row["place"] <= row["rank_high"] <= count for row in rows
        )
    # On the whole board the last of them stands behind others that are not shown.
    nano = page.boards[1]
    names = {row["submission"] for row in flow.data}
    assert max(row.high or 0 for row in nano.ranked if row.name in names) > count


@pytest.mark.parametrize(
    ("scales", "rungs", "said"),
    [
        (("pico-low-lr",), [], "pico-low-lr: pico has no runs to compare with."),
        (("pico", "pico-low-lr"), ["pico"], "pico → pico-low-lr: 2 methods at both scales"),
        (("pico", "pico-other"), ["pico"], "pico → pico-other: 2 methods at both scales"),
    ],
)
def test_a_twin_without_enough_beside_it_says_why(
    monkeypatch: pytest.MonkeyPatch, scales: tuple[str, ...], rungs: list[str], said: str
) -> None:
    rng, chain, entries = np.random.default_rng(2), Chain(), []
    for scale in scales:
        monkeypatch.setitem(synthetic_entries.FLOPS, scale, FLOPS["pico"])
        monkeypatch.setitem(synthetic_entries.POOL, scale, POOL["pico"])
        for name, quality in (("a", 0.4), ("b", 0.6)):
            entries.append(chain.add("run", run(name, scale, 1, quality, rng=rng), "rerun"))
    shot = Snapshot().extended(entries)
    found = build_scaling(shot, BoardCache(), "text")
    assert found is not None
    assert [b.table.scale for b in found.boards] == rungs
    assert [t.note.startswith(said) for t in found.twins] == [True]
    assert said in (Pages().scaling(Links(), shot, "text") or "").replace("&gt;", ">")
