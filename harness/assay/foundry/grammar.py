"""Remarks: plain sentences whose only point is their grammar, and the pairs that test it.

Every remark is put together from a few closed lists. A fixed sixth of the combinations is reserved for
the suite, so that no item stands in a document by chance.
"""

from dataclasses import dataclass

from assay.foundry.draw import Draw
from assay.foundry.phrases import capital
from assay.foundry.world import world

BEINGS = (
    *((job, f"{job}s") for job in ("baker", "carpenter", "doctor", "driver", "farmer", "hunter")),
    *(
        (job, f"{job}s")
        for job in ("miller", "painter", "sailor", "tailor", "teacher", "neighbour")
    ),
    *((pet, f"{pet}s") for pet in ("dog", "cat", "rabbit", "goat", "horse", "duck")),
    ("child", "children"),
    ("woman", "women"),
)
"""People and animals, (one, many)."""

THINGS = (
    *((thing, f"{thing}s") for thing in ("house", "garden", "road", "mill", "field", "wall")),
    *((thing, f"{thing}s") for thing in ("lamp", "basket", "chair", "clock", "bucket", "table")),
    *((thing, f"{thing}s") for thing in ("boat", "gate", "barn", "shop", "bell", "tower")),
    ("bench", "benches"),
    ("box", "boxes"),
)
"""Things, (one, many)."""

BEING_VERBS = (
    ("is tired", "are tired"),
    ("is happy", "are happy"),
    ("is ready", "are ready"),
    ("has a new coat", "have a new coat"),
    ("has no time", "have no time"),
    ("was late", "were late"),
    ("was hungry", "were hungry"),
    ("likes the rain", "like the rain"),
    ("sleeps until noon", "sleep until noon"),
    ("walks to the market", "walk to the market"),
    ("knows the way", "know the way"),
    ("waits for the summer", "wait for the summer"),
)
"""What people and animals do, (one does, many do)."""

THING_VERBS = (
    ("is old", "are old"),
    ("is empty", "are empty"),
    ("is very small", "are very small"),
    ("has lost its colour", "have lost their colour"),
    ("was new", "were new"),
    ("was broken", "were broken"),
    ("looks strong", "look strong"),
    ("needs a repair", "need a repair"),
    ("stands in the sun", "stand in the sun"),
    ("costs too much", "cost too much"),
)
"""What is said of things, (of one, of many)."""

PLACES = ("near", "behind", "beside", "opposite", "by")

ADJECTIVES = ("big", "clean", "dark", "heavy", "light", "little", "narrow", "new", "plain", "round", "small", "strong")  # fmt: skip
VOWEL_ADJECTIVES = ("old", "empty", "open", "ugly", "odd", "even", "elegant", "ancient")
BUYS = ("bought", "found", "made", "saw", "sold", "wanted", "painted", "repaired")

_HELD_OUT = 6


def is_held_out(*positions: int) -> bool:
    """Return whether a combination of list positions is the suite's alone."""
    return sum(positions) % _HELD_OUT == 0


@dataclass(frozen=True, slots=True)
class Remark:
    """A sentence, and the same with one thing wrong."""

    right: str
    wrong: str


def agreement(draw: Draw, held_out: bool) -> Remark:
    """A subject, one or two other nouns, and a verb that must agree with the subject."""
    nouns, verbs = ((BEINGS, BEING_VERBS), (THINGS, THING_VERBS))[draw.below(2)]
    while True:
        subject, near, verb = (
            draw.below(len(nouns)),
            draw.below(len(THINGS)),
            draw.below(len(verbs)),
        )
        if is_held_out(subject, near, verb) == held_out and nouns[subject] != THINGS[near]:
            break
    number = draw.below(2)
    between = [near] if not held_out and draw.percent(50) else [near, draw.below(len(THINGS))]
    # The suite's nouns between are of the other number, so that the nearest noun misleads.
    phrases = [
        f"{draw.choice(PLACES)} the {THINGS[noun][1 - number if held_out else draw.below(2)]}"
        for noun in between
    ]
    opening = f"The {nouns[subject][number]} {' '.join(phrases)} "
    return Remark(f"{opening}{verbs[verb][number]}.", f"{opening}{verbs[verb][1 - number]}.")


def determiner(draw: Draw, held_out: bool) -> Remark:
    """This or these before one or many; a or an before a consonant or a vowel."""
    if draw.below(2):
        while True:
            noun, verb = draw.below(len(THINGS)), draw.below(len(THING_VERBS))
            if is_held_out(noun, verb) == held_out:
                break
        number = draw.below(2)
        words = draw.choice((("This", "These"), ("That", "Those")))
        rest = f"{THINGS[noun][number]} {THING_VERBS[verb][number]}."
        return Remark(f"{words[number]} {rest}", f"{words[1 - number]} {rest}")
    return _article(draw, held_out)


