import csv
import io
import json
import math
import time
from pathlib import Path

import numpy as np
import pyarrow.parquet as pq
import pytest

from assay.report.theme import DARK, LIGHT
from assay.stats.noise import estimate_noise
from assay_board.pages.cache import BoardCache
from assay_board.pages.downloads import board_csv, board_json, board_parquet
from assay_board.pages.links import Links, safe_url
from assay_board.pages.ranking import measure
from assay_board.pages.snapshot import Snapshot
from assay_board.pages.text import decimals, duration, placed
from assay_board.pages.theme import colors
from assay_board.pages.views.board import Board, Row, build_board
from assay_board.pages.views.compare import build_comparison
from assay_board.pages.views.entry import build_entry
from assay_board.pages.views.home import arrivals, summaries
from assay_board.pages.views.listing import Query, compact, show
from assay_board.pages.views.progress import claims
from assay_board.pages.views.scaling import build_scaling
from synthetic_entries import Chain, board, run, submission_digest


@pytest.fixture(scope="module")
def nano(snapshot: Snapshot) -> Board:
    return build_board(snapshot, snapshot.boards("text", "nano")[0])


def named(board: Board, name: str) -> Row:
    return next(row for row in board.rows if row.name == name)


def test_a_snapshot_is_the_same_however_its_entries_come_in(snapshot: Snapshot) -> None:
    entries = board()
    grown = Snapshot()
    for at in range(0, len(entries), 17):
        before = grown
        kept = {key: (table.stamp, len(table.entrants)) for key, table in before.tables.items()}
        grown = before.extended(entries[at : at + 17])
        assert {k: (t.stamp, len(t.entrants)) for k, t in before.tables.items()} == kept
    assert grown.size == snapshot.size
    assert grown.standing == snapshot.standing
    for key, table in snapshot.tables.items():
        runs = {d: [r.digest for r in e.runs] for d, e in table.entrants.items()}
        assert {
            d: [r.digest for r in e.runs] for d, e in grown.tables[key].entrants.items()
        } == runs
    with pytest.raises(AssertionError):
        snapshot.extended(entries[:1])


def test_records_are_kept_whole(snapshot: Snapshot) -> None:
    for entry in board():
        if entry.kind == "run" and entry.body["submission"]["manifest"]["name"] == "random":
            found = snapshot.run(entry.body["digest"])
            # Of two runs of one seed at one level only the newest is kept.
            assert found is None or found.record() == entry.body


def test_only_rerun_and_official_runs_are_ranked(nano: Board) -> None:
    assert {row.level for row in nano.ranked} == {"rerun", "official"}
    for name in ("only_reported", "only_checked"):
        row = named(nano, name)
        assert (row.state, row.rank, row.low, row.p_best) == ("unranked", None, None, None)
        # Better than all of them, and below all of them.
        assert row.means[0] < nano.ranked[0].means[0]
        assert nano.rows.index(row) >= len(nano.ranked)


def test_what_a_team_reported_first_changes_nothing_once_the_harness_trained() -> None:
    chain, rng = Chain(), np.random.default_rng(0)
    said = run("mine", "nano", 1, 0.99, rng=rng)
    said["training"]["flops"] = 1.0
    found = run("mine", "nano", 2, 0.5, rng=rng)
    reported, rerun = chain.add("run", said, "reported"), chain.add("run", found, "rerun")
    before, after = (Snapshot().extended(entries) for entries in ([reported], [reported, rerun]))
    for snapshot, entry in ((before, reported), (after, rerun)):
        (table,) = snapshot.boards()
        (row,) = build_board(snapshot, table).rows
        assert (row.level, row.entered) == (entry.level, entry.time)
        assert row.means[0] == entry.body["metrics"]["bits_per_byte"]
        assert table.training["flops"] == entry.body["training"]["flops"]
        (arrival,) = arrivals(snapshot)
        assert (arrival.level, arrival.runs, arrival.value) == (entry.level, 1, row.means[0])


def test_a_retracted_submission_keeps_its_row_and_loses_its_rank(nano: Board) -> None:
    row = named(nano, "leaked_items")
    assert nano.rows[-1] is row
    assert row.rank is None
    assert "suite's own items" in row.reason
    assert row.digest not in nano.scores[0].noise.values


