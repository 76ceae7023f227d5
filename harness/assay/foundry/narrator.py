"""The narrator: tells facts in words, truthfully or, for documents with a planted defect, not."""

from itertools import accumulate

from assay.foundry.draw import Draw
from assay.foundry.phrases import (
    ATTRIBUTE_NAMES,
    PHRASINGS,
    capital,
    open_questions,
    open_statements,
    pronoun_statements,
    sibling_word,
)
from assay.foundry.world import NUM_ENTITIES, Entity, world

POPULARITY = (30, 60)
"""Weight of the k-th entity of a kind is `first + second * 8 // (8 + k)`: a mild long tail."""

_CUMULATIVE = {
    kind: tuple(accumulate(POPULARITY[0] + POPULARITY[1] * 8 // (8 + k) for k in range(count)))
    for kind, count in NUM_ENTITIES.items()
}


class Narrator:
    """Tells of the world for one document.

    Args:
        draw: Where every choice of the document comes from.
        false_facts: Every fact is told wrong: the same wrong value throughout the document, another
            one in the next document.
        wrong_sums: Every sum comes out wrong.
    """

    def __init__(self, draw: Draw, false_facts: bool = False, wrong_sums: bool = False):
        self.draw = draw
        self._world = world()
        self._salt = draw.between(1, 1 << 20) if false_facts else 0
        self._wrong_sums = wrong_sums

    def entity(self, kind: str) -> Entity:
        """Return somebody or something to tell of, popular ones more often."""
        return self._world.entities[kind][self.draw.weighted(_CUMULATIVE[kind])]

    def value(self, entity: Entity, attribute: str) -> str:
        """Return what this narrator believes to hold."""
        values = self._world.values[entity.kind, attribute]
        true = self._world.value_index(entity, attribute)
        if not self._salt:
            return values[true]
        mix = self._salt * (2 * entity.index + 3) + (self._salt >> 7) * len(attribute)
        return values[(true + 1 + mix % (len(values) - 1)) % len(values)]

    def person(self, name: str) -> Entity:
        """Return the person of that name."""
        return self._world.person(name)

    def state(self, entity: Entity, attribute: str, pronoun: bool = False) -> str:
        """Return one sentence that states a fact, opening with a pronoun if asked to."""
        options = (
            pronoun_statements(entity.kind, attribute)
            if pronoun
            else open_statements(entity, attribute)
        )
        return self._fill(self.draw.choice(options), entity, attribute, pronoun)

    def ask(self, entity: Entity, attribute: str) -> tuple[str, str]:
        """Return a question about a fact and its short answer."""
        question = self.draw.choice(open_questions(entity, attribute))
        answer = PHRASINGS[entity.kind, attribute].answer
        return (
            self._fill(question, entity, attribute),
            self._fill(answer + ".", entity, attribute),
        )

    def _fill(self, template: str, entity: Entity, attribute: str, pronoun: bool = False) -> str:
        value = self.value(entity, attribute)
        name = entity.they if pronoun else entity.name
        if attribute == "sibling":
            sibling = sibling_word(self._world.person(value).their)
            return capital(template.format(n=name, v=value, p=entity.their, b=sibling))
        return capital(template.format(n=name, v=value, p=entity.their))

    def attributes(self, kind: str, count: int) -> list[str]:
        """Return up to `count` different attributes of a kind, in random order."""
        names = ATTRIBUTE_NAMES[kind]
        return self.draw.sample(names, min(count, len(names)))

    def number(self, true: int) -> int:
        """Return a result: the true one, or for a narrator who cannot count one near it."""
        if not self._wrong_sums:
            return true
        off = self.draw.choice((-3, -2, -1, 1, 2, 3))
        return true + off if true + off >= 0 else true - off
