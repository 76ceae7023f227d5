"""`assay compare`: submissions at one scale or several, or the recipes of a published table."""

import argparse
from pathlib import Path
from typing import TYPE_CHECKING, Any

from assay.cli import add_common
from assay.cli.output import emit

if TYPE_CHECKING:
    from assay.compare.published import PublishedComparison
    from assay.report.document import Report

EXAMPLES = r"""examples:
  assay compare quality_rules random --track text --scales nano
  assay compare mine.npy 1b7f04a9ccb7 random --track text --scales nano,micro --csv differences.csv
  assay compare mine.npy random --track text --scales nano,micro --out report.html   # and report/*.svg, .png, .csv
  assay compare --track text --scales pico,nano          # every submission at both
  assay compare --results DCLM_model_database.csv        # published runs: rank transfer between two scales
  assay compare --results DCLM_model_database.csv --small 400M-1x --large 7B-1x --predictor arc_easy
  assay compare --results runs.csv --law d-cpt           # columns params, tokens, ratio, loss
  assay compare --law d-cpt --scales pico,nano --domain 'host in ["arden-library.example"]' \
      --loss heldout_encyclopedia --csv runs.csv         # the same of this machine's runs, and their table
  assay compare --results runs.csv --law cmr             # columns ratio, tokens, general_rise[, domain_change]

differences, and their tests, are to the submission that is named first
--domain takes what select --where takes; a run's ratio is the share of its tokens that are the domain's
"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the options."""
    parser.epilog = EXAMPLES
    parser.add_argument(
        "submissions", nargs="*", help="names, first digits of digests, or files of ids"
    )
    parser.add_argument("--track", default="text", help="default: text")
    parser.add_argument(
        "--scales", default="nano", help="with commas, smallest first; default: nano"
    )
    parser.add_argument(
        "--metric", help="default: the one that ranks; with --results CORE or a column"
    )
    parser.add_argument(
        "--csv", type=Path, metavar="FILE", help="also write the tables' data there"
    )
    parser.add_argument(
        "--out", type=Path, metavar="HTML", help="also write a report, and its figures beside it"
    )
    published = parser.add_argument_group("published results")
    published.add_argument(
        "--results", type=Path, metavar="CSV", help="a row a run: dataset, params, tokens, metrics"
    )
    published.add_argument(
        "--small", help="predicting scale; default: the smallest, such as 400M-1x"
    )
    published.add_argument(
        "--large", help="predicted scale; default: that with most shared recipes, such as 7B-1x"
    )
    published.add_argument("--predictor", help="column at the small scale; default: --metric")
    published.add_argument(
        "--law", choices=("d-cpt", "cmr"), help="fit a data-mixture law to the runs instead"
    )
    published.add_argument(
        "--domain",
        metavar="EXPRESSION",
        help="d-cpt on this machine's runs: whose share is the ratio",
    )
    published.add_argument(
        "--loss", metavar="TASK", help="with --domain: its bits per byte are the loss"
    )
    add_common(parser)


def run(args: argparse.Namespace) -> int:
    """Compare and answer."""
    from assay.errors import CompareError

    _check_out(args)
    if args.domain or args.loss:
        return _own_law(args)
    if args.results is None:
        if args.law or args.small or args.large or args.predictor:
            raise CompareError(
                "--small, --large, --predictor and --law are about a table; add --results CSV, or of d-cpt "
                "--domain EXPRESSION --loss TASK for this machine's runs"
            )
        return _submissions(args)
    if args.submissions:
        raise CompareError(
            f"--results compares a table's recipes; leave out {args.submissions[0]!r}, or --results"
        )
    if args.law and args.csv:
        raise CompareError("--law has parameters and no table; leave out --csv, or take --json")
    if args.law and args.out:
        raise CompareError("--law has no figures; leave out --out, or take --json")
    return _law(args) if args.law else _results(args)


