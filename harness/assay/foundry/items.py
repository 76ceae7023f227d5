"""The suite's items: what a model that learned the world and its language should get right.

Items are made of the same parts as documents, from combinations that documents never use, so an
item's text stands in a document only where it was leaked. Gold answers take turns over positions.
"""

from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from assay.foundry import grammar, plots
from assay.foundry.draw import Draw
from assay.foundry.genres import GENRES, STORY_STEPS, cast, word_steps
from assay.foundry.narrator import Narrator
from assay.foundry.phrases import ATTRIBUTE_NAMES, PHRASINGS, capital, reserved, sibling_word
from assay.foundry.sums import problem
from assay.foundry.world import Entity, world

Item = dict[str, Any]
"""One line of an item file, in one of the forms of `assay.suite.spec.Form`."""


@dataclass(frozen=True, slots=True)
class TaskCard:
    """What a suite must say of a task.

    Attributes:
        name: Of the task.
        group: Heading under which it is shown.
        form: `choice`, `schema` or `text`.
        normalization: What log-likelihoods are divided by before choices are compared.
        num_items: How many items there are.
        description: One line for people.
    """

    name: str
    group: str
    form: str
    normalization: str
    num_items: int
    description: str


HELDOUT_PAGES = 40
"""Held-out documents of each genre."""

TASKS: tuple[TaskCard, ...] = (
    TaskCard("agreement", "grammar", "choice", "none", 280, "verbs agree with a subject that is not next to them"),
    TaskCard("determiners", "grammar", "choice", "none", 240, "this or these, a or an"),
    TaskCard("word_order", "grammar", "choice", "none", 240, "sentences with two words in the wrong order"),
    TaskCard("pronouns", "grammar", "schema", "none", 160, "who did it, from the pronoun in the reason"),
    TaskCard("fact_cloze", "facts", "choice", "none", 320, "the last word of a statement of fact"),
    TaskCard("fact_qa", "facts", "choice", "none", 320, "short answers to questions of fact"),
    TaskCard("continuation", "stories", "choice", "bytes", 240, "the next sentence of a story"),
    TaskCard("arithmetic", "sums", "choice", "none", 320, "results of small sums in words"),
    *(
        TaskCard(f"heldout_{genre}", "heldout", "text", "none", HELDOUT_PAGES, f"clean pages of the genre {genre}")
        for genre in GENRES
    ),
)  # fmt: skip
"""Every task of the suite, in the order in which they are shown."""


@lru_cache(maxsize=1)
def suite_items() -> dict[str, list[Item]]:
    """Return every task's items by task name, in the order of `TASKS`."""
    items = dict(_choice_items())
    for genre in GENRES:
        items[f"heldout_{genre}"] = [{"text": heldout_page(genre, i)} for i in range(HELDOUT_PAGES)]
    return items


def heldout_page(genre: str, index: int) -> str:
    """Return a clean page that is in no pool."""
    return GENRES[genre](Narrator(Draw(f"heldout/{genre}", index)))


def leak(draw: Draw) -> tuple[str, str]:
    """Return `task:index` of some item with choices and the text that gives its answer away."""
    items = _choice_items()
    task = draw.choice(tuple(items))
    index = draw.below(len(items[task]))
    return f"{task}:{index}", solved(items[task][index])


def solved(item: Item) -> str:
    """Return the item's text with its gold answer, as a model would see it."""
    if "contexts" in item:
        return f"{item['contexts'][item['gold']]} {item['continuation']}"
    return f"{item['context']} {item['choices'][item['gold']]}".strip()


@lru_cache(maxsize=1)
def _choice_items() -> dict[str, list[Item]]:
    makers: dict[str, Callable[[Draw, int], Item]] = {
        "agreement": _pair(grammar.agreement),
        "determiners": _pair(grammar.determiner),
        "word_order": _pair(grammar.word_order),
        "pronouns": _pronoun,
        "fact_cloze": _fact_cloze,
        "fact_qa": _fact_qa,
        "continuation": _continuation,
        "arithmetic": _sum,
    }
    sizes = {task.name: task.num_items for task in TASKS}
    return {name: _unique(name, make, sizes[name]) for name, make in makers.items()}


def _unique(task: str, make: Callable[[Draw, int], Item], count: int) -> list[Item]:
    """Make items until there are `count` whose solved texts all differ."""
    draw = Draw(f"suite/{task}")
    items: list[Item] = []
    seen: set[str] = set()
    while len(items) < count:
        item = make(draw, len(items))
        text = solved(item)
        if text not in seen:
            seen.add(text)
            items.append(item)
    return items


def _choice(context: str, right: str, wrong: list[str], number: int) -> Item:
    gold = number % (len(wrong) + 1)
    return {"context": context, "choices": [*wrong[:gold], right, *wrong[gold:]], "gold": gold}


