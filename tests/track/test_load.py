import json
import re
from pathlib import Path

import pytest
import yaml

from assay.errors import TrackError
from assay.home import package_folder
from assay.pool import Pool
from assay.track.fork import fork
from assay.track.load import list_scales, load, write_seals
from assay.track.pools import open_pool
from tiny import SCALE, TRACK

PACKAGED = [pair for pair in list_scales() if (package_folder("tracks") / pair[0]).is_dir()]


@pytest.mark.parametrize(("track", "scale"), PACKAGED)
def test_every_packaged_scale_parses_and_matches_its_seal(track: str, scale: str) -> None:
    loaded = load(track, scale)
    assert loaded.sealed
    assert loaded.recipe.steps * loaded.recipe.global_batch_tokens == loaded.recipe.tokens_seen


@pytest.mark.parametrize(("track", "scale"), PACKAGED)
def test_parameters_are_counted_as_transformers_counts_them(track: str, scale: str) -> None:
    import torch

    from assay.text.model import build_model

    spec = load(track, scale).recipe.model
    if spec.num_parameters > 10_000_000:
        with torch.device("meta"):
            model = build_model(spec, 0, 1)
    else:
        model = build_model(spec, 0, 1)
    assert model.num_parameters() == spec.num_parameters


def test_the_published_scales_have_the_published_sizes() -> None:
    """DCLM's table: parameters and tokens, in billions."""
    published = {
        "411m-1x": (0.4116, 8.232),
        "1b-1x": (1.440, 28.796),
        "3b-1x": (2.796, 55.919),
        "7b-1x": (6.889, 137.79),
        "7b-2x": (6.889, 275.58),
    }
    for scale, (parameters, tokens) in published.items():
        recipe = load("text", scale).recipe
        assert recipe.model.num_parameters / 1e9 == pytest.approx(parameters, abs=1e-3)
        assert recipe.tokens_seen / 1e9 == pytest.approx(tokens, rel=1e-4)


def test_any_change_of_a_value_breaks_the_seal(tiny_home: Path) -> None:
    path = tiny_home / "tracks" / TRACK / "scales" / f"{SCALE}.yaml"
    text = path.read_text()
    before = load(TRACK, SCALE)
    path.write_text("# a comment\n" + text)
    assert load(TRACK, SCALE).seal == before.seal
    path.write_text(re.sub(r"warmup_steps: \d+", "warmup_steps: 5", text))
    after = load(TRACK, SCALE)
    assert after.seal != before.seal
    assert not after.sealed


def test_a_sealed_version_cannot_be_sealed_again_with_other_values(tiny_home: Path) -> None:
    path = tiny_home / "tracks" / TRACK / "scales" / f"{SCALE}.yaml"
    text = path.read_text()
    path.write_text(re.sub(r"warmup_steps: \d+", "warmup_steps: 5", text))
    with pytest.raises(TrackError, match="bump `version`"):
        write_seals([load(TRACK, SCALE)])
    path.write_text(path.read_text().replace("version: 1\n", "version: 2\n", 1))
    write_seals([load(TRACK, SCALE)])
    assert load(TRACK, SCALE).sealed
    seals = json.loads((tiny_home / "tracks" / TRACK / "SEALS.json").read_text())
    assert set(seals) == {f"{TRACK}/{SCALE}@1", f"{TRACK}/{SCALE}@2"}


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("lr: 0.01", "lr: 1e-2", "expected float, got '1e-2'"),
        ("lr: 0.01", "learning_rate: 0.01", "unknown key 'learning_rate'"),
        ("architecture: llama", "architecture: gpt", "expected one of llama, qwen3"),
        ("tokens_seen: 12288", "tokens_seen: 12289", "no multiple of global_batch_tokens"),
        ("context_length: 64", "context_length: 60", "no multiple of context_length"),
    ],
)
def test_a_recipe_that_makes_no_sense_is_refused(
    tiny_home: Path, old: str, new: str, message: str
) -> None:
    path = tiny_home / "tracks" / TRACK / "scales" / f"{SCALE}.yaml"
    assert old in path.read_text()
    path.write_text(path.read_text().replace(old, new))
    with pytest.raises(TrackError, match=re.escape(message)):
        load(TRACK, SCALE)


