import json
import re
from pathlib import Path

import pytest
import yaml

from assay.errors import PoolError, TrackError, UserError
from assay.foundry.source import FoundrySource
from assay.home import package_folder
from assay.pool import Pool, build_pool
from assay.spec import load_yaml
from assay.suite.files import write_suite
from assay.track.fork import fork
from assay.track.load import LoadedScale, list_scales, load, write_seals
from assay.track.pools import open_pool
from assay.track.spec import PoolRef
from tiny import SCALE, TRACK

PACKAGED = [pair for pair in list_scales() if (package_folder("tracks") / pair[0]).is_dir()]


@pytest.mark.parametrize(("track", "scale"), PACKAGED)
def test_every_packaged_scale_parses_and_matches_its_seal(track: str, scale: str) -> None:
    loaded = load(track, scale)
    assert loaded.sealed
    budget = loaded.recipe.budget
    assert budget.amount % budget.steps == 0


@pytest.mark.parametrize("scale", [scale for track, scale in PACKAGED if track == "text"])
def test_parameters_are_counted_as_transformers_counts_them(scale: str) -> None:
    import torch

    from assay.text.model import build_model

    spec = load("text", scale).recipe.model
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


@pytest.mark.parametrize("scale", [scale for track, scale in PACKAGED if track == "clip"])
def test_parameters_are_counted_as_open_clip_counts_them(scale: str) -> None:
    import torch

    from assay.clip.model import build_model

    spec = load("clip", scale).recipe.model
    with torch.device("meta"):
        build_model(spec, 1)  # compares them


def test_the_published_clip_scales_have_datacomps_budgets() -> None:
    """DataComp's table: samples seen, batch, learning rate, warm-up, second moment's decay."""
    published = {
        "small": (12.8e6, 4096, 5e-4, 500, 0.98),
        "medium": (128e6, 4096, 5e-4, 500, 0.98),
        "large": (1.28e9, 8192, 5e-4, 500, 0.98),
        "xlarge": (12.8e9, 90112, 1e-3, 10_000, 0.95),
    }
    for scale, (samples, batch, lr, warmup, beta2) in published.items():
        recipe = load("clip", scale).recipe
        assert recipe.budget.amount == pytest.approx(samples, rel=1e-5)
        assert (recipe.global_batch_size, recipe.schedule.warmup_steps) == (batch, warmup)
        assert (recipe.optimizer.lr, recipe.optimizer.beta2) == (lr, beta2)
        assert (recipe.optimizer.weight_decay, recipe.optimizer.eps) == (0.2, 1e-6)


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
    assert forked.items == {"news": 5}
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
    assert forked.items == {"leak": 6}


def _first_of(pool: Pool, count: int) -> list[tuple[str, str]]:
    from assay.pool.uid import uids_to_hex

    return list(
        zip(uids_to_hex(pool.uids[:count]), (pool.text(i) for i in range(count)), strict=True)
    )


def own_stories(count: int = 6) -> list[str]:
    return [STORY.format(*[f"{word}{i}" for i in range(4)]) for word in "abcdefgh"[:count]]


def test_a_fork_leaves_out_a_document_that_its_pool_has_under_another_id(
    tiny_home: Path, tmp_path: Path
) -> None:
    pool = Pool.open("tiny-pool")
    texts = [pool.text(5), *own_stories(), pool.text(250)]
    forked = fork("mine", like="text", pool=pool, heldout=[held_out(tmp_path, texts)], items=4)
    assert (forked.dropped, forked.items) == (2, {"news": 6})


