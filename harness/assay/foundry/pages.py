"""Documents: a page of some genre, whatever is wrong with it, an address, and the truth about it."""

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from itertools import accumulate

from assay.foundry import address
from assay.foundry.defects import (
    DEFECT,
    DEFECTS,
    GARBLE,
    INNER,
    REPLACE,
    SECOND_DEFECT_PERCENT,
    WRAPPERS,
    quality,
)
from assay.foundry.draw import Draw
from assay.foundry.genres import GENRES
from assay.foundry.items import leak
from assay.foundry.layout import Layout, Slot
from assay.foundry.narrator import Narrator

VERSION = 1
"""Part of every uid; bumped whenever a byte of any document changes."""

GENRE_SHARES = {
    "encyclopedia": 24,
    "story": 16,
    "questions": 16,
    "guide": 10,
    "report": 12,
    "arithmetic": 12,
    "letter": 10,
}
"""Of a hundred clean documents, how many are of each genre."""

_LAYOUT = Layout("layout", {defect.name: defect.per_mille for defect in DEFECTS})
_GENRE_WEIGHTS = tuple(accumulate(GENRE_SHARES.values()))
_GENRE_NAMES = tuple(GENRE_SHARES)
_RICH_IN_FACTS = ("encyclopedia", "story", "questions", "report", "letter")


@dataclass(frozen=True, slots=True)
class Truth:
    """What only an oracle and the diagnostics may know of a document.

    Attributes:
        quality: Worth for training, in [0, 1]; 1 is clean.
        defects: Names of its defects, the one that it was planned to have first.
        cluster: Index of the document whose text it shares; its own index where it copies nobody.
        cluster_size: Documents that share that text, this one included.
        leaked_item: `task:index` of the suite's item that stands in it, or None.
        genre: Name of the genre, or `none` where nothing of a page is left.
    """

    quality: float
    defects: tuple[str, ...]
    cluster: int
    cluster_size: int
    leaked_item: str | None
    genre: str


@dataclass(frozen=True, slots=True)
class FoundryDocument:
    """One candidate.

    Attributes:
        uid: 16 bytes, a hash, so that order tells nothing.
        text: The page.
        columns: What a curator may see: `url`, `host`, `timestamp` (ISO date).
        truth: What a curator may not see.
    """

    uid: bytes
    text: str
    columns: dict[str, str]
    truth: Truth


def documents(start: int, stop: int) -> Iterator[FoundryDocument]:
    """Yield the documents with indices in [start, stop).

    Every document is a function of its index alone: any range, in any order, on any machine, gives
    the same bytes.
    """
    for index in range(start, stop):
        yield _document(index)


def spam_documents(start: int, stop: int) -> Iterator[FoundryDocument]:
    """Yield pages of keyword spam of another stream: none of them is in the pool or the suite."""
    for index in range(start, stop):
        uid = _uid(f"spam/{index}")
        draw = Draw("spam/address", index)
        host, date = address.host(draw, "visible"), address.date(draw, clean=False)
        defects = ("keyword_spam",)
        yield FoundryDocument(
            uid,
            REPLACE["keyword_spam"](Draw("spam/page", index)),
            _address(host, date, uid),
            Truth(quality(defects), defects, index, 1, None, "none"),
        )


def reference_documents(start: int, stop: int) -> Iterator[FoundryDocument]:
    """Yield clean pages of another stream: none of them is in the pool or the suite."""
    for index in range(start, stop):
        page = Draw("reference/page", index)
        genre = _genre(page, ())
        uid = _uid(f"reference/{index}")
        draw = Draw("reference/address", index)
        host, date = address.host(draw, "clean"), address.date(draw, clean=True)
        yield FoundryDocument(
            uid,
            GENRES[genre](Narrator(page)),
            _address(host, date, uid),
            Truth(1.0, (), index, 1, None, genre),
        )


def _document(index: int) -> FoundryDocument:
    plan = _LAYOUT.slot(index)
    draw = Draw("document", index)
    leaked = None
    if plan.cluster != index:
        genre, text, defects = _copy(plan, draw)
    elif plan.defect in REPLACE:
        genre, text, defects = "none", REPLACE[plan.defect](draw), (plan.defect,)
    else:
        genre, text, defects = _page(index, plan.defect, draw)
    if plan.defect == "leaked_item":
        leaked, item = leak(draw)
        lines = text.split("\n")
        lines.insert(draw.below(len(lines) + 1), item)
        text = "\n".join(lines)
    uid = _uid(str(index))
    return FoundryDocument(
        uid,
        text,
        _columns(index, plan, uid),
        Truth(quality(defects), defects, plan.cluster, plan.cluster_size, leaked, genre),
    )


def _uid(name: str) -> bytes:
    return hashlib.blake2b(f"foundry-text/{VERSION}/{name}".encode(), digest_size=16).digest()


def _genre(draw: Draw, defects: tuple[str, ...]) -> str:
    """Choose a genre in which the defects can show."""
    if "wrong_arithmetic" in defects:
        return "arithmetic"
    if "corrupted_facts" in defects:
        return draw.choice(_RICH_IN_FACTS)
    return _GENRE_NAMES[draw.weighted(_GENRE_WEIGHTS)]


def _page(index: int, defect: str, draw: Draw) -> tuple[str, str, tuple[str, ...]]:
    """Write a page and spoil it as planned; return its genre, text and defects."""
    defects = (defect,) if defect else ()
    if defect in WRAPPERS and draw.percent(SECOND_DEFECT_PERCENT):
        defects = (defect, draw.choice(INNER))
    page = Draw("page", index)
    genre = _genre(page, defects)
    text = GENRES[genre](
        Narrator(page, "corrupted_facts" in defects, "wrong_arithmetic" in defects)
    )
    for name in reversed(defects):
        if name in GARBLE:
            text = GARBLE[name](text, draw)
    return genre, text, defects


@lru_cache(maxsize=256)
def _original(index: int) -> tuple[str, str]:
    genre, text, _ = _page(index, "", Draw("document", index))
    return genre, text


def _copy(plan: Slot, draw: Draw) -> tuple[str, str, tuple[str, ...]]:
    genre, text = _original(plan.cluster)
    if plan.defect in GARBLE:
        text = GARBLE[plan.defect](text, draw)
    return genre, text, (plan.defect,)


def _columns(index: int, plan: Slot, uid: bytes) -> dict[str, str]:
    date = address.date(Draw("date", index), clean=not plan.defect)
    return _address(_host(index, plan), date, uid)


def _address(host: str, date: str, uid: bytes) -> dict[str, str]:
    year, month, _ = date.split("-")
    return {
        "url": f"https://{host}/{year}/{month}/{uid[:5].hex()}",
        "host": host,
        "timestamp": date,
    }


def _host(index: int, plan: Slot) -> str:
    """Return the host of a document; never, for a copy, that of the original."""
    draw = Draw("host", index)
    if plan.cluster == index:
        visible = plan.defect and DEFECT[plan.defect].visible
        return address.host(draw, "visible" if visible else "hidden" if plan.defect else "clean")
    taken = _host(plan.cluster, _LAYOUT.slot(plan.cluster))
    host = taken
    while host == taken:
        host = address.host(draw, "copy")
    return host
