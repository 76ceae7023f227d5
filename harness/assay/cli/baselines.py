"""`assay baselines`: what each baseline claims, costs and needs."""

import argparse
import textwrap
from typing import TYPE_CHECKING

from assay.cli import add_common
from assay.cli.output import emit

if TYPE_CHECKING:
    from assay.strategy.cards import Card

EXAMPLES = """examples:
  assay baselines
  assay baselines --track clip
  assay baselines --track text --json

run one with: assay select NAME --track T --scale S --out s.npy
"""
MODALITIES = ("text", "clip")
WIDTH = 110


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add what `assay baselines` takes."""
    parser.add_argument(
        "--track", help="only those for this track, such as clip, or one of your own"
    )
    add_common(parser)
    parser.epilog = EXAMPLES


def run(args: argparse.Namespace) -> int:
    """List."""
    from assay.spec import plain
    from assay.strategy.cards import cards

    modalities = (_modality(args.track),) if args.track else MODALITIES
    found = [card for modality in modalities for card in cards(modality)]
    emit(args, {"baselines": plain(found)}, lambda: render(found))
    return 0


def _modality(track: str) -> str:
    if track in MODALITIES:
        return track
    from assay.track.load import check_names, list_scales, load

    check_names(track, None)
    return load(*next(pair for pair in list_scales() if pair[0] == track)).modality


def render(found: "list[Card]") -> str:
    """Return the baselines for people."""
    from assay.strategy.cards import NO_CLAIM

    blocks = []
    for card in found:
        lines = [
            f"{card.modality} / {card.name}: {card.summary.partition(': ')[2] or card.summary}"
        ]
        fields = {
            "claim": card.claim,
            "ranks": f"{card.ranks.side} {card.ranks.comparator}" if card.ranks else NO_CLAIM,
            "source": card.source,
            "form": card.form,
            "cost": card.cost,
            "needs": card.needs,
        }
        for name, text in fields.items():
            lead = f"  {name:<7}"
            lines += textwrap.wrap(
                text, WIDTH, initial_indent=lead, subsequent_indent=" " * len(lead),
                break_long_words=False, break_on_hyphens=False,
            )  # fmt: skip
        blocks.append("\n".join(lines))
    return "\n\n".join(blocks)
