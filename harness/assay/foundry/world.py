"""The small consistent world that foundry documents tell of: who there is and what holds of them.

Facts are drawn once, balanced: every value of an attribute holds of equally many entities, so that
guessing the commonest value is guessing. Names and values are short closed lists; a few hundred
thousand weights can learn them, though not from text that contradicts itself.
"""

from dataclasses import dataclass
from functools import lru_cache

from assay.foundry.draw import Draw


def word_list(text: str) -> tuple[str, ...]:
    """Return the words of a list written as one string."""
    return tuple(text.split())


WOMEN = word_list(
    "Ada Bella Clara Dana Emma Flora Greta Hilda Irene Judith Karin Lucy Martha Nora Olga Petra"
)
MEN = word_list(
    "Adam Boris Carl David Edgar Felix George Henry Ivan Jacob Karl Louis Milo Nathan Oscar Peter"
)
TOWNS = word_list(
    "Arden Belford Corvale Dunholm Elmstead Fenwick Glasdale Harrow Ivybridge Kelmont Lindale "
    "Marwick Oakham Penrith Redmoor Thornby"
)
RIVERS = word_list("Bolt Dove Esk Gant Humber Lune Mersey Nidd")
JOBS = word_list(
    "baker carpenter doctor farmer gardener hunter judge miller painter sailor smith tailor"
)
PETS = word_list("cat dog duck ferret goat hen lamb mouse parrot pony rabbit turtle")
ANIMALS = (*PETS, *word_list("badger fox frog wolf"))
FOODS = word_list("bread butter cake cheese chocolate honey jam pasta pie porridge rice soup")
COLOURS = word_list("black blue brown green grey red white yellow")
INSTRUMENTS = word_list("banjo cello drum fiddle flute guitar harp trumpet")
HOBBIES = word_list("boxing chess climbing dancing fishing painting reading sailing")
REGIONS = word_list("east hills islands marshes north plains south west")
PRODUCTS = word_list("bells boats carpets coal glass leather paper salt")
LANDMARKS = word_list("bridge castle fountain harbour library museum palace tower")
YEARS = word_list("1104 1215 1377 1459 1580 1692 1768 1851")
HABITATS = word_list("barn cave desert forest lake meadow swamp valley")
DIETS = word_list("berries eggs fish grass insects leaves nuts seeds")
OBJECTS = word_list(
    "basket bell bottle bucket chair clock cup hammer kettle ladder lamp mirror needle pillow rope "
    "shovel"
)
MATERIALS = word_list("bone brass clay copper iron oak silver straw")
ROOMS = word_list("attic bedroom cellar garage hall kitchen shed stable")
TASTES = word_list("bitter mild rich salty sour sweet")
SEASONS = word_list("autumn spring summer winter")


@dataclass(frozen=True, slots=True)
class Entity:
    """Somebody or something that facts hold of.

    Attributes:
        kind: `person`, `town`, `animal`, `object` or `food`.
        index: Position among its kind; the lower, the more often documents are about it.
        name: How text names it in mid-sentence, such as `Mira` or `the otter`.
        they: Subject pronoun.
        them: Object pronoun.
        their: Possessive pronoun.
    """

    kind: str
    index: int
    name: str
    they: str
    them: str
    their: str


ATTRIBUTES: dict[str, dict[str, tuple[str, ...]]] = {
    "person": {
        "job": JOBS,
        "town": TOWNS,
        "pet": PETS,
        "food": FOODS,
        "colour": COLOURS,
        "instrument": INSTRUMENTS,
        "hobby": HOBBIES,
    },
    "town": {
        "region": REGIONS,
        "river": RIVERS,
        "product": PRODUCTS,
        "landmark": LANDMARKS,
        "year": YEARS,
    },
    "animal": {"habitat": HABITATS, "diet": DIETS, "colour": COLOURS},
    "object": {"material": MATERIALS, "room": ROOMS, "maker": JOBS},
    "food": {"taste": TASTES, "season": SEASONS, "origin": TOWNS},
}
"""Attributes with closed lists of values, by kind. People also have a `sibling`, a town a `mayor`."""


NUM_ENTITIES = {
    "person": len(WOMEN + MEN),
    "town": len(TOWNS),
    "animal": len(ANIMALS),
    "object": len(OBJECTS),
    "food": len(FOODS),
}
"""How many entities there are of each kind."""


class World:
    """All entities and the facts that hold of them.

    Attributes:
        entities: Entities by kind, the most written-about first.
        values: For each (kind, attribute) the list of possible values.
    """

    def __init__(self) -> None:
        draw = Draw("world")
        self.entities = _entities(draw)
        names = tuple(person.name for person in self.entities["person"])
        self.values = {
            (kind, name): values
            for kind, table in ATTRIBUTES.items()
            for name, values in table.items()
        }
        self.values["person", "sibling"] = names
        self.values["town", "mayor"] = names
        self._facts = {
            (kind, name): _balanced(draw, len(values), len(self.entities[kind]))
            for (kind, name), values in self.values.items()
        }
        self._facts["person", "sibling"] = _pairs(draw, len(names))
        self._people = {person.name: person for person in self.entities["person"]}

    def value_index(self, entity: Entity, attribute: str) -> int:
        """Return the position, in `values[kind, attribute]`, of what truly holds."""
        return self._facts[entity.kind, attribute][entity.index]

    def value(self, entity: Entity, attribute: str) -> str:
        """Return what truly holds."""
        return self.values[entity.kind, attribute][self.value_index(entity, attribute)]

    def person(self, name: str) -> Entity:
        """Return the person of that name."""
        return self._people[name]


@lru_cache(maxsize=1)
def world() -> World:
    """Return the one world, built at first use."""
    return World()


def _entities(draw: Draw) -> dict[str, tuple[Entity, ...]]:
    people = [(name, "she", "her", "her") for name in WOMEN]
    people += [(name, "he", "him", "his") for name in MEN]
    things = {
        "town": list(TOWNS),
        "animal": [f"the {name}" for name in ANIMALS],
        "object": [f"the {name}" for name in OBJECTS],
        "food": list(FOODS),
    }
    draw.shuffle(people)
    entities = {"person": tuple(Entity("person", i, *named) for i, named in enumerate(people))}
    for kind, names in things.items():
        draw.shuffle(names)
        entities[kind] = tuple(
            Entity(kind, i, name, "it", "it", "its") for i, name in enumerate(names)
        )
    return entities


def _balanced(draw: Draw, num_values: int, num_entities: int) -> tuple[int, ...]:
    """Deal values to entities like cards, so that no value holds of many more than another."""
    dealt = [i % num_values for i in range(num_entities)]
    draw.shuffle(dealt)
    return tuple(dealt)


def _pairs(draw: Draw, num_people: int) -> tuple[int, ...]:
    """Pair people off: a sibling's sibling is oneself."""
    order = list(range(num_people))
    draw.shuffle(order)
    partner = [0] * num_people
    for left, right in zip(order[::2], order[1::2], strict=True):
        partner[left], partner[right] = right, left
    return tuple(partner)
