"""`assay score`: train on a submission, evaluate, write records."""

import argparse
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from assay.cli import add_common
from assay.cli.output import emit

if TYPE_CHECKING:
    from assay.submission import Manifest

TAKES_OVERRIDES = True

TEXT_COLUMNS = {"accuracy": "accuracy", "chance": "chance", "bits_per_byte": "bits/byte"}
CLIP_COLUMNS = {"main_metric": "main metric", "chance": "chance", "bits_per_answer": "bits/answer"}

EXAMPLES = """examples:
  assay score s.npy --track text --scale pico
  assay score s.npy --track text --scale nano --seeds 3 --name "my filter" --author "A. Person"
  assay score s.npy --track text --scale nano device=cpu threads=2 logging=wandb
  assay score s.npy --track text --scale micro --dry-run
  assay score pairs.npy --track clip --scale nano --linear-probe

trailing key=value words are Hydra overrides of conf/ (how to run here); none can reach a sealed value
"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the options."""
    parser.epilog = EXAMPLES
    parser.add_argument("submission", type=Path, help=".npy, .parquet, .csv or .txt list of ids")
    parser.add_argument("--track", default="text", help="default: text")
    parser.add_argument("--scale", default="nano", help="default: nano; see: assay tracks")
    parser.add_argument(
        "--seeds", type=int, default=1, help="number of runs; the harness derives the seeds"
    )
    parser.add_argument(
        "--unit",
        choices=("words128", "tokens512", "tokens1024"),
        help="what chunk ids count",
    )
    parser.add_argument("--name", help="name on the board")
    parser.add_argument("--author", action="append", help="may be given several times")
    parser.add_argument("--fresh", action="store_true", help="run again even where a record exists")
    parser.add_argument(
        "--linear-probe",
        action="store_true",
        help="CLIP: also fit linear classifiers on the checkpoint's image features (a diagnostic)",
    )
    parser.add_argument("--dry-run", action="store_true", help="validate, say what would run, stop")
    add_common(parser)


def run(args: argparse.Namespace) -> int:
    """Score and answer."""
    from assay.errors import SettingsError
    from assay.settings import compose

    if args.seeds < 1:
        raise SettingsError(f"--seeds {args.seeds}: at least one run is needed; try --seeds 3")
    settings = compose(args.overrides)
    if args.dry_run:
        return _dry_run(args)
    if args.linear_probe:
        from assay.runner.probing import check_probe

        check_probe(args.track, args.scale)
    from assay.ledger import record_path
    from assay.noise import read_marks
    from assay.runner.scoring import score_file, summarise
    from assay.track.load import load

    records = score_file(
        args.submission,
        track=args.track,
        scale=args.scale,
        seeds=args.seeds,
        settings=settings,
        manifest=declared(args),
        unit=args.unit,
        fresh=args.fresh,
    )
    document = {
        "submission": records[0]["submission"]["digest"],
        "track": args.track,
        "scale": args.scale,
        "records": [
            {
                "digest": record["digest"],
                "result_digest": record["result_digest"],
                "seed": record["seed"],
                "path": str(record_path(record)),
                "metrics": record["metrics"],
            }
            for record in records
        ],
        "summary": summarise(records),
        "noisy_tasks": marks.tasks if (marks := read_marks(load(args.track, args.scale))) else {},
    }
    if args.linear_probe:
        from assay.runner.probing import probe_record

        document["linear_probe"] = [probe_record(record, settings) for record in records]
    emit(args, document, lambda: _text(document))
    return 0


def declared(args: argparse.Namespace) -> "Manifest":
    """Return the manifest beside the file, with what the arguments declare; rule M1 holds for both."""
    from assay.submission import Manifest, manifest_bytes, read_manifest, sidecar_path

    sidecar = sidecar_path(args.submission)
    manifest = read_manifest(sidecar) if sidecar.is_file() else Manifest()
    given = {"name": args.name, "authors": tuple(args.author) if args.author else None}
    manifest = replace(manifest, **{key: value for key, value in given.items() if value})
    manifest_bytes(manifest)
    return manifest


