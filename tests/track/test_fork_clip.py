"""A CLIP track forked onto one's own pairs."""

import json

import pytest

from assay.cli import main
from assay.errors import TrackError
from assay.pool import load_pool
from assay.suite.clip.files import load_clip_suite
from assay.track.fork_clip import fork_clip
from assay.track.load import load, suite_path
from tiny_clip import SCALE, TRACK

POOL = "tiny-pairs-200"


@pytest.fixture
def suite(tiny_clip_home):
    return suite_path(load(TRACK, SCALE).suite)


def test_a_fork_has_its_own_pool_suite_and_tokenizer(tiny_clip_home, suite):
    pool = load_pool(POOL)
    forked = fork_clip("mine", like="clip", pool=pool, suite_from=suite)
    assert forked.items == {"colour": 18, "retrieval": 18}
    # 200 pairs cannot be repeated often enough for a larger budget.
    assert forked.scales == ["pico"]
    loaded = load("mine", "pico")
    assert loaded.sealed
    assert loaded.spec.pool.root == pool.root
    theirs = load("clip", "pico")
    assert loaded.recipe.tokenizer.digest != theirs.recipe.tokenizer.digest
    assert loaded.recipe.optimizer == theirs.recipe.optimizer
    assert loaded.suite == load_clip_suite(suite)


def test_the_tokenizer_follows_from_the_pool_alone(tiny_clip_home, suite):
    pool = load_pool(POOL)
    for name in ("one", "two"):
        fork_clip(name, like="clip", pool=pool, suite_from=suite)
    assert load("one", "pico").recipe == load("two", "pico").recipe


def test_a_name_that_is_taken_and_a_track_of_another_kind_are_refused(tiny_clip_home, suite):
    pool = load_pool(POOL)
    with pytest.raises(TrackError, match="there is a track 'clip' already"):
        fork_clip("clip", like="clip", pool=pool, suite_from=suite)
    with pytest.raises(TrackError, match="give --like clip"):
        fork_clip("mine", like="text", pool=pool, suite_from=suite)
    assert not (tiny_clip_home / "tracks" / "mine").exists()


def test_the_command_takes_the_modality_from_the_pool(tiny_clip_home, suite, capsys):
    assert main(["track", "new", "mine", "--pool", POOL, "--suite", str(suite), "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["modality"] == "clip"
    assert main(["track", "new", "other", "--pool", POOL]) == 2
    assert "needs one --suite DIR" in capsys.readouterr().err
    assert main(["track", "new", "other", "--pool", POOL, "--suite", str(tiny_clip_home)]) == 2
    assert "suite.yaml does not exist" in capsys.readouterr().err


def test_a_text_list_on_a_clip_scale_is_refused(tiny_clip_home, tmp_path, capsys):
    (tmp_path / "s.txt").write_text("0" * 32 + "#1\n")
    command = ["validate", str(tmp_path / "s.txt"), "--track", TRACK, "--scale", SCALE]
    assert main([*command, "--unit", "tokens512"]) == 2
    out = capsys.readouterr().out
    assert "this track takes document" in out