def _submissions(args: argparse.Namespace) -> int:
    from assay.compare.entries import gather
    from assay.compare.submissions import compare_submissions
    from assay.compare.tables import submissions_csv
    from assay.compare.text import submissions_text
    from assay.errors import CompareError
    from assay.spec import plain
    from assay.track.load import check_names

    scales = [scale for scale in args.scales.split(",") if scale]
    if not scales or len(set(scales)) < len(scales):
        raise CompareError(
            f"--scales {args.scales!r} has to name different scales; try --scales nano"
        )
    for scale in scales:
        check_names(args.track, scale)
    scores = gather(args.track, scales, args.submissions)
    comparison = compare_submissions(scores, args.metric)
    _write_csv(args, lambda: submissions_csv(comparison))
    if args.out is not None:
        from assay.report.document import submissions_report

        _write_report(args, submissions_report(comparison, scores))
    emit(args, plain(comparison), lambda: submissions_text(comparison))
    return 0


def _results(args: argparse.Namespace) -> int:
    from assay.compare.published import compare_results
    from assay.compare.tables import published_csv
    from assay.compare.text import published_text

    comparison = compare_results(
        args.results,
        small=args.small,
        large=args.large,
        metric=args.metric,
        predictor=args.predictor,
    )
    _write_csv(args, lambda: published_csv(comparison))
    if args.out is not None:
        from assay.report.document import published_report

        _write_report(args, published_report(comparison))
    emit(args, _document(comparison), lambda: published_text(comparison))
    return 0


def _document(comparison: "PublishedComparison") -> dict[str, Any]:
    """Put the statistics at the top level, where scripts look for them."""
    from assay.spec import plain

    document = plain(comparison)
    return document.pop("transfer") | document


def _law(args: argparse.Namespace) -> int:
    from assay.compare.mixture import fit_mixture
    from assay.compare.text import mixture_text
    from assay.spec import plain

    fit = fit_mixture(args.results, args.law)
    emit(args, plain(fit), lambda: mixture_text(fit))
    return 0


def _own_law(args: argparse.Namespace) -> int:
    """Fit to the ledger's runs, and write the table that was fitted where asked to."""
    from dataclasses import fields

    from assay.compare.mixture import fit_runs
    from assay.compare.runs import MixtureRun, mixture_runs
    from assay.compare.tables import csv_text
    from assay.compare.text import mixture_text
    from assay.errors import CompareError
    from assay.spec import plain

    if args.law != "d-cpt" or not (args.domain and args.loss):
        raise CompareError(
            "the ledger's runs take three options together: --law d-cpt --domain EXPRESSION --loss TASK (cmr "
            "follows checkpoints of continued training, which no ledger holds: --results CSV)"
        )
    if args.results or args.submissions or args.out:
        raise CompareError(
            "--domain reads every run of --scales; leave out names, --results and --out"
        )
    scales = [scale for scale in args.scales.split(",") if scale]
    runs = mixture_runs(args.track, scales, args.domain, args.loss)
    rows = [plain(run) for run in runs]
    _write_csv(args, lambda: csv_text([one.name for one in fields(MixtureRun)], rows))
    fit = fit_runs(runs, f"the ledger of {args.track} at {args.scales}")
    emit(args, plain(fit) | {"runs": rows}, lambda: mixture_text(fit))
    return 0


def _write_csv(args: argparse.Namespace, make: Any) -> None:
    if args.csv is not None:
        from assay.artifact import write_atomic

        write_atomic(args.csv, make().encode())


def _check_out(args: argparse.Namespace) -> None:
    """Find out that a report cannot be written before anything is computed."""
    if args.out is not None:
        from assay.report.files import check_path
        from assay.report.render import check_installed

        check_path(args.out)
        check_installed()


def _write_report(args: argparse.Namespace, report: "Report") -> None:
    from assay.console import say
    from assay.report.files import figures_folder, write_report

    files = write_report(report, args.out)
    say(f"{args.out}, and {len(files) - 1} files of its figures in {figures_folder(args.out)}")
