"""`assay select`: run a strategy and write a submission."""

import argparse
from pathlib import Path
from typing import TYPE_CHECKING, Any

from assay.cli import add_common
from assay.cli.output import emit
from assay.cli.validate import seen

if TYPE_CHECKING:
    from assay.strategy import Strategy
    from assay.submission import Manifest, Report


EXAMPLES = """examples:
  assay select random --track text --scale nano --out s.npy --set fraction=0.3
  assay select quality_rules --track text --scale nano --out s.parquet
  assay select clip_score --track clip --scale nano --out pairs.npy
  assay select path/to/mine.py --track text --scale pico --out s.npy --set max_tokens=300
  assay select --where 'gopher_quality_ok & top(c4_kept_words, 0.3)' --track text --scale nano --out s.npy
  assay select --where 'sample(clip_score, 0.2, temperature=0.1) & ~ids("leaks.npy")' --track clip ...

--where keeps what an expression says. Names are columns (of the pool, or: assay signals list); compare them
(== != < <= > >= in), calculate (+ - * /), join conditions (& | ~, and - for the difference of sets). Functions:
  top(column, fraction, per=group, within=condition)       bottom(...)
  sample(column, fraction, temperature=1.0, per=group, within=condition)
  cap(group, n, by=column, within=condition)               at most n of each group
  quota(group, {"name": n, ...}, by=column, within=condition)
  ids("other.npy")
A fraction is of what `within` leaves (default: all); `per` takes it of each group.

assay baselines lists the baselines; baselines/README.md shows how to write your own
"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add what `assay select` takes."""
    parser.add_argument(
        "strategy", nargs="?", help="a baseline's name, or the path of your own file (.py)"
    )
    parser.add_argument("--where", metavar="EXPRESSION", help="instead of a strategy: see below")
    parser.add_argument("--track", required=True, help="such as text")
    parser.add_argument("--scale", required=True, help="such as nano; see: assay tracks")
    parser.add_argument(
        "--out",
        required=True,
        type=Path,
        help="the list; its suffix says the format: .npy, .parquet, ...",
    )
    parser.add_argument(
        "--set", nargs="+", action="extend", default=[], metavar="KEY=VALUE", dest="settings",
        help="change parameters of the strategy",
    )  # fmt: skip
    parser.add_argument("--seed", type=_seed, default=0, help="of every random choice (default 0)")
    declared = parser.add_argument_group("manifest", "what the file beside the list declares")
    declared.add_argument("--name", help="of the entry (default: the strategy's name)")
    declared.add_argument("--author", action="append", default=[], help="give one for each")
    declared.add_argument("--method", default="", help="default: the strategy's first line")
    declared.add_argument("--code", default="", help="URL of the code")
    declared.add_argument("--licence", default="", help="of the list")
    declared.add_argument(
        "--external-data", action="append", default=[], help="used besides the pool"
    )
    declared.add_argument("--external-model", action="append", default=[], help="with its source")
    declared.add_argument(
        "--used-evaluation-data", action=argparse.BooleanOptionalAction, default=None,
        help="whether any evaluation item was looked at",
    )  # fmt: skip
    add_common(parser)
    parser.epilog = EXAMPLES


def _strategy(args: argparse.Namespace, modality: str) -> "Strategy":
    """Return the strategy that was named, or the expression as one."""
    from assay.errors import StrategyError
    from assay.strategy import load_strategy
    from assay.strategy.where import where_strategy

    if (args.strategy is None) == (args.where is None):
        raise StrategyError(
            "what to select? give a strategy, or --where EXPRESSION, and not both; see: assay baselines"
        )
    return load_strategy(args.strategy, modality) if args.strategy else where_strategy(args.where)


def _seed(text: str) -> int:
    seed = int(text)
    if seed < 0:
        raise ValueError("a seed is not negative")
    return seed


def run(args: argparse.Namespace) -> int:
    """Select, check what came out, and write it with its manifest."""
    from assay.strategy import make_list, parse_settings
    from assay.submission.read import format_of
    from assay.track.load import load
    from assay.track.pools import open_pool

    format_of(args.out)
    loaded = load(args.track, args.scale)
    strategy = _strategy(args, loaded.modality)
    settings = parse_settings(strategy, args.settings)
    declared = _declared(args, strategy)
    pool = open_pool(loaded)
    report, made = make_list(
        strategy, pool, loaded, args.out, seed=args.seed, settings=settings, declared=declared
    )
    document = {"path": str(args.out), **report.plain(), **made}
    emit(args, document, lambda: render(report, document, loaded.label))
    return 0


def _declared(args: argparse.Namespace, strategy: "Strategy") -> "Manifest":
    """Return what the arguments declare, checked before the strategy runs."""
    from assay.submission import Manifest, manifest_bytes

    declared = Manifest(
        name=args.name or strategy.name,
        authors=tuple(args.author),
        method=args.method or strategy.summary,
        code=args.code,
        licence=args.licence,
        external_data=tuple(args.external_data),
        external_models=tuple(args.external_model),
        used_evaluation_data=args.used_evaluation_data,
    )
    manifest_bytes(declared)
    return declared


def render(report: "Report", document: dict[str, Any], label: str) -> str:
    """Return the outcome for people."""
    made = document["strategy"]
    parameters = ", ".join(f"{key}={value}" for key, value in made["parameters"].items()) or "none"
    lines = [
        f"{document['path']}: {document['unique']:,} examples, {report.shown:,} {report.counts}, "
        f"{seen(report.repeats)} at {label}",
        f"  strategy {made['name']} (parameters: {parameters}; seed {made['seed']}), "
        f"{made['seconds']:.1f} s",
        f"  {document['digest']}",
    ]
    lines += [f"  {f.severity} {f.rule}: {f.message}" for f in report.findings]
    return "\n".join(lines)
