"""How a fact is put into words: paraphrases, questions, and which of them only the suite may use.

Templates know `{n}` (the entity, by name or pronoun), `{v}` (the value), `{p}` (its, her, his) and,
for siblings, `{b}` (brother, sister). For every fact one paraphrase and one question are reserved: the
suite asks with them, and no document uses them of that entity, though every document may use them
of others. So an item's text is found in a document only where somebody leaked it.
"""

from dataclasses import dataclass
from functools import cache

from assay.foundry.world import Entity


@dataclass(frozen=True, slots=True)
class Phrasing:
    """The words for one attribute.

    Attributes:
        cloze: Statements that end in the value.
        other: Statements that do not.
        questions: What one asks to learn the value.
        answer: How a short answer is worded.
    """

    cloze: tuple[str, ...]
    other: tuple[str, ...]
    questions: tuple[str, ...]
    answer: str = "{v}"

    @property
    def statements(self) -> tuple[str, ...]:
        """All statements, those that end in the value first."""
        return self.cloze + self.other

    def after_pronoun(self) -> tuple[str, ...]:
        """The statements that open with the subject, so that a pronoun may stand for it."""
        return tuple(text for text in self.statements if text.startswith("{n} "))


_PERSON = {
    "job": Phrasing(
        ("{n} works as a {v}.", "{n} is a {v}.", "{n} earns a living as a {v}.", "The trade of {n} is that of a {v}."),
        ("{n} has been a {v} for many years.", "{n} is a {v} and is proud of it."),
        ("What is the job of {n}?", "What does {n} do for a living?", "What does {n} work as?"),
        "a {v}",
    ),
    "town": Phrasing(
        ("{n} lives in {v}.", "{n} has a house in {v}.", "{n} comes from {v}.", "The home of {n} is in {v}."),
        ("{n} lives in {v} with the family.", "{n} was born in {v} and still lives there."),
        ("Where does {n} live?", "Which town is {n} from?", "Where is the home of {n}?"),
    ),
    "pet": Phrasing(
        ("{n} has a pet {v}.", "{n} keeps a {v}.", "{n} takes care of a {v}.", "The pet of {n} is a {v}."),
        ("{n} and {p} {v} are never apart.", "{n} feeds {p} {v} in the morning."),
        ("Which pet does {n} have?", "Which animal does {n} keep?", "What is the pet of {n}?"),
        "a {v}",
    ),
    "food": Phrasing(
        ("{n} likes to eat {v}.", "{n} loves {v}.", "{n} always asks for {v}.", "The favourite food of {n} is {v}."),
        ("{n} eats {v} for dinner.", "{n} likes {v} more than anything else on the table."),
        ("What does {n} like to eat?", "What is the favourite food of {n}?", "Which food does {n} love?"),
    ),
    "colour": Phrasing(
        ("{n} likes the colour {v}.", "{n} painted the door {v}.", "{n} wears a coat that is {v}.", "The favourite colour of {n} is {v}."),
        ("{n} wears {v} clothes.", "{n} has a {v} hat and a {v} scarf."),
        ("What is the favourite colour of {n}?", "Which colour does {n} like?", "Which colour is the coat of {n}?"),
    ),
    "instrument": Phrasing(
        ("{n} plays the {v}.", "{n} is good at the {v}.", "{n} has lessons on the {v}.", "The instrument of {n} is the {v}."),
        ("{n} plays the {v} in the evening.", "{n} takes {p} {v} to every feast."),
        ("Which instrument does {n} play?", "What does {n} play?", "What is the instrument of {n}?"),
        "the {v}",
    ),
    "hobby": Phrasing(
        ("{n} enjoys {v}.", "{n} spends the weekend {v}.", "{n} is fond of {v}.", "The hobby of {n} is {v}."),
        ("{n} goes {v} with friends.", "{n} likes {v} best when the weather is good."),
        ("What is the hobby of {n}?", "What does {n} enjoy?", "How does {n} spend the weekend?"),
    ),
    "sibling": Phrasing(
        ("{n} has a {b} named {v}.", "{n} often visits {p} {b} {v}.", "{n} grew up with {p} {b} {v}.", "The {b} of {n} is {v}."),
        ("{n} and {v} have the same parents.", "{n} and {p} {b} {v} are very close."),
        ("Who is the {b} of {n}?", "What is the {b} of {n} called?", "Which {b} does {n} have?"),
    ),
}  # fmt: skip