def _article(draw: Draw, held_out: bool) -> Remark:
    adjectives, articles = (
        (ADJECTIVES, ("a", "an")),
        (VOWEL_ADJECTIVES, ("an", "a")),
    )[draw.below(2)]
    person = draw.choice(world().entities["person"])
    while True:
        noun, adjective = draw.below(len(THINGS)), draw.below(len(adjectives))
        buy = draw.below(len(BUYS))
        if is_held_out(noun, adjective, buy) == held_out:
            break
    opening, rest = f"{person.name} {BUYS[buy]}", f"{adjectives[adjective]} {THINGS[noun][0]}."
    return Remark(f"{opening} {articles[0]} {rest}", f"{opening} {articles[1]} {rest}")


def word_order(draw: Draw, held_out: bool) -> Remark:
    """An adjective before its noun, a preposition before its phrase, a verb before its object."""
    person = draw.choice(world().entities["person"]).name
    while True:
        noun, buy = draw.below(len(THINGS)), draw.below(len(BUYS))
        adjective, place = draw.below(len(ADJECTIVES)), draw.below(len(THINGS))
        if is_held_out(noun, adjective, buy) == held_out and noun != place:
            break
    verb, thing, about = BUYS[buy], THINGS[noun][0], ADJECTIVES[adjective]
    near, where = draw.choice(PLACES), f"the {THINGS[place][0]}"
    right = f"{person} {verb} the {about} {thing} {near} {where}."
    wrong = (
        f"{person} {verb} the {thing} {about} {near} {where}.",
        f"{person} {verb} the {about} {thing} {where} {near}.",
        f"{person} the {about} {thing} {verb} {near} {where}.",
        f"{person} {verb} {about} the {thing} {near} {where}.",
    )
    return Remark(right, draw.choice(wrong))


REASONS = (
    ("went home", "{they} was tired"),
    ("stayed in bed", "{they} felt ill"),
    ("ran to the shop", "{they} needed some bread"),
    ("opened the window", "{they} felt warm"),
    ("closed the door", "{they} wanted to sleep"),
    ("smiled", "{they} had won the game"),
    ("went to the river", "{they} wanted to swim"),
    ("bought a new coat", "{they} was always cold"),
    ("wrote a letter", "{they} missed {their} friends"),
    ("lit the lamp", "{they} could not see the table"),
    ("came back early", "{they} had lost {their} key"),
    ("laughed", "{they} liked the story"),
    ("sat down", "{they} had walked all day"),
    ("called the doctor", "{they} had a bad cough"),
    ("ate two plates", "{they} had not had breakfast"),
    ("learned to swim", "{they} lived near the lake"),
    ("went to school", "{they} wanted to read"),
    ("sold the boat", "{they} needed money"),
    ("lost the race", "{they} had hurt {their} foot"),
    ("sang a song", "{they} was in a good mood"),
    ("made a fire", "{they} had cold hands"),
    ("looked at the map", "{they} did not know the way"),
    ("washed the plates", "{they} had cooked for friends"),
    ("turned around", "{they} had heard a noise"),
    ("kept the secret", "{they} had given {their} word"),
    ("left the party", "{they} had to work the next day"),
    ("planted a tree", "{they} loved apples"),
    ("went upstairs", "{they} had forgotten {their} book"),
    ("took the bus", "{they} had missed the train"),
    ("cleaned the room", "{they} expected guests"),
    ("stood on a chair", "{they} could not reach the shelf"),
    ("hid under the bed", "{they} was afraid of the storm"),
    ("borrowed a pen", "{they} had left {their} bag at home"),
    ("cut the grass", "{they} liked a tidy garden"),
    ("asked a question", "{they} had not understood the teacher"),
    ("got up at five", "{they} had cows to milk"),
)
"""What people do and why, with places for their pronouns."""


def reason(draw: Draw) -> str:
    """Somebody did something because she or he had a reason."""
    person = draw.choice(world().entities["person"])
    position = draw.below(len(REASONS))
    if is_held_out(person.index, position):
        position = (position + 1) % len(REASONS)
    deed, why = REASONS[position]
    return f"{person.name} {deed} because {why.format(they=person.they, their=person.their)}."


def remark(draw: Draw) -> str:
    """One sentence for a document, never one of the suite's."""
    kind = draw.below(10)
    if kind < 5:
        return capital(agreement(draw, held_out=False).right)
    if kind < 7:
        return determiner(draw, held_out=False).right
    if kind < 9:
        return word_order(draw, held_out=False).right
    return reason(draw)
