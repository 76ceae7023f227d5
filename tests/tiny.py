"""A private track that trains in a second: a few hundred documents, a model of some thousand weights."""

from dataclasses import replace
from pathlib import Path

import yaml

from assay.foundry.source import FoundrySource
from assay.home import package_folder
from assay.pool import Pool, build_pool, pool_path
from assay.spec import plain
from assay.suite.continuation import heldout_tasks
from assay.suite.files import dump_suite_yaml, write_suite
from assay.track.load import load, load_scale_file, suite_path, write_seals
from assay.track.spec import PoolRef, Recipe, SuiteRef

TRACK, SCALE = "tiny", "pico"
STEPS = 24


def tiny_recipe(**changes) -> Recipe:
    """Return the pico recipe, shrunk."""
    recipe = load_scale_file(
        package_folder("tracks") / "text" / "scales" / "pico.yaml", "text"
    ).recipe
    model = replace(
        recipe.model,
        hidden_size=32,
        intermediate_size=64,
        num_layers=1,
        vocab_size=512,
        context_length=64,
    )
    schedule = replace(recipe.schedule, warmup_steps=4)
    tokens = {"tokens_seen": STEPS * 512, "global_batch_tokens": 512}
    return replace(recipe, model=model, schedule=schedule, **(tokens | changes))


def build_tiny_pool() -> Pool:
    """Build a pool of 300 generated documents under `$ASSAY_HOME`."""
    return build_pool(
        [FoundrySource(300)], pool_path("tiny-pool"), name="tiny-pool", vocab_size=512
    )


def make_tiny_track(home: Path, recipe: Recipe | None = None) -> Pool:
    """Write the track `tiny` into `home`, which must be `$ASSAY_HOME`."""
    pool = build_tiny_pool()
    from assay.foundry import documents

    held = [d.text for d in documents(5000, 5060) if not d.truth.defects]
    staging = home / "staging"
    suite = write_suite(TRACK, 1, heldout_tasks({"clean": held}, seed=0, count=12), staging)
    suite_path(suite).parent.mkdir(parents=True, exist_ok=True)
    staging.rename(suite_path(suite))
    folder = home / "tracks" / TRACK
    scale = load_scale_file(package_folder("tracks") / "text" / "scales" / "pico.yaml", "text")
    spec = replace(
        scale,
        pool=PoolRef(name=pool.name, root=pool.root),
        recipe=recipe or tiny_recipe(),
        suite=SuiteRef(TRACK, None),
    )
    (folder / "scales").mkdir(parents=True)
    (folder / "suites").mkdir()
    (folder / "track.yaml").write_bytes(
        (package_folder("tracks") / "text" / "track.yaml").read_bytes()
    )
    (folder / "suites" / f"{TRACK}.yaml").write_text(dump_suite_yaml(suite))
    (folder / "scales" / f"{SCALE}.yaml").write_text(yaml.safe_dump(plain(spec)))
    write_seals([load(TRACK, SCALE)])
    return pool