_TOWN = {
    "region": Phrasing(
        ("{n} lies in the {v}.", "{n} is a town in the {v}.", "{n} belongs to the {v}.", "To reach {n} one travels to the {v}."),
        ("{n} is one of the oldest towns of the {v}.",),
        ("Where does {n} lie?", "Which part of the country is {n} in?", "Where is {n}?"),
        "in the {v}",
    ),
    "river": Phrasing(
        ("{n} stands on the river {v}.", "{n} was built beside the {v}.", "{n} takes its water from the {v}.", "The river of {n} is the {v}."),
        ("The river {v} runs through {n}.",),
        ("Which river runs through {n}?", "What is the river of {n} called?", "Which river does {n} stand on?"),
        "the {v}",
    ),
    "product": Phrasing(
        ("{n} is known for its {v}.", "{n} is famous for {v}.", "{n} trades in {v}.", "The workshops of {n} make {v}."),
        ("{n} sells {v} to all the other towns.",),
        ("What is {n} known for?", "What does {n} trade in?", "What do the workshops of {n} make?"),
    ),
    "landmark": Phrasing(
        ("{n} is proud of its {v}.", "{n} has a beautiful {v}.", "{n} is visited for its old {v}.", "In the middle of {n} stands a {v}."),
        ("{n} has an old {v} that many people visit.",),
        ("What is {n} proud of?", "What stands in the middle of {n}?", "Which building of {n} do people visit?"),
        "its {v}",
    ),
    "year": Phrasing(
        ("{n} was founded in {v}.", "{n} became a town in {v}.", "{n} has had a wall since {v}.", "The first houses of {n} were built in {v}."),
        ("{n} was founded in {v} by a few families.",),
        ("When was {n} founded?", "Since when has {n} been a town?", "In which year was {n} founded?"),
        "in {v}",
    ),
    "mayor": Phrasing(
        ("{n} has a mayor named {v}.", "{n} is led by {v}.", "{n} voted for {v}.", "The mayor of {n} is {v}."),
        ("{n} is happy with its mayor {v}.",),
        ("Who is the mayor of {n}?", "Who leads {n}?", "What is the mayor of {n} called?"),
    ),
}  # fmt: skip

_ANIMAL = {
    "habitat": Phrasing(
        ("{n} lives in the {v}.", "{n} makes its home in the {v}.", "{n} sleeps in the {v}.", "The place to look for {n} is the {v}."),
        ("{n} leaves the {v} only to look for food.",),
        ("Where does {n} live?", "Where does {n} sleep?", "Where is the home of {n}?"),
        "in the {v}",
    ),
    "diet": Phrasing(
        ("{n} eats {v}.", "{n} lives on {v}.", "{n} feeds its young with {v}.", "The food of {n} is {v}."),
        ("{n} looks for {v} at night.",),
        ("What does {n} eat?", "What does {n} live on?", "What is the food of {n}?"),
    ),
    "colour": Phrasing(
        ("{n} is {v}.", "{n} is born {v}.", "{n} has a back that is {v}.", "In winter {n} is {v}."),
        ("{n} has a {v} back and a light belly.",),
        ("What colour is {n}?", "Which colour is the back of {n}?", "Which colour does {n} have?"),
    ),
}  # fmt: skip

