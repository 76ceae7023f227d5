"""RefinedWeb's rules for lines beside DCLM's own code, on real documents: which documents each of the two keeps.

DCLM's modifiers run as they are, in a clone of it, in the order of its `dclm_baseline_refinedweb.yaml`. It counts a
document's words as Unicode cuts them, ours as white space does; `same_by_our_words` counts them our way on both sides.

It takes `pip install justext lxml_html_clean retrie uniseg unidecode beautifulsoup4`, which DCLM's code needs.

    git clone https://github.com/mlfoundations/dclm
    python benchmarks/refinedweb_lines.py dclm pool/ --documents 2000
"""

import argparse
import importlib
import json
import sys
from collections.abc import Callable
from functools import partial
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
from redpajama_signals import our_columns, read

from assay.signals.text.refinedweb import MAX_REMOVED_WORDS, REFINEDWEB

Step = Callable[[dict[str, str]], Any]


def their_code(clone: Path) -> tuple[list[Step], Callable[[str], int]]:
    """Import the steps, and what counts words, without the rest of the packages that they are in."""
    folders = {"baselines": "baselines", "baselines.mappers": "baselines/mappers"}
    for name, folder in {**folders, "core": "baselines/core"}.items():
        package = ModuleType(name)
        package.__path__ = [str(clone / folder)]
        sys.modules[name] = package
    lines = importlib.import_module("baselines.mappers.modifiers")
    words = importlib.import_module("baselines.mappers.core_utils")
    calls = partial(lines.substring_line_modifier, max_length=10, remove_substring_only=True)
    steps = [
        partial(lines.uppercase_ratio_line_modifier, max_ratio=0.5),
        partial(lines.numeric_ratio_line_modifier, max_ratio=0.999999),
        lines.counter_line_modifier(),
        partial(lines.line_length_modifier, min_length=2),
        calls(banlist="items in cart"),
        calls(banlist="Read more...", location="suffix"),
        calls(banlist="Sign-in", location="prefix"),
    ]
    return steps, lambda text: len(words.split_words(text, ignore_punctuation=True))


def removed(text: str, steps: list[Step], count: Callable[[str], int]) -> float:
    """Return the share of words that the steps remove; a step that leaves nothing returns no page."""
    page = {"text": text}
    gone = any(step(page) == [] for step in steps)
    before = count(text)
    return 1.0 if gone or not before else (before - count(page["text"])) / before


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("dclm", type=Path, help="a clone of mlfoundations/dclm")
    parser.add_argument("pool", type=Path, help="folder of *.jsonl.zst")
    parser.add_argument("--documents", type=int, default=2000)
    args = parser.parse_args()
    texts = read(args.pool, args.documents)
    ours = our_columns(REFINEDWEB, texts)["refinedweb_lines_ok"].tolist()
    steps, count = their_code(args.dclm)
    by_their_words = [removed(text, steps, count) <= MAX_REMOVED_WORDS for text in texts]
    by_our_words = [
        removed(text, steps, lambda t: len(t.split())) <= MAX_REMOVED_WORDS for text in texts
    ]
    answer = {
        "documents": len(texts),
        "kept": sum(ours),
        "kept_by_theirs": sum(by_their_words),
        "same": int(np.sum(np.array(ours) == by_their_words)),
        "same_by_our_words": int(np.sum(np.array(ours) == by_our_words)),
    }
    print(json.dumps(answer, indent=2))


if __name__ == "__main__":
    main()
