"""The genres: how a narrator fills a page. Each returns text of some 120 to 220 words.

Whatever the genre, facts recur in it, remarks are scattered through it, and every line is a paragraph
that ends like a sentence.
"""

from collections.abc import Callable

from assay.foundry import plots
from assay.foundry.grammar import remark
from assay.foundry.narrator import Narrator
from assay.foundry.phrases import capital
from assay.foundry.sums import problem
from assay.foundry.world import Entity

STORY_STEPS = 6
"""Steps of every story."""

_PRONOUNS = ("She ", "He ", "It ", "They ")


def _paragraphs(narrator: Narrator, sentences: list[str]) -> str:
    """Break sentences into paragraphs of three to five, one paragraph a line."""
    lines, start = [], 0
    while start < len(sentences):
        stop = start + narrator.draw.between(3, 5)
        if len(sentences) - stop < 2:
            stop = len(sentences)
        lines.append(" ".join(sentences[start:stop]))
        start = stop
    return "\n".join(lines)


def _facts(narrator: Narrator, entity: Entity, count: int) -> list[str]:
    """State several facts of one entity, by name first and then by name or pronoun."""
    return [
        narrator.state(entity, attribute, pronoun=i > 0 and narrator.draw.percent(35))
        for i, attribute in enumerate(narrator.attributes(entity.kind, count))
    ]


def _scatter(narrator: Narrator, sentences: list[str], count: int) -> None:
    """Insert remarks after the first sentence, but not between a pronoun and whom it stands for."""
    for _ in range(count):
        place = narrator.draw.between(1, len(sentences))
        while place < len(sentences) and sentences[place].startswith(_PRONOUNS):
            place += 1
        sentences.insert(place, remark(narrator.draw))


def encyclopedia(narrator: Narrator) -> str:
    """An entry on one entity, and a shorter one on another that it leads to."""
    kind = narrator.draw.choice(
        ("person", "person", "person", "town", "town", "animal", "object", "food")
    )
    entity = narrator.entity(kind)
    sentences = _facts(narrator, entity, 8)
    if kind == "person":
        sentences += _facts(narrator, narrator.person(narrator.value(entity, "sibling")), 8)
    elif kind == "town":
        sentences += _facts(narrator, narrator.person(narrator.value(entity, "mayor")), 8)
    else:
        for _ in range(3):
            sentences += _facts(narrator, narrator.entity(kind), 3)
        sentences += _facts(narrator, narrator.entity("person"), 5)
    _scatter(narrator, sentences, narrator.draw.between(2, 3))
    return _paragraphs(narrator, sentences)


def word_steps(
    narrator: Narrator,
    steps: tuple[tuple[str, ...], ...],
    words: dict[str, str],
    held_out: bool = False,
) -> list[str]:
    """Word every step of a plot once.

    Any three steps in a row are worded either as only the suite words them or as it never does:
    the positions of the three wordings add up to a multiple of their number, or they do not.
    """
    draw = narrator.draw
    sentences = []
    last, before = 0, 0
    for step in steps:
        rest = 0 if held_out and len(sentences) > 1 else draw.between(1, len(step) - 1)
        if len(sentences) < 2:
            rest = draw.below(len(step))
        wording = (rest - last - before) % len(step)
        last, before = wording, last
        day = draw.choice(plots.DAYS)
        sentences.append(capital(step[wording].format(day=day, **words)))
    return sentences


def cast(narrator: Narrator, thing: str) -> tuple[Entity, Entity, dict[str, str]]:
    """Choose two different people and a town, and the words that stand for them."""
    first, second = narrator.entity("person"), narrator.entity("person")
    while second is first:
        second = narrator.entity("person")
    words = {
        "a": first.name,
        "b": second.name,
        "t": narrator.entity("town").name,
        "x": thing,
        "they": first.they,
        "them": first.them,
        "their": first.their,
    }
    return first, second, words


