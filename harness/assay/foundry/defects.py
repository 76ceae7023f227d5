"""The planted defects: one table of names, rates and qualities, and what each does to a text."""

import re
from collections.abc import Callable
from dataclasses import dataclass

from assay.foundry.draw import Draw
from assay.foundry.layout import BLOCK
from assay.foundry.noise import BOILERPLATE, SCRIPTS, foreign_text, gibberish_text, spam_text
from assay.foundry.world import word_list


@dataclass(frozen=True, slots=True)
class Defect:
    """One kind of bad document.

    Attributes:
        name: Stable; what `Truth.defects` holds.
        per_mille: Documents of a thousand that have it as their first defect.
        quality: Worth of such a document for training, from 0 to below 1 (clean).
        visible: Whether surface statistics (symbols, stop words, repeated or unfinished lines) show it.
        description: One line for the data card.
    """

    name: str
    per_mille: int
    quality: float
    visible: bool
    description: str


DEFECTS: tuple[Defect, ...] = (
    Defect("boilerplate", 65, 0.3, True, "navigation, cookie notices and footers around half a page"),
    Defect("foreign_language", 55, 0.05, True, "a made-up language with its own words"),
    Defect("keyword_spam", 45, 0.05, True, "search terms without sentences"),
    Defect("gibberish", 45, 0.0, True, "random characters and wrongly decoded text"),
    Defect("markup_residue", 50, 0.3, True, "tags, entities and scripts left in the text"),
    Defect("repetition", 45, 0.2, True, "two sentences over and over"),
    Defect("truncated", 30, 0.6, True, "broken off in mid-sentence"),
    Defect("shouting", 25, 0.4, True, "all in capitals, with exclamation marks"),
    Defect("shuffled_words", 40, 0.1, False, "the right words in random order"),
    Defect("corrupted_facts", 80, 0.2, False, "fluent, but every fact is wrong, each document in its own way"),
    Defect("broken_agreement", 65, 0.2, False, "verbs, articles and pronouns that do not agree; words swapped"),
    Defect("wrong_arithmetic", 25, 0.2, False, "sums with wrong results"),
    Defect("near_duplicate", 40, 0.85, False, "another page's text with light edits"),
    Defect("exact_duplicate", 15, 0.8, False, "another page's text on another host"),
    Defect("leaked_item", 10, 0.1, False, "a good page that holds an item of the suite with its answer"),
)  # fmt: skip
"""Every kind of defect. What is left of a thousand documents is clean."""

DEFECT: dict[str, Defect] = {defect.name: defect for defect in DEFECTS}
"""The same by name."""

SECOND_DEFECT_PERCENT = 20
"""How many documents of a kind in `WRAPPERS` also have one of `INNER` underneath."""

WRAPPERS = ("boilerplate", "markup_residue", "truncated", "shouting", "repetition")
INNER = ("corrupted_facts", "broken_agreement")


def defect_rates() -> dict[str, float]:
    """Return, by name, the fraction of documents whose first defect is of that kind."""
    return {defect.name: defect.per_mille / BLOCK for defect in DEFECTS}


def quality(defects: tuple[str, ...]) -> float:
    """Return a document's worth in [0, 1]: its worst defect's, less a little for a second one."""
    if not defects:
        return 1.0
    worst = min(DEFECT[name].quality for name in defects)
    return worst if len(defects) == 1 else 0.75 * worst


_PARTNERS = word_list(
    "is/are was/were has/have likes/like lives/live loves/love keeps/keep takes/take works/work "
    "plays/play enjoys/enjoy comes/come sleeps/sleep walks/walk knows/know waits/wait looks/look "
    "needs/need stands/stand costs/cost eats/eat goes/go does/do says/say wears/wear makes/make "
    "gives/give spends/spend lies/lie sells/sell this/these This/These That/Those a/an she/he "
    "She/He her/his Her/His"
)
_SWAPS: dict[str, str] = {}
for _left, _right in (partners.split("/") for partners in _PARTNERS):
    _SWAPS |= {_left: _right, _right: _left}
