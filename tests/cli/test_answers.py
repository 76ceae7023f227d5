"""What a person meets when something is off: one document with --json, and words that help."""

import json
from dataclasses import replace
from pathlib import Path

import pytest

from assay.cli import main
from assay.errors import PoolError
from assay.noise.marks import Marks, marks_path
from assay.pool import Pool, build_pool
from assay.track.load import load
from assay.track.measured import write_measured
from tiny import SCALE, TRACK

AT = ["--track", TRACK, "--scale", SCALE]


@pytest.mark.parametrize(
    "words",
    [
        ["pool", "show", "nope"],
        ["score", "absent.npy", *AT],
        ["board", "--track", "nope"],
        ["board", "--scale", "pic"],
    ],
)
def test_an_error_with_json_is_one_document_as_well(
    tiny_home: Path, capsys: pytest.CaptureFixture[str], words: list[str]
) -> None:
    assert main([*words, "--json"]) == 2
    answer = capsys.readouterr()
    document = json.loads(answer.out)
    assert document["ok"] is False
    assert document["error"] in answer.err


def test_what_a_strategy_prints_does_not_reach_the_answer(
    tiny_home: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    mine = tmp_path / "mine.py"
    mine.write_text(
        '"""Mine: prints."""\n\nfrom assay.submission import staged\n\n\n'
        'def select(pool, *, seed: int):\n    """Half and half."""\n    print("hello")\n'
        "    return staged([(0.5, pool.uids[:100]), (0.5, pool.uids[100:200])])\n"
    )
    assert main(["select", str(mine), *AT, "--out", str(tmp_path / "s.csv"), "--json"]) == 0
    answer = capsys.readouterr()
    assert json.loads(answer.out)["form"] == "staged"
    assert "hello" in answer.err


def test_a_source_edited_in_place_is_not_the_pool_that_was_built(tmp_path: Path) -> None:
    source = tmp_path / "a.jsonl"
    source.write_text(
        "".join(json.dumps({"text": f"a river runs here {i}"}) + "\n" for i in range(50))
    )
    build_pool([source], tmp_path / "pool", vocab_size=300)
    source.write_text(source.read_text().replace("river", "RIVER"))
    with pytest.raises(PoolError, match="other sources"):
        build_pool([source], tmp_path / "pool", vocab_size=300)


def test_a_fork_has_no_scale_that_its_pool_cannot_fill(tiny_home: Path, tmp_path: Path) -> None:
    from assay.track.load import list_scales

    held = tmp_path / "news.jsonl"
    sentence = "The old baker walked to the market with his dog and bought number {} there. "
    held.write_text("".join(json.dumps({"text": sentence.format(i) * 9}) + "\n" for i in range(8)))
    words = [
        "track",
        "new",
        "mine",
        "--like",
        "text",
        "--pool",
        "tiny-pool",
        "--heldout",
        str(held),
    ]
    assert main(words) == 0
    forked = [scale for track, scale in list_scales() if track == "mine"]
    assert forked == ["pico", "pico-low-lr", "nano", "nano-low-lr"]
    assert Pool.open("tiny-pool").num_tokens * 16 > 1_228_800


def test_a_cached_record_says_that_it_keeps_its_name(
    tiny_home: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    ids = tmp_path / "s.npy"
    assert main(["select", "random", *AT, "--out", str(ids), "--name", "first"]) == 0
    assert main(["score", str(ids), *AT, "progress=false"]) == 0
    assert main(["score", str(ids), *AT, "--name", "second", "progress=false"]) == 0
    assert "the record keeps its name, 'first'" in capsys.readouterr().err


def test_tasks_marked_as_noise_are_named_beside_the_score(
    tiny_home: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    ids = tmp_path / "s.npy"
    loaded = load(TRACK, SCALE)
    task = loaded.suite.tasks[0].name
    marks = Marks(loaded.seal, 4, 12, {}, {"centered_accuracy": {task: "at chance"}})
    write_measured(marks, marks_path(loaded))
    assert main(["select", "random", *AT, "--out", str(ids)]) == 0
    assert main(["score", str(ids), *AT, "progress=false"]) == 0
    assert f"noise alone at this scale: {task}\n" in capsys.readouterr().out
    write_measured(replace(marks, seal="sha256:of another law"), marks_path(loaded))
    assert main(["score", str(ids), *AT, "progress=false"]) == 0
    assert "noise alone" not in capsys.readouterr().out