def story(narrator: Narrator) -> str:
    """Something happens to somebody, and a friend has a part in it."""
    draw = narrator.draw
    plot = draw.choice(tuple(plots.STORIES.values()))
    first, second, words = cast(narrator, draw.choice(plots.STORY_THINGS))
    steps = word_steps(narrator, plot, words)
    sentences = [*_facts(narrator, second, 4), *_facts(narrator, first, draw.between(4, 5)), *steps]
    _scatter(narrator, sentences, draw.between(1, 2))
    return _paragraphs(narrator, sentences)


def questions(narrator: Narrator) -> str:
    """Questions and short answers about a few entities, one pair a paragraph."""
    draw = narrator.draw
    lines = []
    for kind in (
        "person",
        draw.choice(("person", "town")),
        draw.choice(("animal", "object", "food", "town")),
    ):
        entity = narrator.entity(kind)
        for attribute in narrator.attributes(kind, 4):
            question, answer = narrator.ask(entity, attribute)
            lines.append(f"Question: {question}\nAnswer: {answer}")
        lines.append(remark(draw))
    return "\n".join(lines)


def guide(narrator: Narrator) -> str:
    """How to cook, repair or look after something, with what is known of it."""
    draw = narrator.draw
    name, kind = draw.choice((("cook", "food"), ("repair", "object"), ("care", "animal")))
    entity = narrator.entity(kind)
    person, _, words = cast(narrator, entity.name)
    steps = word_steps(narrator, plots.GUIDES[name], words)
    known = _facts(narrator, entity, 3)
    sentences = [steps[0], *known, *steps[1:], *_facts(narrator, person, 5)]
    _scatter(narrator, sentences, draw.between(2, 3))
    return _paragraphs(narrator, sentences)


def report(narrator: Narrator) -> str:
    """A dated report of an event, with what readers should know of the people and the town."""
    draw = narrator.draw
    plot = draw.choice(tuple(plots.REPORTS.values()))
    first, second, words = cast(narrator, "")
    town = narrator.entity("town")
    words["t"] = town.name
    steps = word_steps(narrator, plot, words)
    sentences = [
        *steps[:1],
        *_facts(narrator, town, 4),
        *steps[1:3],
        *_facts(narrator, first, 4),
        *steps[3:4],
        *_facts(narrator, second, 4),
        *steps[4:],
    ]
    _scatter(narrator, sentences, draw.between(1, 2))
    dateline = f"{town.name}, {draw.choice(plots.DAYS)}. "
    return dateline + _paragraphs(narrator, sentences)


def arithmetic(narrator: Narrator) -> str:
    """Small sums in words, with their results."""
    sentences = []
    for _ in range(narrator.draw.between(8, 10)):
        worded = problem(narrator.draw, held_out=False)
        sentences.append(f"{worded.setup} {narrator.number(worded.result)} {worded.unit}.")
    _scatter(narrator, sentences, 2)
    return _paragraphs(narrator, sentences)


def letter(narrator: Narrator) -> str:
    """A letter between siblings, about people whom both know."""
    draw = narrator.draw
    writer, friend, words = cast(narrator, "")
    reader = narrator.value(writer, "sibling")
    words["day"] = draw.choice(plots.DAYS)
    sentences = [draw.choice(plots.LETTER_OPENINGS).format(**words)]
    other = narrator.entity("person")
    for person in (friend, other):
        words["b"] = person.name
        sentences.append(draw.choice(plots.LETTER_NEWS).format(**words))
        sentences += _facts(narrator, person, draw.between(5, 7))
    sentences.append(draw.choice(plots.LETTER_CLOSINGS).format(**words))
    _scatter(narrator, sentences, draw.between(1, 2))
    word = "sister" if writer.their == "her" else "brother"
    return f"Dear {reader},\n{_paragraphs(narrator, sentences)}\nYour {word} {writer.name}."


GENRES: dict[str, Callable[[Narrator], str]] = {
    "encyclopedia": encyclopedia,
    "story": story,
    "questions": questions,
    "guide": guide,
    "report": report,
    "arithmetic": arithmetic,
    "letter": letter,
}
"""Every genre by name."""
