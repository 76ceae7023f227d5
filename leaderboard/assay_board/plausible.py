"""Whether what nothing is computed from could stand in the record of a run: pages and index take it as it is."""

from typing import TYPE_CHECKING, Any

from assay.score.clip import ClipMetrics
from assay.score.text import Metrics
from assay.spec import parse
from assay.track.load import LoadedScale

if TYPE_CHECKING:
    from assay.verify.case import Case

MAX_SCORE = 1e6
"""Of any number among the metrics."""
MAX_NUMBER = 1e40
"""Of FLOPs, bytes and seconds."""
_SUBMISSION = {
    "digest", "form", "unit", "n", "unique", "tokens", "samples", "repeats", "pool_n", "manifest",
}  # fmt: skip
_DIGESTS = {
    "run", "pool", "selection", "recipe", "suite", "trace", "checkpoint", "outputs",
}  # fmt: skip


def check_plausible(case: "Case") -> None:
    """Check that a record has no section's field too many, and numbers where numbers belong.

    Raises:
        ValueError: If it does not.
        TrackError: If the metrics are not those of the modality.
    """
    record, loaded = case.record, case.loaded
    budget = loaded.recipe.budget
    inputs = "suite_data" if loaded.modality == "clip" else "tokenizer"
    # A field that boards group by would make a board of its own.
    _check_fields("submission", record, _SUBMISSION - ({"tokens", "samples"} - {budget.unit}))
    _check_fields("digests", record, _DIGESTS | {inputs})
    training = {f"{budget.unit}_seen", "steps", "parameters", "flops", "final_loss", "undecodable"}
    _check_fields("training", record, training)
    clock = {"train_seconds", "evaluate_seconds", "peak_memory_bytes"}
    _check_fields("clock", record, clock | {"started", "finished"})
    _check_numbers("training", record["training"], training)
    _check_numbers("clock", record["clock"], clock)
    _check_metrics(record["metrics"], loaded)


def _check_fields(section: str, record: dict[str, Any], known: set[str]) -> None:
    if unknown := sorted(set(record[section]) - known):
        raise ValueError(
            f"{section} has a field {unknown[0][:60]!r}, which no run of this scale has"
        )


def _check_numbers(section: str, values: dict[str, Any], names: set[str]) -> None:
    for name in names & values.keys():
        if type(values[name]) not in (int, float) or not 0 <= values[name] <= MAX_NUMBER:
            raise ValueError(
                f"{section}.{name} is {values[name]!r:.60}, not a number that it can be"
            )


def _check_metrics(metrics: Any, loaded: LoadedScale) -> None:
    parse(ClipMetrics if loaded.modality == "clip" else Metrics, metrics, "metrics")
    tasks = {task.name for task in loaded.suite.tasks}
    if tasks != set(metrics["tasks"]):
        raise ValueError(
            f"metrics has other tasks than the {len(tasks)} of suite {loaded.suite.name!r}"
        )
    _check_scores(metrics)


def _check_scores(value: Any) -> None:
    if isinstance(value, dict):
        for item in value.values():
            _check_scores(item)
    elif isinstance(value, int | float) and abs(value) > MAX_SCORE:
        raise ValueError(f"metrics has {value!r:.60}, which no run has")
