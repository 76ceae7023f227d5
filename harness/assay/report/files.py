"""Write a report and, beside it, every figure as SVG, PNG and CSV."""

from pathlib import Path

from assay.artifact import write_atomic
from assay.errors import CompareError
from assay.report.document import Report
from assay.report.page import page
from assay.report.render import png, svg

SUFFIX = ".html"


def figures_folder(path: Path) -> Path:
    """Return where the figures of a report at `path` go: `report/` for `report.html`."""
    return path.with_suffix("")


def check_path(path: Path) -> None:
    """Refuse a place that a report cannot be written to, before anything is computed.

    Raises:
        CompareError: If the name does not end in `.html`, or a file lies where the figures go.
    """
    if path.suffix != SUFFIX:
        raise CompareError(
            f"--out {path} has to end in {SUFFIX}; try --out {path.with_suffix(SUFFIX)}"
        )
    if figures_folder(path).is_file():
        raise CompareError(
            f"{figures_folder(path)} is a file, and figures of the report go into a folder of that name; "
            "choose another --out"
        )


def write_report(report: Report, path: Path) -> list[Path]:
    """Write the page, then each figure beside it; return every path, the page first.

    Args:
        report: To be written.
        path: Of the page; its figures go into a folder beside it, named as the page without `.html`.
    """
    files = {path: page(report).encode("utf-8")}
    folder = figures_folder(path)
    for figure in report.figures:
        files[folder / f"{figure.key}.csv"] = figure.csv.encode("utf-8")
        if figure.spec is not None:
            files[folder / f"{figure.key}.svg"] = svg(figure).encode("utf-8")
            files[folder / f"{figure.key}.png"] = png(figure)
    for file, data in files.items():
        write_atomic(file, data)
    return list(files)
