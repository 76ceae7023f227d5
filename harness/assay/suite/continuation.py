"""Tasks out of nothing but held-out documents: which of four continuations is this document's own."""

import re
from collections.abc import Mapping, Sequence
from typing import Any

from assay.console import say
from assay.errors import SuiteError
from assay.foundry.draw import Draw
from assay.suite.items import Item, check_name

CONTEXT_WORDS = 60
"""Words shown at most, ending at the end of a sentence or line."""
MIN_CONTEXT_WORDS = 20
CONTINUATION_WORDS = 20
MAX_CONTINUATION_CHARS = 400
"""Longer ones are not prose: scripts without spaces, encoded data, tables."""
DISTRACTORS = 3
_SIMILAR = 8
"""Distractors are drawn among so many of the nearest shorter and of the nearest longer."""
_PASSES = 8
"""Continuations taken from one document at most."""

_WORD = re.compile(r"\S+")
_SENTENCE_END = re.compile(r"[.!?][\"')\]”’]*$")


def heldout_tasks(
    domains: Mapping[str, Sequence[str]], *, seed: int = 0, count: int = 100
) -> dict[str, tuple[list[Item], dict[str, Any]]]:
    """Return the tasks of a private track, as `write_suite` takes them.

    Every domain becomes `heldout_<domain>` (bits per byte) and, where it has enough documents,
    `continuation_<domain>` (which of four continuations is right), so that a track without a single
    question has both primary metrics.

    Args:
        domains: Domain name to its held-out documents.
        seed: Of the continuations.
        count: Continuation items per domain, at most.

    Raises:
        SuiteError: If no domain has enough documents for continuations.
    """
    tasks: dict[str, tuple[list[Item], dict[str, Any]]] = {}
    for domain, documents in domains.items():
        check_name(f"continuation_{domain}")
        items = continuation_items(documents, seed, count)
        if items:
            fields = {
                "group": "continuation",
                "form": "choice",
                "description": f"{domain}: what follows",
            }
            tasks[f"continuation_{domain}"] = (items, fields)
        else:
            say(f"domain {domain!r}: too few long documents for continuations; bits per byte only")
    if not tasks:
        raise SuiteError(
            f"no domain has {DISTRACTORS + 1} documents of {MIN_CONTEXT_WORDS + CONTINUATION_WORDS} words "
            "and more in sentences; add held-out documents"
        )
    for domain, documents in domains.items():
        texts: list[Item] = [{"text": text} for text in documents if text]
        fields = {"group": "heldout", "form": "text", "description": f"{domain}: held-out text"}
        tasks[f"heldout_{domain}"] = (texts, fields)
    return tasks


def continuation_items(documents: Sequence[str], seed: int, count: int) -> list[Item]:
    """Make items of form `choice` from one domain's documents.

    Each has a context that ends with a sentence or line, the words that truly follow, and three
    passages that truly follow elsewhere, in other documents of the domain, of similar length. A pure
    function of its arguments.

    Args:
        documents: Held-out texts of one domain.
        seed: Of the draws.
        count: Items at most; fewer where the documents do not have as many, none where fewer than
            four documents can be continued.
    """
    passages = _passages(documents, seed)
    if len({document for document, _, _ in passages}) <= DISTRACTORS:
        return []
    items: list[Item] = []
    for number, passage in enumerate(passages[:count]):
        draw = Draw(f"continuation/{seed}/answers", number)
        choices = _distractors(passage, passages, draw)
        if len(choices) == DISTRACTORS:
            gold = draw.below(DISTRACTORS + 1)
            choices.insert(gold, passage[2])
            items.append({"context": passage[1], "choices": choices, "gold": gold})
    return items


def _passages(documents: Sequence[str], seed: int) -> list[tuple[int, str, str]]:
    """Return (document, context, continuation), one of each document, then a second of each, ..."""
    rounds: list[list[tuple[int, str, str]]] = [[] for _ in range(_PASSES)]
    for number, text in enumerate(documents):
        words = [match.span() for match in _WORD.finditer(text)]
        cuts = _cuts(text, words)
        Draw(f"continuation/{seed}/cuts", number).shuffle(cuts)
        for turn, cut in zip(rounds, cuts, strict=False):
            context = text[words[max(0, cut - CONTEXT_WORDS)][0] : words[cut - 1][1]]
            answer = text[words[cut][0] : words[cut + CONTINUATION_WORDS - 1][1]]
            turn.append((number, context, answer))
    return [passage for turn in rounds for passage in turn]


def _cuts(text: str, words: Sequence[tuple[int, int]]) -> list[int]:
    """Return the words that begin a sentence or line with enough before and after them."""
    cuts: list[int] = []
    for i in range(MIN_CONTEXT_WORDS, len(words) - CONTINUATION_WORDS + 1):
        before, after = words[i - 1], words[i]
        ends_line = "\n" in text[before[1] : after[0]]
        if ends_line or _SENTENCE_END.search(text[before[0] : before[1]]):
            length = words[i + CONTINUATION_WORDS - 1][1] - after[0]
            if length <= MAX_CONTINUATION_CHARS:
                cuts.append(i)
    return cuts


def _distractors(
    passage: tuple[int, str, str], passages: Sequence[tuple[int, str, str]], draw: Draw
) -> list[str]:
    """Draw what follows elsewhere, from different other documents, among the nearest in length.

    How many are shorter is drawn first: were they merely the nearest, the right answer would be
    neither the longest nor the shortest in three of four items.
    """
    document, _, answer = passage
    others: dict[int, str] = {}
    for number, _, text in sorted(passages, key=lambda other: abs(len(other[2]) - len(answer))):
        if number != document and text != answer and text not in others.values():
            others.setdefault(number, text)
    if len(others) < DISTRACTORS:
        return []
    own = (len(answer), answer)
    shorter = [text for text in others.values() if (len(text), text) < own]
    longer = [text for text in others.values() if (len(text), text) > own]
    wanted = draw.below(DISTRACTORS + 1)
    below = min(max(wanted, DISTRACTORS - len(longer)), len(shorter))
    return draw.sample(shorter[:_SIMILAR], below) + draw.sample(
        longer[:_SIMILAR], DISTRACTORS - below
    )