_OBJECT = {
    "material": Phrasing(
        ("{n} is made of {v}.", "{n} is cut from {v}.", "{n} has parts of {v}.", "The best material for {n} is {v}."),
        ("{n} is made of {v} and lasts for years.",),
        ("What is {n} made of?", "What is the best material for {n}?", "Which material is {n} cut from?"),
    ),
    "room": Phrasing(
        ("{n} is kept in the {v}.", "{n} stands in the {v}.", "{n} belongs in the {v}.", "People look for {n} in the {v}."),
        ("{n} is kept in the {v} when nobody needs it.",),
        ("Where is {n} kept?", "Where does {n} stand?", "Where does {n} belong?"),
        "in the {v}",
    ),
    "maker": Phrasing(
        ("{n} is made by the {v}.", "{n} is repaired by the {v}.", "{n} is sold by the {v}.", "The right person to ask about {n} is the {v}."),
        ("{n} goes to the {v} when it breaks.",),
        ("Who makes {n}?", "Who repairs {n}?", "Who sells {n}?"),
        "the {v}",
    ),
}  # fmt: skip

_FOOD = {
    "taste": Phrasing(
        ("{n} tastes {v}.", "{n} is rather {v}.", "{n} should always be {v}.", "The taste of {n} is {v}."),
        ("{n} is {v} when it is made well.",),
        ("How does {n} taste?", "What is the taste of {n}?", "What should {n} taste like?"),
    ),
    "season": Phrasing(
        ("{n} is eaten in {v}.", "{n} is best in {v}.", "{n} is cheap in {v}.", "The season for {n} is {v}."),
        ("{n} is eaten in {v} with friends.",),
        ("When is {n} eaten?", "When is {n} best?", "What is the season for {n}?"),
        "in {v}",
    ),
    "origin": Phrasing(
        ("{n} comes from {v}.", "{n} was first made in {v}.", "{n} is bought in {v}.", "The best town for {n} is {v}."),
        ("{n} is brought from {v} to the other towns.",),
        ("Where does {n} come from?", "Where was {n} first made?", "What is the best town for {n}?"),
    ),
}  # fmt: skip

PHRASINGS: dict[tuple[str, str], Phrasing] = {
    (kind, attribute): phrasing
    for kind, table in (
        ("person", _PERSON),
        ("town", _TOWN),
        ("animal", _ANIMAL),
        ("object", _OBJECT),
        ("food", _FOOD),
    )
    for attribute, phrasing in table.items()
}
"""Words for every (kind, attribute)."""

ATTRIBUTE_NAMES: dict[str, tuple[str, ...]] = {
    "person": tuple(_PERSON),
    "town": tuple(_TOWN),
    "animal": tuple(_ANIMAL),
    "object": tuple(_OBJECT),
    "food": tuple(_FOOD),
}
"""The attributes of each kind, in the order of their tables."""


def capital(text: str) -> str:
    """Return the text with its first letter in upper case."""
    return text[:1].upper() + text[1:]


def sibling_word(their: str) -> str:
    """Return what somebody is to a sibling, from their possessive pronoun."""
    return "sister" if their == "her" else "brother"


@cache
def reserved(entity: Entity, attribute: str) -> tuple[int, int]:
    """Return which cloze statement and which question of a fact belong to the suite alone."""
    phrasing = PHRASINGS[entity.kind, attribute]
    mix = entity.index * 5 + ATTRIBUTE_NAMES[entity.kind].index(attribute) * 3
    return mix % len(phrasing.cloze), mix % len(phrasing.questions)


@cache
def open_statements(entity: Entity, attribute: str) -> tuple[str, ...]:
    """Return the statements that documents may use with the entity's name."""
    statements = PHRASINGS[entity.kind, attribute].statements
    held = reserved(entity, attribute)[0]
    return statements[:held] + statements[held + 1 :]


@cache
def open_questions(entity: Entity, attribute: str) -> tuple[str, ...]:
    """Return the questions that documents may ask of the entity."""
    questions = PHRASINGS[entity.kind, attribute].questions
    held = reserved(entity, attribute)[1]
    return questions[:held] + questions[held + 1 :]


@cache
def pronoun_statements(kind: str, attribute: str) -> tuple[str, ...]:
    """Return the statements that may open with a pronoun."""
    return PHRASINGS[kind, attribute].after_pronoun()
