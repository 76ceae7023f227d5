"""Where and when a page was found: hosts that differ in quality, and years that get worse."""

from itertools import accumulate

from assay.foundry.draw import Draw
from assay.foundry.world import TOWNS, word_list

TIERS = 5
"""Hosts fall into tiers of equal size, from the most to the least careful."""

_HOST_WORDS = word_list(
    "library gazette school museum society college herald archive "
    "times forum guide club post notes network weekly "
    "blog list corner portal answers board pages world "
    "hub daily feed mirror zone tips copy planet "
    "deals click bargains seo promo offers traffic links"
)
HOSTS = tuple(
    f"{TOWNS[i * 7 % len(TOWNS)].lower()}-{word}.example" for i, word in enumerate(_HOST_WORDS)
)
"""Host names, tier by tier."""

_TIER_WEIGHTS = {
    "clean": (36, 28, 19, 11, 6),
    "visible": (5, 10, 19, 28, 38),
    "hidden": (12, 18, 24, 25, 21),
    "copy": (6, 10, 22, 38, 24),
}
"""In a hundred documents, how many come from each tier of hosts."""

FIRST_YEAR = 2016
_YEAR_WEIGHTS = {
    "clean": (13, 13, 12, 11, 10, 10, 9, 8, 7, 7),
    "bad": (6, 7, 8, 9, 10, 11, 11, 12, 13, 13),
}
"""In a hundred documents, how many were found in each year."""

_HOST_WEIGHTS = {
    sort: tuple(
        accumulate(tier * (12 - place) for tier in tiers for place in range(len(HOSTS) // TIERS))
    )
    for sort, tiers in _TIER_WEIGHTS.items()
}
_YEARS = {sort: tuple(accumulate(weights)) for sort, weights in _YEAR_WEIGHTS.items()}


def host(draw: Draw, sort: str) -> str:
    """Return a host that may carry a document of this sort: clean, visible, hidden or copy."""
    return HOSTS[draw.weighted(_HOST_WEIGHTS[sort])]


def date(draw: Draw, clean: bool) -> str:
    """Return the ISO date on which a page was found."""
    year = FIRST_YEAR + draw.weighted(_YEARS["clean" if clean else "bad"])
    return f"{year}-{draw.between(1, 12):02d}-{draw.between(1, 28):02d}"
