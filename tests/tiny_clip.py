"""A private CLIP track that trains in seconds: some hundred pairs, a model of some thousand weights."""

from dataclasses import replace
from pathlib import Path

import yaml

from assay.canonical import digest_bytes
from assay.foundry.scenes import ScenesSource, scene_tasks
from assay.home import package_folder
from assay.pool import ImageTextPool, build_image_text_pool, pool_path
from assay.spec import plain
from assay.suite.clip.embedded import write_scene_task
from assay.suite.clip.files import dump_clip_suite_yaml
from assay.suite.clip.seal import write_clip_suite
from assay.track.captions import train_caption_tokenizer
from assay.track.clip_spec import ClipRecipe, ClipScale, ImageTower, PairPoolRef, TextTower
from assay.track.load import load, load_scale_file, suite_path, write_seals
from assay.track.spec import SuiteRef

TRACK, SCALE = "tiny-clip", "pico"
STEPS, BATCH = 12, 16

VIT = ImageTower("vit", 32, layers=1, width=32, head_width=16, patch_size=8, mlp_ratio=2.0)
CONV = ImageTower(
    "timm", 32, norm_group=4, timm_model_name="test_byobnet", timm_pool="avg", timm_proj="linear"
)
PARAMETERS = {"vit": 47_105, "timm": 238_737}


def tiny_scale() -> ClipScale:
    """Return the pico scale of the package's own track."""
    scale = load_scale_file(package_folder("tracks") / "clip" / "scales" / "pico.yaml", "clip")
    assert isinstance(scale, ClipScale)
    return scale


def tiny_clip_recipe(image: ImageTower = VIT, tokenizer: bytes = b"", **changes) -> ClipRecipe:
    """Return the pico recipe, shrunk."""
    recipe = tiny_scale().recipe
    text = TextTower(context_length=16, vocab_size=512, width=32, heads=2, layers=1)
    model = replace(
        recipe.model,
        embed_dim=32,
        image=image,
        text=text,
        num_parameters=PARAMETERS[image.kind],
    )
    new = {
        "model": model,
        "samples_seen": STEPS * BATCH,
        "global_batch_size": BATCH,
        "schedule": replace(recipe.schedule, warmup_steps=2),
        "tokenizer": replace(recipe.tokenizer, digest=digest_bytes(tokenizer)),
    }
    return replace(recipe, **(new | changes))


def build_tiny_clip_pool(n: int = 200) -> ImageTextPool:
    """Build a pool of generated pairs under `$ASSAY_HOME`."""
    name = f"tiny-pairs-{n}"
    return build_image_text_pool([ScenesSource(n)], pool_path(name), name=name)


def tiny_tokenizer(pool: ImageTextPool) -> bytes:
    """Train the tokenizer of the pool's captions."""
    return train_caption_tokenizer(pool.captions(), 512)


def make_tiny_clip_track(home: Path, image: ImageTower = VIT) -> ImageTextPool:
    """Write the track `tiny-clip` into `home`, which must be `$ASSAY_HOME`."""
    pool = build_tiny_clip_pool()
    tokenizer = tiny_tokenizer(pool)
    tasks = {}
    for task in scene_tasks():
        if task.name in ("colour", "retrieval"):
            short = replace(task, items=task.items[:18])
            write_scene_task(short, home / "evalsets" / task.name)
            tasks[task.name] = (home / "evalsets" / task.name, {"group": task.group})
    suite = write_clip_suite(TRACK, 1, tasks, home / "staging-suite")
    suite_path(suite).parent.mkdir(parents=True, exist_ok=True)
    (home / "staging-suite").rename(suite_path(suite))
    folder = home / "tracks" / TRACK
    spec = replace(
        tiny_scale(),
        pool=PairPoolRef(pool.name, pool.root),
        recipe=tiny_clip_recipe(image, tokenizer),
        suite=SuiteRef(TRACK, None),
    )
    (folder / "scales").mkdir(parents=True)
    (folder / "suites").mkdir()
    own = package_folder("tracks") / "clip" / "track.yaml"
    (folder / "track.yaml").write_bytes(own.read_bytes())
    (folder / "tokenizer.json").write_bytes(tokenizer)
    (folder / "suites" / f"{TRACK}.yaml").write_text(dump_clip_suite_yaml(suite))
    (folder / "scales" / f"{SCALE}.yaml").write_text(yaml.safe_dump(plain(spec)))
    write_seals([load(TRACK, SCALE)])
    return pool