def _dry_run(args: argparse.Namespace) -> int:
    """Validate, and say what scoring would cost; nothing is built or run."""
    from assay.cli.tracks import describe
    from assay.submission import validate_file
    from assay.track.load import load
    from assay.track.pools import open_pool

    loaded = load(args.track, args.scale)
    about = describe(loaded)
    validation = None
    if about["pool_built"]:
        report = validate_file(
            args.submission,
            open_pool(loaded),
            loaded.rules,
            loaded.recipe.budget,
            args.unit,
        )
        validation = report.plain()
    document = {
        "validation": validation,
        "runs": args.seeds,
        "expected_seconds": about["expected_seconds"] and args.seeds * about["expected_seconds"],
        "expected_cost_usd": about["expected_cost_usd"] and args.seeds * about["expected_cost_usd"],
        "scale": about,
    }
    emit(args, document, lambda: _dry_text(document))
    return 0 if validation is None or validation["ok"] else 2


def _dry_text(document: dict[str, Any]) -> str:
    from assay.cli.tracks import duration

    seconds, cost = document["expected_seconds"], document["expected_cost_usd"]
    time = "an unknown time" if seconds is None else f"about {duration(seconds)}"
    money = "" if cost is None else f", ${cost:,.2f}"
    validation = document["validation"]
    if validation is None:
        verdict = f"was not checked: pool {document['scale']['pool']} is not built yet"
    else:
        verdict = "is valid" if validation["ok"] else "is NOT valid (see: assay validate)"
    return f"submission {verdict}; {plural(document['runs'], 'run')} would take {time}{money}; nothing was run"


def plural(number: int, noun: str) -> str:
    """Return `1 run` or `3 runs`."""
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"


def _text(document: dict[str, Any]) -> str:
    """Lay out the tasks of all seeds and the summary."""
    metrics = [record["metrics"] for record in document["records"]]
    lines = [
        f"{document['track']}/{document['scale']}  submission {document['submission'][7:19]}",
        "",
    ]
    columns = TEXT_COLUMNS if "bits_per_byte" in document["summary"] else CLIP_COLUMNS
    lines.append(f"{'task':<28}" + "".join(f"{heading:>13}" for heading in columns.values()))
    for task in metrics[0]["tasks"]:
        cells = [_mean([m["tasks"][task][key] for m in metrics]) for key in columns]
        lines.append(f"{task:<28}" + "".join(f"{cell:>13}" for cell in cells))
    lines.append("")
    for metric, found in document["summary"].items():
        if metric == "seeds":
            continue
        noise = "" if found["half_width"] is None else f" ± {found['half_width']:.4f}"
        lines.append(f"{metric:<28}{found['mean']:.4f}{noise}   ({plural(len(metrics), 'seed')})")
        if noisy := document["noisy_tasks"].get(metric):
            lines.append(f"{'':<28}noise alone at this scale: {', '.join(noisy)}")
    lines += _probe_lines(document.get("linear_probe", []))
    lines += ["", *(f"record {record['path']}" for record in document["records"])]
    return "\n".join(lines)


def _probe_lines(probes: list[dict[str, Any]]) -> list[str]:
    if not probes:
        return []
    lines = ["", f"{'linear probe':<28}{'accuracy':>13}{'class recall':>13}"]
    for task in probes[0]:
        cells = [
            _mean([probe[task][key] for probe in probes])
            for key in ("lp_acc1", "lp_mean_per_class_recall")
        ]
        lines.append(f"{task:<28}" + "".join(f"{cell:>13}" for cell in cells))
    return lines


def _mean(values: list[float | None]) -> str:
    known = [value for value in values if value is not None]
    return f"{sum(known) / len(known):.4f}" if known else "-"