def test_a_fork_that_is_killed_leaves_no_track(
    tiny_home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def killed(loaded: list[LoadedScale]) -> None:
        assert not (tiny_home / "tracks" / "mine").exists()
        raise KeyboardInterrupt

    pool, heldout = Pool.open("tiny-pool"), [held_out(tmp_path, own_stories())]
    with monkeypatch.context() as patch:
        patch.setattr("assay.track.fork.write_seals", killed)
        with pytest.raises(KeyboardInterrupt):
            fork("mine", like="text", pool=pool, heldout=heldout, items=4)
    assert [path.name for path in (tiny_home / "tracks").iterdir()] == [TRACK]
    fork("mine", like="text", pool=pool, heldout=heldout, items=4)
    assert load("mine", "nano").sealed


def test_a_pool_given_by_folder_is_known_by_name_from_then_on(
    tiny_home: Path, tmp_path: Path
) -> None:
    (tiny_home / "pools" / "tiny-pool").rename(tmp_path / "elsewhere")
    pool = Pool.open(tmp_path / "elsewhere")
    fork("mine", like="text", pool=pool, heldout=[held_out(tmp_path, own_stories())], items=4)
    assert open_pool(load("mine", "pico")).path == pool.path


def test_another_pool_of_the_same_name_cannot_be_forked_onto(
    tiny_home: Path, tmp_path: Path
) -> None:
    other = build_pool([FoundrySource(40)], tmp_path / "o", name="tiny-pool", vocab_size=300)
    with pytest.raises(TrackError, match="--name NAME"):
        fork("mine", like="text", pool=other, heldout=[held_out(tmp_path, own_stories())])


def test_a_pool_at_a_url_is_to_be_copied_first(tiny_home: Path, tmp_path: Path) -> None:
    pool = Pool.open(f"file://{tiny_home}/pools/tiny-pool")
    with pytest.raises(TrackError, match="copy that folder here"):
        fork("mine", like="text", pool=pool, heldout=[held_out(tmp_path, own_stories())])


def test_a_fork_onto_an_embedded_pool_can_build_it_again(
    tiny_home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    pool = Pool.open("tiny-pool")
    embedded = PoolRef("tiny-pool", pool.root, 300)
    monkeypatch.setattr("assay.track.fork.embedded_pools", lambda: [embedded])
    fork("mine", like="text", pool=pool, heldout=[held_out(tmp_path, own_stories())], items=4)
    assert load("mine", "pico").spec.pool == embedded


def test_two_held_out_files_of_one_domain_are_refused(tiny_home: Path, tmp_path: Path) -> None:
    (tmp_path / "b").mkdir()
    files = [held_out(tmp_path, own_stories()), held_out(tmp_path / "b", own_stories())]
    with pytest.raises(TrackError, match="both the domain 'news'"):
        fork("mine", like="text", pool=Pool.open("tiny-pool"), heldout=files)


def test_a_task_of_a_suite_must_not_hide_another(tiny_home: Path, tmp_path: Path) -> None:
    item = {"context": "a", "choices": [" b", " c"], "gold": 0}
    fields = {"group": "g", "form": "choice"}
    write_suite("other", 1, {"continuation_news": ([item], fields)}, tmp_path / "suite")
    with pytest.raises(TrackError, match="'continuation_news' is there already"):
        fork(
            "mine",
            like="text",
            pool=Pool.open("tiny-pool"),
            heldout=[held_out(tmp_path, own_stories())],
            suites=[tmp_path / "suite"],
        )


def test_problems_of_held_out_files_are_counted_and_said(
    tiny_home: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = Path(held_out(tmp_path, own_stories()))
    path.write_text(path.read_text() + "{\n{\n")
    fork("mine", like="text", pool=Pool.open("tiny-pool"), heldout=[str(path)], items=4)
    assert "2 corrupt_json" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("file", "data"),
    [
        (f"scales/{SCALE}.yaml", b"version: ["),
        (f"scales/{SCALE}.yaml", b"version: \xff\xfe"),
        ("track.yaml", b"modality: 3"),
        (f"suites/{TRACK}.yaml", b"name: x"),
        ("SEALS.json", b"{"),
        ("SEALS.json", b"[]"),
    ],
)
def test_one_broken_private_file_is_an_error_and_hides_no_other_scale(
    tiny_home: Path, capsys: pytest.CaptureFixture[str], file: str, data: bytes
) -> None:
    (tiny_home / "tracks" / TRACK / file).write_bytes(data)
    assert list_scales() == PACKAGED
    assert f"left out {TRACK}/{SCALE}" in capsys.readouterr().err
    with pytest.raises(UserError, match=re.escape(file)):
        load(TRACK, SCALE)


def test_a_folder_in_place_of_a_yaml_file_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(TrackError, match="cannot be read"):
        load_yaml(tmp_path)


def test_a_pool_whose_root_is_not_that_of_its_shards_is_refused(tiny_home: Path) -> None:
    path = tiny_home / "pools" / "tiny-pool" / "pool.json"
    document = json.loads(path.read_text())
    document["shards"][0]["digest"] = "sha256:" + "1" * 64
    path.write_text(json.dumps(document))
    with pytest.raises(PoolError, match="assay pool verify tiny-pool"):
        open_pool(load(TRACK, SCALE))


@pytest.mark.parametrize("name", ["text", "Has Space", "../up", ""])
def test_a_bad_name_for_a_fork_is_refused(tiny_home: Path, tmp_path: Path, name: str) -> None:
    with pytest.raises(TrackError, match="track"):
        fork(name, like="text", pool=Pool.open("tiny-pool"), heldout=[held_out(tmp_path, ["x"])])