_SWAPPED = re.compile(r"\b(" + "|".join(sorted(_SWAPS)) + r")\b")


def break_agreement(text: str, draw: Draw) -> str:
    """Turn most verbs, articles and pronouns into their partner, and swap some neighbours."""
    text = _SWAPPED.sub(lambda hit: _SWAPS[hit[0]] if draw.percent(65) else hit[0], text)
    lines = []
    for line in text.split("\n"):
        parts = line.split(" ")
        for _ in range(len(parts) // 12):
            i = draw.below(len(parts) - 1)
            parts[i], parts[i + 1] = parts[i + 1], parts[i]
        lines.append(" ".join(parts))
    return "\n".join(lines)


def _shuffle_words(text: str, draw: Draw) -> str:
    """Shuffle within lines, but leave each line's last word, so that punctuation shows nothing."""
    lines = []
    for line in text.split("\n"):
        *parts, last = line.split(" ")
        draw.shuffle(parts)
        lines.append(" ".join((*parts, last)))
    return "\n".join(lines)


def _boilerplate(text: str, draw: Draw) -> str:
    lines = text.split("\n")
    kept = lines[: max(1, len(lines) // 2)]
    around = draw.sample(BOILERPLATE, draw.between(10, 14))
    head = draw.between(4, 7)
    return "\n".join((*around[:head], *kept, *around[head:]))


def _markup(text: str, draw: Draw) -> str:
    tags = ("div", "p", "span", "li", "td")
    lines = [draw.choice(SCRIPTS)]
    for line in text.split("\n"):
        tag = draw.choice(tags)
        parts = line.replace(". ", ".&nbsp;<br/> ").replace(" the ", " <b>the</b> ")
        lines.append(
            f'<{tag} class="c{draw.below(100)}" id="{tag}-{draw.below(1000)}">{parts}</{tag}>'
        )
        if draw.percent(40):
            lines.append(draw.choice(SCRIPTS))
    return "\n".join(lines)


def _repeat(text: str, draw: Draw) -> str:
    sentences = text.replace("\n", " ").split(". ")
    first = draw.below(max(1, len(sentences) - 2))
    loop = ". ".join(sentences[first : first + 2]).rstrip(".") + "."
    return (" ", "\n")[draw.below(2)].join([loop] * draw.between(6, 9))


def _truncate(text: str, draw: Draw) -> str:
    cut = text[: len(text) * draw.between(30, 60) // 100]
    return cut + draw.choice(("...", "... Read more", ""))


def _shout(text: str, draw: Draw) -> str:
    return text.upper().replace(".", "!" * draw.between(1, 3))


def light_edit(text: str, draw: Draw) -> str:
    """Change one to three small things, as sites do that copy from each other."""
    for _ in range(draw.between(1, 3)):
        lines = text.split("\n")
        edit, where = draw.below(3), draw.below(len(lines))
        if edit == 0:
            note = draw.choice(("Last updated on Monday.", "Posted by the editor.", "A page of our library."))  # fmt: skip
            lines.insert(draw.choice((0, len(lines))), note)
        elif edit == 1:
            head, dot, _ = lines[where].rpartition(". ")
            lines[where] = head + "." if dot else lines[where]
        else:
            parts = lines[where].split(" ")
            i = draw.below(len(parts))
            parts[i] = parts[i] + parts[i][-1]
            lines[where] = " ".join(parts)
        text = "\n".join(lines)
    return text


GARBLE: dict[str, Callable[[str, Draw], str]] = {
    "boilerplate": _boilerplate,
    "markup_residue": _markup,
    "repetition": _repeat,
    "truncated": _truncate,
    "shouting": _shout,
    "shuffled_words": _shuffle_words,
    "broken_agreement": break_agreement,
    "near_duplicate": light_edit,
}
"""The defects that are done to a finished text."""

REPLACE: dict[str, Callable[[Draw], str]] = {
    "foreign_language": foreign_text,
    "keyword_spam": spam_text,
    "gibberish": gibberish_text,
}
"""The defects that leave nothing of a text."""
