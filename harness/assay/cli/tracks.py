"""`assay tracks`: every track and scale that this machine knows."""

import argparse
from statistics import median
from typing import TYPE_CHECKING, Any

from assay.cli import add_common
from assay.cli.output import emit

if TYPE_CHECKING:
    from assay.track.clip_spec import ClipModel
    from assay.track.load import LoadedScale
    from assay.track.spec import Model

EXAMPLES = """examples:
  assay tracks
  assay tracks --json

expected times come from this machine's own records where it has some, else from conf/costs.yaml
"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the options."""
    parser.epilog = EXAMPLES
    add_common(parser)


def run(args: argparse.Namespace) -> int:
    """List them."""
    from assay.track.load import list_scales, load

    document = {"tracks": [describe(load(*pair)) for pair in list_scales()]}
    emit(args, document, lambda: _text(document["tracks"]))
    return 0


def describe(loaded: "LoadedScale") -> dict[str, Any]:
    """Return one scale's facts, with the expected time and cost of one seed here."""
    from assay.home import package_folder
    from assay.ledger import read_ledger
    from assay.pool import pool_path
    from assay.spec import load_yaml, parse
    from assay.track.costs import Costs

    model, budget = loaded.recipe.model, loaded.recipe.budget
    pool = loaded.spec.pool
    path = package_folder("conf") / "costs.yaml"
    costs = parse(Costs, load_yaml(path), str(path))
    records = [
        r for r in read_ledger(loaded.track, loaded.scale) if r["track"]["seal"] == loaded.seal
    ]
    expected = costs.expect(loaded.modality, loaded.scale)
    if records:
        clocks = [record["clock"] for record in records]
        seconds = median(clock["train_seconds"] + clock["evaluate_seconds"] for clock in clocks)
        device = records[-1]["device"]
        expected = expected.measured(seconds, device["processes"] * (device["type"] == "cuda"))
    return {
        "track": loaded.track,
        "scale": loaded.scale,
        "version": loaded.spec.version,
        "modality": loaded.modality,
        "pool": pool.name,
        "pool_built": (pool_path(pool.name) / "pool.json").is_file(),
        "architecture": architecture(model),
        "parameters": model.num_parameters,
        f"{budget.unit}_seen": budget.amount,
        "budget": f"{_count(budget.amount)} {budget.unit}",
        "suite": loaded.suite.name,
        "expected_seconds": expected.seconds,
        "expected_cost_usd": expected.usd,
        "expected_gpus": expected.gpus,
        "expected_on": expected.machine,
        "seal": loaded.seal,
        "sealed": loaded.sealed,
    }


def architecture(model: "Model | ClipModel") -> str:
    """Name a network."""
    from assay.track.clip_spec import ClipModel

    if not isinstance(model, ClipModel):
        return model.architecture
    image = model.image
    if image.kind == "timm":
        return f"clip {image.timm_model_name}"
    return f"clip vit-{image.width}x{image.layers}/{image.patch_size}"


def _text(tracks: list[dict[str, Any]]) -> str:
    heading = f"{'track/scale':<18}{'pool':<28}{'parameters':>11}{'budget':>15}  {'one seed':<30}{'seal':<14}"
    lines = [heading]
    for about in tracks:
        built = "" if about["pool_built"] else " *"
        seal = about["seal"][7:19] if about["sealed"] else "UNSEALED"
        lines.append(
            f"{about['track'] + '/' + about['scale']:<18}{about['pool'] + built:<28}"
            f"{_count(about['parameters']):>11}{about['budget']:>15}  {_expected(about):<30}{seal:<14}"
        )
    return "\n".join(
        [*lines, "", "* not on this machine yet; embedded pools (foundry-*) are built at first use"]
    )


def _expected(about: dict[str, Any]) -> str:
    if about["expected_seconds"] is None:
        return "unknown"
    money = f", ${about['expected_cost_usd']:,.0f}" if about["expected_cost_usd"] else ""
    return f"{duration(about['expected_seconds'])} {about['expected_on']}{money}"


def duration(seconds: float) -> str:
    """Return a time in the unit that people would use."""
    if seconds < 120:
        return f"{seconds:.0f} s"
    return f"{seconds / 60:.0f} min" if seconds < 7200 else f"{seconds / 3600:,.0f} h"


def _count(number: int) -> str:
    for size, unit in ((1e9, "B"), (1e6, "M"), (1e3, "k")):
        if number >= size:
            return f"{number / size:.3g}{unit}"
    return str(number)
