"""DCLM's CORE: the mean over 22 tasks of centered accuracy, in every version of its chance levels.

Kept to read published tables. Assay's own suites take chance from their items.
"""

import math
from collections.abc import Mapping

from assay.stats.noise import mean

CORE_V2 = {
    "hellaswag_zeroshot": 25.0,
    "jeopardy": 0.0,
    "bigbench_qa_wikidata": 0.0,
    "arc_easy": 25.0,
    "arc_challenge": 25.0,
    "copa": 50.0,
    "commonsense_qa": 40.3,
    "piqa": 50.0,
    "openbook_qa": 25.0,
    "lambada_openai": 0.0,
    "hellaswag": 25.0,
    "winograd": 50.0,
    "winogrande": 50.0,
    "bigbench_dyck_languages": 0.0,
    "agi_eval_lsat_ar": 25.0,
    "bigbench_cs_algorithms": 0.0,
    "bigbench_operators": 0.0,
    "bigbench_repeat_copy_logic": 0.0,
    "squad": 0.0,
    "coqa": 0.0,
    "boolq": 62.0,
    "bigbench_language_identification": 25.0,
}
"""Percent right by guessing, as DCLM corrected them in 2025."""

CORE_BASELINES: dict[str, dict[str, float]] = {
    "core_v2": CORE_V2,
    "core_v1": CORE_V2
    | {
        "commonsense_qa": 20.0,
        "agi_eval_lsat_ar": 20.0,
        "bigbench_language_identification": 9.1,
    },
    "core_v0": CORE_V2 | {"commonsense_qa": 25.0, "boolq": 50.0},
}
"""Version to its chance levels.

v1 is that of DCLM's paper. v0 is in no file: it was solved from the rows of DCLM's model database whose Core
v1 does not give (the unpublished ones). Linear regression leaves a residual of 1e-10 and slopes of exactly 1
/ (1 - chance).
"""


def core(accuracies: Mapping[str, float], version: str = "core_v2") -> float | None:
    """Return CORE from task accuracies, or None where a task is missing: never a smaller average.

    Args:
        accuracies: Task to fraction correct; other tasks are ignored.
        version: A key of `CORE_BASELINES`.
    """
    centered = []
    for task, percent in CORE_BASELINES[version].items():
        accuracy = accuracies.get(task, math.nan)
        if not math.isfinite(accuracy):
            return None
        centered.append((accuracy - percent / 100) / (1 - percent / 100))
    return mean(centered)
