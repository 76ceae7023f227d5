"""Progress and messages for people, always on stderr: stdout belongs to results."""

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from tqdm import tqdm


def say(message: str) -> None:
    """Print one line to stderr without breaking a progress bar that is on screen."""
    tqdm.write(message, file=sys.stderr)


@contextmanager
def progress(
    description: str, total: int | None, unit: str, initial: int = 0, enabled: bool = True
) -> Iterator["tqdm[Any]"]:
    """Show a bar with rate and ETA on stderr; a line every ten seconds where that is no terminal.

    Args:
        description: What is going on, two or three words.
        total: Units of work, or None where nobody knows.
        unit: `tok`, `docs`, `B`, ...; counts are scaled (k, M, G).
        initial: Units done by an earlier, interrupted attempt.
        enabled: False shows nothing.
    """
    interactive = sys.stderr.isatty()
    with tqdm(
        desc=description,
        total=total,
        initial=initial,
        unit=f" {unit}",
        unit_scale=True,
        file=sys.stderr,
        mininterval=0.2 if interactive else 10.0,
        delay=0.0 if interactive else 10.0,
        dynamic_ncols=interactive,
        disable=not enabled,
    ) as bar:
        yield bar