def test_a_corrected_name_is_shown(nano: Board) -> None:
    assert named(nano, "minhash_dedup").digest == submission_digest("dedup_minhash", "nano")


def test_ties_are_those_that_nobody_is_significantly_better_than(nano: Board) -> None:
    tied = [row.name for row in nano.ranked if row.tied]
    assert tied[0] == nano.ranked[0].name
    noise = nano.scores[0].noise
    for row in nano.ranked:
        if row.name in tied:
            found = noise.difference(row.digest, nano.ranked[0].digest)
            assert found is None or found.p_two_sided > 0.05 / 91
    assert not named(nano, "very_noisy").tied
    assert named(nano, "very_noisy").noisy


def test_fresh_seeds_replace_the_earlier_score() -> None:
    rng = np.random.default_rng(3)
    chain = Chain()
    lucky = [run("a", "nano", j, 0.9, rng=rng) for j in range(3)]
    fresh = [run("a", "nano", 10 + j, 0.5, rng=rng) for j in range(2)]
    others = [run("b", "nano", j, 0.7, rng=rng) for j in range(3)]
    entries = [chain.add("run", r, "rerun") for r in lucky + others]
    entries += [chain.add("run", r, "official") for r in fresh]
    shot = Snapshot().extended(entries)
    found = build_board(shot, shot.boards()[0])
    row = named(found, "a")
    assert (row.level, row.seeds) == ("official", 2)
    assert row.means[0] == pytest.approx(sum(r["metrics"]["bits_per_byte"] for r in fresh) / 2)
    assert found.ranked[0].name == "b"
    # One of the two is retracted, then the other: the submission falls back to its reruns.
    for record in fresh:
        body = {"target": record["digest"], "reason": "wrong pool", "by": "operator"}
        shot = shot.extended([chain.add("retraction", body)])
    back = named(build_board(shot, shot.boards()[0]), "a")
    assert (back.level, back.seeds) == ("rerun", 3)
    for record in lucky:
        body = {"target": record["digest"], "reason": "wrong pool", "by": "operator"}
        shot = shot.extended([chain.add("retraction", body)])
    gone = named(build_board(shot, shot.boards()[0]), "a")
    assert (gone.state, gone.reason) == ("retracted", "wrong pool")


def test_a_board_of_one_seed_each_shows_scores_and_no_ranks() -> None:
    rng = np.random.default_rng(4)
    chain = Chain()
    shot = Snapshot().extended(
        [
            chain.add("run", run(n, "nano", 1, q, rng=rng), "rerun")
            for n, q in (("a", 0.4), ("b", 0.6))
        ]
    )
    found = build_board(shot, shot.boards()[0])
    assert [row.name for row in found.rows] == ["b", "a"]
    assert all(row.rank is None and row.half_widths == (None, None) for row in found.rows)
    assert found.detectable is None


def test_an_empty_ledger_has_a_home_page() -> None:
    cache = BoardCache()
    assert summaries(Snapshot(), cache) == {}
    known = summaries(Snapshot(), cache, [{"track": "text", "scale": "nano"}])
    assert known["text"][0].board is None
    assert arrivals(Snapshot()) == []
    assert build_scaling(Snapshot(), cache, "text") is None


def test_sorting_filtering_and_pages(nano: Board) -> None:
    by_name = show(nano, Query(sort="name")).rows
    ranked = [row.name.casefold() for row in by_name if row.state == "ranked"]
    assert ranked == sorted(ranked)
    assert [row.state for row in by_name] == sorted(
        (r.state for r in by_name), key=["ranked", "unranked", "retracted"].index
    )
    down = show(nano, Query(sort="score", down=True)).rows
    assert [r.means[0] for r in down if r.state == "ranked"] == sorted(
        (r.means[0] for r in nano.ranked), reverse=True
    )
    assert [r.name for r in show(nano, Query(text="QUALITY")).rows] == ["quality_rules"]
    digest = nano.rows[2].digest
    assert [r.digest for r in show(nano, Query(text=digest[7:19])).rows] == [digest]
    assert {r.level for r in show(nano, Query(level="official")).rows} == {"official"}
    assert show(nano, Query(page=99)).page == 1
    assert show(nano, Query(text="nothing like it")).rows == ()


