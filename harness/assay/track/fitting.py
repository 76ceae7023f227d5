"""Which scales of a track a pool can fill."""

from collections.abc import Mapping
from typing import TypeVar

from assay.console import say
from assay.track.clip_spec import ClipScale
from assay.track.load import list_scales, load
from assay.track.spec import Scale

S = TypeVar("S", Scale, ClipScale)


def specs_of(like: str) -> dict[str, Scale | ClipScale]:
    """Return the scales of a track.

    Raises:
        TrackError: If there is no such track.
    """
    scales = {scale: load(like, scale).spec for track, scale in list_scales() if track == like}
    if not scales:
        load(like, "")  # says that there is no such track, and which there are
    return scales


def filled_scales(like: str, scales: Mapping[str, S], pool: str, size: int) -> dict[str, S]:
    """Return the scales whose budget a pool can fill, or else the smallest, and say that it cannot.

    Args:
        like: The track that they are of.
        scales: By name.
        pool: Name.
        size: What it has, in the unit of the budget.
    """
    cap = load(like, next(iter(scales))).rules.max_repeats
    filled = {s: spec for s, spec in scales.items() if spec.recipe.budget.amount <= cap * size}
    if filled:
        return filled
    scale, spec = min(scales.items(), key=lambda pair: pair[1].recipe.budget.amount)
    budget = spec.recipe.budget
    say(
        f"note: {pool} has {size:,} {budget.unit}, too few for any scale: {scale} sees {budget.amount:,}, and a list "
        f"that repeats more than {cap} times is refused (S4); build a larger pool"
    )
    return {scale: spec}
