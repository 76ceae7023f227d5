"""What a baseline's docstring says of it.

    First line: the name, a colon, and what it keeps.

    Claim:  What the paper (or whoever) says it does, with numbers.
    Source: Where that is, with a link.
    Cost:   What it takes, for a million documents or pairs.
    Form:   Of the submission: ids, weighted or staged.
    Needs:  What it reads besides the pool: signals, a reference, the ground truth; or nothing.

    Anything else, such as what was substituted and why.

A field's text goes on in indented lines.
"""

import ast
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from assay.errors import StrategyError
from assay.home import package_folder
from assay.spec import did_you_mean
from assay.strategy.load import list_strategies

FIELDS = ("Claim", "Ranks", "Source", "Cost", "Form", "Needs")
NO_CLAIM = "no claim"

_FIELD = re.compile(rf"^({'|'.join(FIELDS)}):[ \t]+(\S.*(?:\n[ \t]+\S.*)*)", re.MULTILINE)
_RANKS = re.compile(r"(above|below) (\w+)")
_LINK = re.compile(r"https?://[^\s,;()]+[^\s,;().:]")


@dataclass(frozen=True)
class Ranking:
    """A claim that a table of scores can test.

    Attributes:
        side: Where the baseline is said to come in the order of scores, best on top.
        comparator: The baseline that it is said to come above or below.
    """

    side: Literal["above", "below"]
    comparator: str


@dataclass(frozen=True)
class Card:
    """A baseline in words.

    Attributes:
        name: As `assay select` takes it.
        modality: `text` or `clip`.
        summary: First line of the docstring.
        claim: What it is said to do.
        ranks: The same as far as a table of scores can test it; None where nothing is claimed.
        source: Where that is said.
        papers: Links in the source.
        cost: What it takes.
        form: Of the submission.
        needs: What it reads besides the pool.
    """

    name: str
    modality: str
    summary: str
    claim: str
    ranks: Ranking | None
    source: str
    papers: tuple[str, ...]
    cost: str
    form: str
    needs: str


def cards(modality: str) -> list[Card]:
    """Return the package's baselines of a modality, by name."""
    folder = package_folder("baselines") / modality
    return [read_card(folder / f"{name}.py", modality) for name in list_strategies(modality)]


def read_card(path: Path, modality: str) -> Card:
    """Return what a strategy file says of itself, without running it.

    Raises:
        StrategyError: If it cannot be parsed, or a field is missing.
    """
    try:
        text = ast.get_docstring(ast.parse(path.read_bytes())) or ""
    except SyntaxError as error:
        raise StrategyError(f"{path.name} line {error.lineno}: {error.msg}") from None
    found = {name: " ".join(value.split()) for name, value in _FIELD.findall(text)}
    missing = [name for name in FIELDS if name not in found]
    if missing:
        raise StrategyError(
            f"{path.name}: its docstring does not say {', '.join(missing)}; a line for each, such as "
            "`Cost:   about a core-hour`; see baselines/README.md"
        )
    return Card(
        name=path.stem,
        modality=modality,
        summary=text.splitlines()[0],
        claim=found["Claim"],
        ranks=_ranking(path, found["Ranks"]),
        source=found["Source"],
        papers=tuple(_LINK.findall(found["Source"])),
        cost=found["Cost"],
        form=found["Form"],
        needs=found["Needs"],
    )


def _ranking(path: Path, text: str) -> Ranking | None:
    """Read `above NAME`, `below NAME` or `no claim`; NAME is a file in the same folder."""
    if text == NO_CLAIM:
        return None
    found = _RANKS.fullmatch(text)
    if found is None:
        raise StrategyError(
            f"{path.name}: Ranks is {text!r}; it is `above NAME`, `below NAME` or `{NO_CLAIM}`, such as "
            "`Ranks:  above random`; see baselines/README.md"
        )
    others = [other.stem for other in sorted(path.parent.glob("*.py")) if other != path]
    if found[2] not in others:
        hint = did_you_mean(found[2], others)
        raise StrategyError(f"{path.name}: Ranks names {found[2]!r}, which is no baseline{hint}")
    return Ranking("above" if found[1] == "above" else "below", found[2])
