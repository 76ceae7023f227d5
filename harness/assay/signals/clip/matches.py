"""Signals of the concepts that captions name."""

from collections.abc import Mapping

import numpy as np

from assay.canonical import digest_json
from assay.pool import AnyPool
from assay.signals.clip.captions import captions_of
from assay.signals.clip.concepts import ConceptMatches, concept_list, threshold_of_tail
from assay.signals.clip.reference import DEFAULT
from assay.signals.columns import Columns, PoolInputs, Setting, WholePool


def _pin(pool: AnyPool, settings: Mapping[str, Setting]) -> Mapping[str, Setting]:
    """Add the list's digest."""
    return {**settings, "list": digest_json(_list(pool, settings))}


def _list(pool: AnyPool, settings: Mapping[str, Setting]) -> list[str]:
    return concept_list(pool, str(settings["concepts"]), str(settings["reference"]))


def _nouns(inputs: PoolInputs) -> Columns:
    nouns = set(_list(inputs.pool, inputs.parameters))
    captions = captions_of(inputs.pool)
    found = [sum(word.lower() in nouns for word in caption.split()) for caption in captions]
    return {"num_nouns": np.array(found, dtype=np.int32)}


NOUN_COUNT = WholePool(
    name="nouns",
    version=1,
    kind="image-text",
    columns={"num_nouns": "words of the caption, between white space, that are in a list of nouns"},
    compute=_nouns,
    parameters={"concepts": "nouns", "reference": DEFAULT},
    pin=_pin,
)


def _concepts(inputs: PoolInputs) -> Columns:
    found = ConceptMatches.of(captions_of(inputs.pool), _list(inputs.pool, inputs.parameters))
    most = threshold_of_tail(found.counts, float(inputs.parameters["tail"]))
    return {
        "num_concepts": found.num,
        "rarest_concept": found.extreme(np.minimum),
        "commonest_concept": found.extreme(np.maximum),
        "metaclip_probability": found.keep_probability(most),
    }


CONCEPTS = WholePool(
    name="concepts",
    version=2,
    kind="image-text",
    columns={
        "num_concepts": "different concepts of a list that the caption names",
        "rarest_concept": "captions that name the rarest of them; 0 where it names none",
        "commonest_concept": "captions that name the commonest of them; 0 where it names none",
        "metaclip_probability": "of being kept where concepts above the tail are thinned",
    },
    compute=_concepts,
    parameters={"concepts": "grams", "reference": DEFAULT, "tail": 0.06},
    pin=_pin,
)
