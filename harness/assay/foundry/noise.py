"""What is not about the world at all: another language, search terms, bytes, and page furniture."""

from functools import lru_cache
from itertools import accumulate

from assay.foundry.draw import Draw
from assay.foundry.world import FOODS, OBJECTS, TOWNS

BOILERPLATE = (
    "Home | News | About us | Contact | Log in",
    "Skip to content",
    "We use cookies to improve this site. Accept all | Reject all",
    "Privacy policy | Terms of use | Cookie settings",
    "Share this page | Print | Send to a friend",
    "Sign up for our newsletter",
    "Copyright 2021 All rights reserved",
    "You have 0 items in your cart",
    "Loading comments",
    "Read more",
    "Related pages",
    "Click here to log in or register",
    "Menu | Search | Help",
    "Please enable javascript to view this page",
    "Previous page | Next page",
    "Follow us | Subscribe | Donate",
    "Most read | Most shared | Latest",
    "Advertisement",
)
"""Lines of page furniture."""

SCRIPTS = (
    "<script>var page = {id: 17, ads: true}; load(page);</script>",
    "function init() { return document.body; }",
    '<a href="/index.html"><img src="/i/logo.png" alt=""/></a>',
    "<!-- begin main --><table><tr><td></td></tr></table>",
    ".main { color: #333; margin: 0 auto; }",
    '{"type": "page", "tags": [], "next": null}',
)
"""Code that belongs in no text."""

_ONSETS = ("b", "d", "f", "g", "k", "l", "m", "n", "p", "r", "s", "t", "v", "z", "sh", "tr", "kr", "zl")  # fmt: skip
_VOWELS = ("a", "e", "i", "o", "u", "ai", "ou", "ö", "ü", "é")
_CODAS = ("", "", "", "n", "k", "r", "s", "lm", "ts")


@lru_cache(maxsize=1)
def _foreign_words() -> tuple[tuple[str, ...], tuple[int, ...]]:
    """Return the made-up language's words, the commonest first, and their running weights."""
    draw = Draw("foreign")
    words: list[str] = []
    while len(words) < 400:
        syllables = 1 if len(words) < 40 else draw.between(2, 3)
        word = "".join(
            draw.choice(_ONSETS) + draw.choice(_VOWELS) + draw.choice(_CODAS)
            for _ in range(syllables)
        )
        if word not in words:
            words.append(word)
    return tuple(words), tuple(accumulate(4000 // (8 + k) for k in range(len(words))))


def foreign_text(draw: Draw) -> str:
    """Return sentences of the made-up language."""
    words, weights = _foreign_words()
    lines = []
    for _ in range(draw.between(3, 4)):
        sentences = []
        for _ in range(draw.between(3, 5)):
            said = " ".join(words[draw.weighted(weights)] for _ in range(draw.between(5, 10)))
            sentences.append(said.capitalize() + ".")
        lines.append(" ".join(sentences))
    return "\n".join(lines)


def spam_text(draw: Draw) -> str:
    """Return search terms in a loop, hardly a sentence among them."""
    goods = draw.sample(OBJECTS + FOODS, 4)
    places = draw.sample(TOWNS, 2)
    praise = ("cheap", "best", "buy", "online", "sale", "price", "free", "top", "discount", "shop")
    words: list[str] = []
    for _ in range(draw.between(30, 45)):
        words += (draw.choice(praise), draw.choice(goods), draw.choice(praise))
        if draw.percent(30):
            words.append(draw.choice(places))
    return ", ".join(" ".join(words[i : i + 4]) for i in range(0, len(words), 4))


_CHARACTERS = bytes(range(33, 127)) * 2 + b"    " * 12 + b"0123456789" + b"\n\n"
_RANDOM_CHARACTERS = (_CHARACTERS * 2)[:256]
_MOJIBAKE = ("Ã©", "â€™", "Ã¼", "Â ", "â€œ", "Ã¶", "ï¿½", "Ã ", "â€“", "Ã±")


def gibberish_text(draw: Draw) -> str:
    """Return random characters, or words with every vowel decoded wrongly."""
    if draw.percent(60):
        return (
            draw.raw(draw.between(350, 600)).translate(_RANDOM_CHARACTERS).decode("ascii").strip()
        )
    consonants = "bcdfghjklmnpqrstvwxz"
    words = [
        draw.choice(consonants) + draw.choice(_MOJIBAKE) + draw.choice(consonants)
        for _ in range(draw.between(60, 100))
    ]
    return " ".join(words)
