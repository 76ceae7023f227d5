"""Small sums in words: the same problems for documents and for the suite, with disjoint casts."""

from dataclasses import dataclass

from assay.foundry.draw import Draw
from assay.foundry.phrases import capital
from assay.foundry.world import world

COUNTED = (
    *(f"{thing}s" for thing in ("apple", "pear", "plum", "egg", "coin", "book", "stone", "candle")),
    *(f"{thing}s" for thing in ("button", "nail", "ticket", "flower")),
)
"""What is counted."""

TERMS = (2, 6)
"""The smaller numbers of a problem lie in this range, so the largest is at most twice its end."""

_HELD_OUT = 5


@dataclass(frozen=True, slots=True)
class Sum:
    """A worded problem.

    Attributes:
        setup: Everything up to the result, without the space before it.
        result: The number that is right.
        unit: What is counted; follows the result.
    """

    setup: str
    result: int
    unit: str


def problem(draw: Draw, held_out: bool) -> Sum:
    """Return one problem whose (person, thing) is, or is not, one of the suite's."""
    people = world().entities["person"]
    while True:
        who, what = draw.below(len(people)), draw.below(len(COUNTED))
        if ((who + what) % _HELD_OUT == 0) == held_out:
            break
    other = people[(who + draw.between(1, len(people) - 1)) % len(people)]
    person, unit = people[who], COUNTED[what]
    first, second = draw.between(*TERMS), draw.between(*TERMS)
    she = person.they
    kind = draw.below(4)
    if kind == 0:
        gave = f"{other.name} gives {person.them} {second} more."
        return Sum(f"{person.name} has {first} {unit}. {gave} Now {she} has", first + second, unit)
    if kind == 1:
        setup = f"{person.name} has {first} {unit} and {other.name} has {second} {unit}. Together they have"
        return Sum(setup, first + second, unit)
    had = first + second
    if kind == 2:
        lost = f"{capital(she)} gives {second} to {other.name}."
        return Sum(f"{person.name} has {had} {unit}. {lost} Now {she} has", first, unit)
    sold = f"{capital(she)} sells {second} of them, and that leaves"
    return Sum(f"{person.name} brings {had} {unit}. {sold}", first, unit)
