"""Where an image was found: hosts that differ in care and in what they like to show."""

from itertools import accumulate

from assay.foundry.draw import Draw
from assay.foundry.scenes.concepts import TIERS

_WORDS = (
    *("museum", "archive", "atlas", "school", "library", "gallery", "studio", "academy"),
    *("journal", "magazine", "portfolio", "notebook", "sketches", "prints", "posters", "wiki"),
    *("albums", "photos", "shots", "pics", "frames", "clips", "snaps", "views"),
    *("uploads", "share", "pinboard", "mirror", "feed", "boards", "stock", "cdn"),
    *("deals", "bargains", "outlet", "promo", "offers", "traffic", "spam", "links"),
)
HOSTS = tuple(f"{word}.example" for word in _WORDS)
"""Host names, tier by tier."""

HOSTS_PER_TIER = len(HOSTS) // TIERS

_TIER_WEIGHTS = {
    "clean": (34, 28, 20, 12, 6),
    "both": (8, 14, 22, 28, 28),
    "caption": (4, 8, 18, 28, 42),
    "image": (6, 12, 22, 32, 28),
    "others": (6, 10, 22, 38, 24),
}
"""In a hundred pairs, how many come from each tier, by what it takes to see what is wrong."""

_WEIGHTS = {
    sort: tuple(accumulate(tier * (12 - place) for tier in tiers for place in range(HOSTS_PER_TIER)))
    for sort, tiers in _TIER_WEIGHTS.items()
}  # fmt: skip


def host(draw: Draw, sort: str) -> int:
    """Return the position in `HOSTS` of a host that may show a pair of this sort."""
    return draw.weighted(_WEIGHTS[sort])


def tier(position: int) -> int:
    """Return the tier of a host, 0 the most careful."""
    return position // HOSTS_PER_TIER
