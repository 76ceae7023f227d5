"""Progress and messages for people, always on stderr: stdout belongs to results."""

import json
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from tqdm import tqdm

PROGRESS_FILE = "ASSAY_PROGRESS"
"""Environment variable with the path of a file: bars are written to it as JSON, and not to stderr."""


def say(message: str) -> None:
    """Print one line to stderr without breaking a progress bar that is on screen."""
    tqdm.write(message, file=sys.stderr)


def one_line(text: str, longest: int = 1000) -> str:
    """Return a foreign text without line ends and without what a terminal would obey."""
    flat = " ".join(text.split())
    return "".join(letter if letter.isprintable() else "?" for letter in flat)[:longest]


@contextmanager
def progress(
    description: str, total: int | None, unit: str, initial: int = 0, enabled: bool = True
) -> Iterator["tqdm[Any]"]:
    """Show a bar with rate and ETA on stderr; a line every ten seconds where that is no terminal.

    Where `PROGRESS_FILE` is set, another program watches: see `_Watched`.

    Args:
        description: What is going on, two or three words.
        total: Units of work, or None where nobody knows.
        unit: `tok`, `docs`, `B`, ...; counts are scaled (k, M, G).
        initial: Units done by an earlier, interrupted attempt.
        enabled: False shows nothing.
    """
    watched = bool(os.environ.get(PROGRESS_FILE))
    interactive = sys.stderr.isatty()
    with (_Watched if watched else tqdm)(
        desc=description,
        total=total,
        initial=initial,
        unit=f" {unit}",
        unit_scale=True,
        file=sys.stderr,
        mininterval=0.2 if interactive else 1.0 if watched else 10.0,
        delay=0.0 if interactive or watched else 10.0,
        leave=not watched,
        dynamic_ncols=interactive,
        disable=not enabled,
    ) as bar:
        yield bar


class _Watched(tqdm):
    """A bar that is a file: `{doing, unit, done, total, rate}`, of the bar that moved last."""

    def display(self, msg: str | None = None, pos: int | None = None) -> None:
        """Write the file at once and whole; a watcher may read at any moment."""
        path = Path(os.environ[PROGRESS_FILE])
        facts = self.format_dict
        elapsed = facts["elapsed"] or 1e-9
        document = {
            "doing": self.desc.removesuffix(": "),
            "unit": self.unit.strip(),
            "done": self.n,
            "total": self.total,
            "rate": facts["rate"] or (self.n - self.initial) / elapsed,
        }
        temporary = path.with_name(f".{path.name}.{os.getpid()}.tmp")
        temporary.write_text(json.dumps(document), encoding="utf-8")
        temporary.replace(path)