def test_unknown_names_are_answered_with_suggestions(tiny_home: Path) -> None:
    with pytest.raises(TrackError, match="did you mean 'text'"):
        load("texts", "nano")
    with pytest.raises(TrackError, match="did you mean 'nano'"):
        load("text", "nanno")


def test_another_pool_under_the_same_name_is_refused(tiny_home: Path) -> None:
    path = tiny_home / "tracks" / TRACK / "scales" / f"{SCALE}.yaml"
    document = yaml.safe_load(path.read_text())
    document["pool"]["root"] = "sha256:" + "0" * 64
    path.write_text(yaml.safe_dump(document))
    with pytest.raises(TrackError, match="was sealed with"):
        open_pool(load(TRACK, SCALE))


def test_a_published_pool_that_is_absent_says_how_to_build_it(tiny_home: Path) -> None:
    with pytest.raises(TrackError, match="assay pool build"):
        open_pool(load("text", "411m-1x"))


def held_out(tmp_path: Path, texts: list[str], name: str = "news.jsonl") -> str:
    path = tmp_path / name
    path.write_text("".join(json.dumps({"text": text}) + "\n" for text in texts))
    return str(path)


STORY = "The old baker walked to the market with his dog. " * 3 + "He bought {} and went home. " * 4


def test_a_fork_keeps_the_recipes_and_asks_about_its_own_documents(
    tiny_home: Path, tmp_path: Path
) -> None:
    pool = Pool.open("tiny-pool")
    texts = [
        STORY.format(*[f"{word}{i}" for i in range(4)])
        for word in ("bread", "milk", "salt", "jam", "tea")
    ]
    forked = fork("mine", like="text", pool=pool, heldout=[held_out(tmp_path, texts)], items=4)
    loaded = load("mine", "pico")
    assert forked.domains == {"news": 5}
    assert loaded.sealed
    assert loaded.recipe == load("text", "pico").recipe
    assert loaded.spec.pool.root == pool.root
    assert [task.name for task in loaded.suite.tasks] == ["continuation_news", "heldout_news"]
    assert open_pool(loaded).root == pool.root
    with pytest.raises(TrackError, match="there is a track 'mine' already"):
        fork("mine", like="text", pool=pool, heldout=[held_out(tmp_path, texts)])


def test_a_fork_leaves_out_documents_that_its_pool_has(tiny_home: Path, tmp_path: Path) -> None:
    pool = Pool.open("tiny-pool")
    path = tmp_path / "leak.jsonl"
    rows = [{"uid": uid_hex, "text": text} for uid_hex, text in _first_of(pool, 3)]
    rows += [{"text": STORY.format(*[f"{word}{i}" for i in range(4)])} for word in "abcdef"]
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    forked = fork("mine", like="text", pool=pool, heldout=[str(path)], items=4)
    assert forked.dropped == 3
    assert forked.domains == {"leak": 6}


def _first_of(pool: Pool, count: int) -> list[tuple[str, str]]:
    from assay.pool.uid import uids_to_hex

    return list(
        zip(uids_to_hex(pool.uids[:count]), (pool.text(i) for i in range(count)), strict=True)
    )


@pytest.mark.parametrize("name", ["text", "Has Space", "../up", ""])
def test_a_bad_name_for_a_fork_is_refused(tiny_home: Path, tmp_path: Path, name: str) -> None:
    with pytest.raises(TrackError, match="track"):
        fork(name, like="text", pool=Pool.open("tiny-pool"), heldout=[held_out(tmp_path, ["x"])])