def test_the_detectable_effect_and_the_noise_stand_in_the_head(nano: Board) -> None:
    runs = {row.digest: nano.scores[0].noise.values[row.digest] for row in nano.ranked}
    noise = estimate_noise(runs)
    assert nano.scores[0].noise.sd == pytest.approx(noise.sd)
    assert noise.sd is not None
    # Two-sided 5 %, power 0.8, three against three: 2.3 to 2.9 seed deviations, the fewer degrees the more.
    assert nano.detectable is not None
    assert 2.2 < nano.detectable / noise.sd < 2.9


def test_task_noise_is_pooled_over_the_board(nano: Board) -> None:
    found = BoardCache().task_noise(nano)
    values = {
        row.digest: [
            record["metrics"]["tasks"]["fact_qa"]["bits_per_byte"]
            for r in nano.table.entrants[row.digest].runs
            if r.level == row.level and (record := r.record())
        ]
        for row in nano.ranked
    }
    expected = estimate_noise(values)
    assert found[nano.table.tasks.index("fact_qa")][0].sd == pytest.approx(expected.sd)
    assert measure([], []).noise.sd is None


def test_an_entry_has_its_tasks_and_its_history(snapshot: Snapshot) -> None:
    page = build_entry(snapshot, BoardCache(), submission_digest("oracle", "nano"))
    assert page is not None
    scored = next(s for s in page.scored if s.board.table.modality == "text")
    task = next(t for t in scored.tasks if t.name == "heldout_story")
    assert task.means[1] is None
    assert task.means[0] is not None
    assert [n.kind for n in page.notices] == ["objection"]
    run, record, counts, reason = scored.runs[0]
    assert record["digest"] == run.digest
    assert (counts, reason) == (True, "")
    assert build_entry(snapshot, BoardCache(), "sha256:00") is None


def test_a_comparison_is_paired_with_the_first_and_adjusted(
    nano: Board,
) -> None:
    names = ["random", "oracle", "fasttext_edu"]
    wanted = [named(nano, name).digest for name in names]
    found = build_comparison(BoardCache(), nano, wanted)
    assert found is not None
    assert [row.name for row in found.rows] == names
    whole = found.contrasts[0][0]
    assert whole.delta == pytest.approx(found.rows[1].means[0] - found.rows[0].means[0])
    assert whole.verdict == "better"  # fewer bits
    assert [c.task for c in found.contrasts[0][1:]] == list(
        nano.table.tasks[:-1]
    )  # not the held-out text
    assert found.domain[0] <= 0 <= found.domain[1]
    assert build_comparison(BoardCache(), nano, wanted[:1]) is None
    assert build_comparison(BoardCache(), nano, [r.digest for r in nano.ranked[:6]]) is None
    retracted = named(nano, "leaked_items").digest
    assert build_comparison(BoardCache(), nano, [wanted[0], retracted]) is None


def test_overlap_is_counted_from_the_lists(nano: Board, tmp_path: Path) -> None:
    digests = [row.digest for row in nano.ranked[:2]]
    for index, digest in enumerate(digests):
        uids = np.zeros(6, dtype="<u8,<u8")
        uids["f1"] = np.arange(6) + 3 * index
        np.save(tmp_path / f"{digest[7:]}.npy", uids)
    found = build_comparison(BoardCache(), nano, digests, lambda d: tmp_path / f"{d[7:]}.npy")
    assert found is not None
    assert found.overlaps is not None
    assert found.overlaps[0].jaccard == pytest.approx(3 / 9)
    assert found.overlaps[0].contained == pytest.approx(3 / 6)


def test_records_fall_to_those_who_gain_enough(nano: Board) -> None:
    found = claims(nano)
    assert found[0].stands
    assert any(not claim.stands for claim in found)
    held = None
    for claim in found:
        if held is not None:
            assert claim.verdict is not None
            assert claim.verdict.gain == pytest.approx(held.means[0] - claim.row.means[0])
            assert claim.stands == claim.verdict.accepted
        held = claim.row if claim.stands else held
    assert all(claim.row.state == "ranked" for claim in found)


def test_scaling_compares_neighbouring_scales(snapshot: Snapshot) -> None:
    found = build_scaling(snapshot, BoardCache(), "text")
    assert found is not None
    assert [b.table.scale for b in found.boards] == ["pico", "nano", "micro"]
    keys = [figure.key for figure in found.figures]
    assert keys == [
        "scaling",
        "rank-flow",
        "rank-transfer",
        "scatter-pico-nano",
        "scatter-nano-micro",
    ]
    accuracy = next(f for f in found.figures if f.key == "rank-transfer").data[0]
    assert 0.5 < accuracy["low"] <= accuracy["value"] <= 1


