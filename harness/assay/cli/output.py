"""One way to answer: a JSON document for machines, text for people."""

import argparse
import json
import sys
from collections.abc import Callable
from typing import Any


def emit(args: argparse.Namespace, document: Any, human: Callable[[], str]) -> None:
    """Print `document` as JSON with `--json`, else what `human` returns, on stdout."""
    if args.json:
        text = json.dumps(document, indent=2, ensure_ascii=False, allow_nan=False)
    else:
        text = human()
    sys.stdout.write(text if text.endswith("\n") else text + "\n")
    sys.stdout.flush()
