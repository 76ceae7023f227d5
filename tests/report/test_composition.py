from pathlib import Path

import numpy as np
import pytest

from assay import ledger
from assay.compare.entries import gather
from assay.compare.submissions import compare_submissions
from assay.home import run_folder
from assay.pool import pool_path
from assay.record import build_record
from assay.report.composition import composition_figures
from assay.report.render import png
from assay.report.subject import Subject
from assay.submission import submission_of, write_submission
from assay.track.load import load
from assay.track.pools import open_pool
from made_up_ledger import record
from tiny import SCALE, TRACK

NAMES = ["all", "without one host"]


@pytest.fixture
def scored(tiny_home: Path) -> str:
    """Two submissions of the tiny pool: every document, and all but those of one host, which is returned."""
    pool = open_pool(load(TRACK, SCALE))
    hosts = np.array(pool.column("host").to_pylist())
    values, counts = np.unique(hosts, return_counts=True)
    common = str(values[counts.argmax()])
    for name, rows in zip(NAMES, (hosts != "", hosts != common), strict=True):
        made = record(name, SCALE, 1, [1.0, 1.0, 1.0], track=TRACK, pool=pool.root)
        ledger.append(made)
        folder = run_folder(made["digests"]["run"])
        folder.mkdir(parents=True)
        write_submission(submission_of(pool.uids[rows]), folder / "submission.parquet")
    return common


def subject() -> Subject:
    scores = gather(TRACK, [SCALE], NAMES)
    return Subject.of(compare_submissions(scores), scores)


def test_composition_is_that_of_what_was_selected(scored: str) -> None:
    figures = {figure.key: figure for figure in composition_figures(subject())}
    hosts = figures[f"composition-{SCALE}-host"]
    whole = [row for row in hosts.data if row["submission"] == NAMES[0]]
    assert all(row["share"] == pytest.approx(row["pool_share"]) for row in whole)
    part = {row["value"]: row for row in hosts.data if row["submission"] == NAMES[1]}
    assert part[scored]["pool_share"] > 0
    assert not part[scored]["share"]
    others = [row for value, row in part.items() if value != scored and row["share"] is not None]
    left = 1 - part[scored]["pool_share"]
    assert all(row["share"] == pytest.approx(row["pool_share"] / left) for row in others)
    assert f"{NAMES[0]} 0.00, {NAMES[1]} {1 - left:.2f}" in hosts.caption
    lengths = {row["submission"]: row for row in figures[f"composition-{SCALE}-tokens"].data}
    assert lengths[NAMES[0]]["q50"] == lengths["the whole pool"]["q50"]
    for figure in figures.values():
        assert png(figure).startswith(b"\x89PNG")


def test_what_all_examples_share_is_no_figure(scored: str) -> None:
    assert f"composition-{SCALE}-source" not in {f.key for f in composition_figures(subject())}


def test_without_the_pool_there_is_no_composition_and_none_is_built(scored: str) -> None:
    manifest = pool_path("tiny-pool") / "pool.json"
    manifest.rename(manifest.with_name("away"))
    assert composition_figures(subject()) == []
    assert not manifest.exists()


def test_another_pool_than_the_records_has_no_composition(scored: str) -> None:
    for name in NAMES:
        alien = record(name, SCALE, 1, [1.0, 1.0, 1.0], track=TRACK, pool="sha256:other")
        alien["clock"] = {"finished": "2027-01-01T00:00:00+00:00"}
        del alien["digest"], alien["result_digest"], alien["format"], alien["kind"]
        ledger.append(build_record(**alien))
    assert composition_figures(subject()) == []
