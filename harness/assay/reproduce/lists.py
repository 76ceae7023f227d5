"""What a table says of a list beside its scores."""

from dataclasses import dataclass
from pathlib import Path

from assay.console import say
from assay.errors import StrategyError
from assay.pool import AnyPool
from assay.reproduce.clean import clean_share
from assay.signals.columns import TrainedModel
from assay.submission import read_manifest, read_submission, sidecar_path


@dataclass(frozen=True)
class ListFacts:
    """What is known of a list.

    Attributes:
        clean: Share of the tokens or pairs that it shows that are undamaged, in [0, 1]; None where no truth is known.
        fitted: Whether it rests on a model that was fitted in place, so that another kind of processor may choose
            slightly otherwise.
        networks: That it was chosen by, as far as their own accuracy is known.
    """

    clean: float | None = None
    fitted: bool = False
    networks: tuple[TrainedModel, ...] = ()


def list_facts(path: Path, pool: AnyPool) -> ListFacts:
    """Read a list that a baseline made, and its manifest."""
    made = read_manifest(sidecar_path(path)).strategy or {}
    models = (TrainedModel(w, **facts) for w, facts in made.get("models", {}).items())
    try:
        clean = clean_share(read_submission(path), pool)
    except StrategyError as error:
        say(f"  no clean share: {error}")
        clean = None
    tried = tuple(model for model in models if model.accuracy is not None)
    return ListFacts(clean, bool(made.get("fitted")), tried)