def test_downloads_hold_every_row_with_the_same_columns(nano: Board) -> None:
    rows = list(csv.DictReader(io.StringIO(board_csv(nano).decode())))
    document = json.loads(board_json(nano))
    table = pq.read_table(io.BytesIO(board_parquet(nano)))
    assert len(rows) == len(document["rows"]) == table.num_rows == len(nano.rows)
    assert list(rows[0]) == table.column_names
    assert set(document["rows"][0]) == set(table.column_names)
    assert [float(r["bits_per_byte"]) for r in rows] == [row.means[0] for row in nano.rows]
    assert document["minimal_detectable_effect"] == nano.detectable
    assert len(compact(nano)["rows"]) == len(nano.rows)
    json.dumps(compact(nano), allow_nan=False)


def test_a_large_board_is_ranked_again_behind_its_readers_back(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("assay_board.pages.cache.LARGE", 1)
    rng = np.random.default_rng(5)
    chain = Chain()
    shot = Snapshot().extended(
        [chain.add("run", run(f"m{i}", "nano", 1, 0.1 * i, rng=rng), "rerun") for i in range(4)]
    )
    cache = BoardCache()
    first = cache.board(shot, shot.boards()[0])
    grown = shot.extended([chain.add("run", run("new", "nano", 2, 0.9, rng=rng), "rerun")])
    assert cache.board(grown, grown.boards()[0]) is first
    for _ in range(500):
        found = cache.board(grown, grown.boards()[0])
        if found is not first:
            break
        time.sleep(0.01)
    assert len(found.rows) == 5
    assert found.size == grown.size


def contrast(a: str, b: str) -> float:
    """Return the contrast ratio of two colours. Source: WCAG 2.2, definition of contrast ratio."""

    def luminance(color: str) -> float:
        parts = (int(color[i : i + 2], 16) / 255 for i in (1, 3, 5))
        linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in parts]
        return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]

    high, low = sorted((luminance(a), luminance(b)), reverse=True)
    return (high + 0.05) / (low + 0.05)


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_every_text_can_be_read_on_every_surface(theme: str) -> None:
    assert contrast("#000000", "#ffffff") == pytest.approx(21)
    found = colors(theme)
    for surface in ("--paper", "--raised", "--band"):
        for text in ("--ink", "--muted", "--category-0", "--warn", "--bad"):
            assert contrast(found[text], found[surface]) >= 4.5, (theme, text, surface)
    assert contrast(found["--paper"], found["--category-0"]) >= 4.5  # a button's text
    assert contrast(found["--category-2"], found["--paper"]) >= 4.5  # "done"
    for mark in ("--category-0", "--category-1", "--muted"):
        assert contrast(found[mark], found["--paper"]) >= 3
    assert found["--ink"] == (LIGHT if theme == "light" else DARK).ink


@pytest.mark.parametrize("color", ["#00629b", "#b3261e", "#5d6671", "#3d4450"])
def test_badges_can_be_read(color: str) -> None:
    assert contrast("#ffffff", color) >= 4.5


@pytest.mark.parametrize(
    ("text", "good"),
    [
        ("https://example.org/a?b=c", True), ("http://x", True), ("javascript:alert(1)", False),
        ("JavaScript:alert(1)", False), ("data:text/html,x", False), ("//example.org", False),
        ("https:", False), ("ftp://x", False), ("http://[", False), ("", False),
    ],
)  # fmt: skip
def test_only_web_addresses_become_links(text: str, good: bool) -> None:
    assert safe_url(text) == (text if good else None)


def test_words_of_numbers() -> None:
    assert decimals(-0.5, 2) == "−0.50"
    assert decimals(None) == decimals(math.nan) == "–"
    assert [duration(s) for s in (None, 0.5, 90, 7200, 2e5)] == [
        "–",
        "0.5 s",
        "1.5 min",
        "2 h",
        "2.31 d",
    ]
    assert placed(5, (0, 10)) == 80
    assert placed(99, (0, 10)) == 156
    assert Links().page("a b", {"q": "<"}) == "/a%20b?q=%3C"
    assert Links.of_file("boards/text/nano").page("rules") == "../../rules.html"