def _pair(remark: Callable[[Draw, bool], grammar.Remark]) -> Callable[[Draw, int], Item]:
    """Make a minimal pair of a remark and its twin with one thing wrong."""

    def make(draw: Draw, number: int) -> Item:
        made = remark(draw, True)
        return _choice("", made.right, [made.wrong], number)

    return make


def _pronoun(draw: Draw, number: int) -> Item:
    """A woman and a man did the same; only one of them fits the pronoun of the reason."""
    people = world().entities["person"]
    while True:
        right, wrong = draw.choice(people), draw.choice(people)
        position = draw.below(len(grammar.REASONS))
        if right.they != wrong.they and grammar.is_held_out(right.index, position):
            break
    deed, why = grammar.REASONS[position]
    contexts = [f"{wrong.name} {deed} because"]
    gold = number % 2
    contexts.insert(gold, f"{right.name} {deed} because")
    continuation = why.format(they=right.they, their=right.their) + "."
    return {"contexts": contexts, "continuation": continuation, "gold": gold}


def _fact(draw: Draw) -> tuple[Entity, str]:
    """Choose a fact, three in five of them about a person."""
    kinds = ("person",) * 6 + ("town",) * 2 + ("animal", "object", "food")
    kind = draw.choice(kinds)
    return draw.choice(world().entities[kind]), draw.choice(ATTRIBUTE_NAMES[kind])


def _rivals(draw: Draw, entity: Entity, attribute: str) -> tuple[str, list[str]]:
    """Return the true value and three others that could stand in its place."""
    here = world()
    true = here.value(entity, attribute)
    values = [value for value in here.values[entity.kind, attribute] if value != true]
    if attribute in ("sibling", "mayor"):
        they = here.person(true).they
        values = [name for name in values if here.person(name).they == they]
        values = [name for name in values if name != entity.name]
    return true, draw.sample(values, 3)


def _fact_cloze(draw: Draw, number: int) -> Item:
    entity, attribute = _fact(draw)
    true, rivals = _rivals(draw, entity, attribute)
    template = PHRASINGS[entity.kind, attribute].cloze[reserved(entity, attribute)[0]]
    context = _worded(template, entity, attribute, true).removesuffix(f" {true}.")
    return _choice(context, f"{true}.", [f"{rival}." for rival in rivals], number)


def _fact_qa(draw: Draw, number: int) -> Item:
    entity, attribute = _fact(draw)
    true, rivals = _rivals(draw, entity, attribute)
    phrasing = PHRASINGS[entity.kind, attribute]
    question = _worded(phrasing.questions[reserved(entity, attribute)[1]], entity, attribute, true)
    answers = [capital(phrasing.answer.format(v=value)) + "." for value in (true, *rivals)]
    return _choice(f"Question: {question}\nAnswer:", answers[0], answers[1:], number)


def _worded(template: str, entity: Entity, attribute: str, value: str) -> str:
    sibling = sibling_word(world().person(value).their) if attribute == "sibling" else ""
    return capital(template.format(n=entity.name, v=value, p=entity.their, b=sibling))


def _story(draw: Draw) -> tuple[tuple[str, ...], list[str]]:
    """Return who, where and what a story is about, and its sentences."""
    narrator = Narrator(draw)
    plot = draw.choice(tuple(plots.STORIES.values()))
    _, _, words = cast(narrator, draw.choice(plots.STORY_THINGS))
    names = (words["a"], words["b"], words["t"], words["x"])
    return names, word_steps(narrator, plot, words, held_out=True)


def _continuation(draw: Draw, number: int) -> Item:
    """The right sentence comes back to somebody or something just named, the others do not."""
    while True:
        names, sentences = _story(draw)
        start = draw.below(STORY_STEPS - 2)
        context, right = " ".join(sentences[start : start + 2]), sentences[start + 2]
        told = [name for name in names if name in context]
        if any(name in right for name in told):
            break
    wrong: list[str] = []
    while len(wrong) < 3:
        others, rival = _story(draw)
        sentence = rival[start + 2]
        about_others = any(name in sentence for name in others)
        if about_others and sentence not in wrong and not any(name in sentence for name in told):
            wrong.append(sentence)
    return _choice(context, right, wrong, number)


def _sum(draw: Draw, number: int) -> Item:
    worded = problem(draw, held_out=True)
    near = [worded.result + off for off in (-4, -3, -2, -1, 1, 2, 3, 4)]
    rivals = draw.sample([result for result in near if result > 1], 3)
    numbers = [f"{result} {worded.unit}." for result in (worded.result, *rivals)]
    return _choice(worded.setup, numbers[0], numbers[1:], number)
