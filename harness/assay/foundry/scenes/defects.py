"""The planted defects: one table of names, rates and worths, and the words of worthless captions."""

from dataclasses import dataclass

from assay.foundry.draw import Draw
from assay.foundry.layout import BLOCK


@dataclass(frozen=True, slots=True)
class Defect:
    """One kind of bad pair.

    Attributes:
        name: Stable; what `Truth.defect` holds.
        per_mille: Pairs of a thousand that have it as their first defect.
        quality: Worth of such a pair for training, from 0 to below 1000 (clean, fully described).
        seen: What it takes to see it: `caption`, `image`, `both` or `others` (other pairs, the suite).
        description: One line for the data card.
    """

    name: str
    per_mille: int
    quality: int
    seen: str
    description: str


DEFECTS: tuple[Defect, ...] = (
    Defect("mismatched_caption", 160, 0, "both", "the caption of another scene"),
    Defect("partly_wrong", 150, 300, "both", "one fact of the caption is wrong: colour, shape, number, relation"),
    Defect("generic_caption", 70, 50, "caption", "a caption that suits any image"),
    Defect("foreign_caption", 70, 200, "caption", "German, French or Spanish, word by word"),
    Defect("file_name", 60, 20, "caption", "a file's name for a caption"),
    Defect("rendered_text", 60, 30, "image", "no scene, but an image of the caption's words"),
    Defect("boilerplate", 50, 450, "caption", "a shop's words around the caption or in its place"),
    Defect("watermark", 40, 780, "image", "words stamped over the scene"),
    Defect("near_duplicate", 40, 760, "others", "another pair's scene, shifted, recoloured or noisier"),
    Defect("exact_duplicate", 30, 700, "others", "another pair's image and caption on another host"),
    Defect("tiny_image", 30, 150, "image", "under 12 pixels a side"),
    Defect("extreme_aspect", 20, 300, "image", "more than four times as long as wide"),
    Defect("leaked_item", 2, 100, "others", "an image of the suite with a true caption"),
)  # fmt: skip
"""Every kind of defect. What is left of a thousand pairs is clean."""

DEFECT: dict[str, Defect] = {defect.name: defect for defect in DEFECTS}
"""The same by name."""

WRAPPERS = ("boilerplate", "watermark", "tiny_image", "extreme_aspect")
"""Defects under which a caption may also be of another scene."""

SECOND_DEFECT_PERCENT = 20
"""How many pairs with one of `WRAPPERS` also have a mismatched caption."""

INSTEAD_PERCENT = 40
"""How many captions boilerplate replaces; it surrounds the others."""

_CLEAN, _PER_FACT, _MOST_FACTS = 820, 60, 3


def defect_rates() -> dict[str, float]:
    """Return, by name, the fraction of pairs whose first defect is of that kind."""
    return {defect.name: defect.per_mille / BLOCK for defect in DEFECTS}


def quality(defects: tuple[str, ...], detail: int) -> int:
    """Return a pair's worth in [0, 1000].

    Args:
        defects: Names of its defects; the worst decides.
        detail: How many facts of the scene its caption states; a clean pair is worth more the more
            it says, up to three.
    """
    if defects:
        return min(DEFECT[name].quality for name in defects)
    return _CLEAN + _PER_FACT * min(detail, _MOST_FACTS)


_GENERIC = (
    *("image", "photo", "nice picture", "untitled", "my favourite", "stock image", "a picture"),
    *("picture of the day", "image may be subject to copyright", "no description available"),
    *("click to enlarge", "see more photos", "beautiful", "design by hand", "free download"),
    *("photo gallery", "best of the week", "just a photo", "here is a nice image", "thumbnail"),
)
_FILE_STEMS = ("IMG_{:04d}", "DSC{:05d}", "image{:03d}", "scan-{:04d}", "P{:07d}", "pic_{:d}_final")
_FILE_ENDS = (".jpg", ".JPG", ".png", ".jpeg", "")
_BEFORE = (
    *("Buy {} online", "{} | free shipping", "Sale: {} - 20% off", "{} - shop now at Bargains4U"),
    *("Home > Shop > Prints > {}", "{} poster, in stock, order today", "New arrival! {} | best price"),
)  # fmt: skip
_INSTEAD = (
    *("Buy now and save 20%", "Free shipping on all orders", "Add to cart | wish list | compare"),
    *("Home > Shop > Prints > New", "Sign up for our newsletter", "In stock, order today"),
    *("Best price guaranteed - shop now", "Accept cookies to continue", "Customers also bought"),
)
_STAMPS = ("STOCK", "SAMPLE", "PREVIEW", "PROOF", "DEMO", "COPY", "PHOTO")


def generic_caption(draw: Draw) -> str:
    """Return a caption that says nothing."""
    text = draw.choice(_GENERIC)
    if draw.percent(30):
        text = text[0].upper() + text[1:]
    return f"{text} {draw.between(1, 99)}" if draw.percent(25) else text


def file_name(draw: Draw) -> str:
    """Return a file's name, as cameras and scanners give it."""
    return draw.choice(_FILE_STEMS).format(draw.below(10_000)) + draw.choice(_FILE_ENDS)


def boilerplate(draw: Draw, caption: str) -> tuple[str, bool]:
    """Return a shop's words around or instead of a caption, and whether the caption is gone."""
    if draw.percent(INSTEAD_PERCENT):
        return draw.choice(_INSTEAD), True
    return draw.choice(_BEFORE).format(caption.rstrip(".")), False


def stamp(draw: Draw) -> str:
    """Return what a watermark says."""
    return draw.choice(_STAMPS)
