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

from assay.errors import StrategyError
from assay.home import package_folder
from assay.strategy.load import list_strategies

FIELDS = ("Claim", "Source", "Cost", "Form", "Needs")

_FIELD = re.compile(rf"^({'|'.join(FIELDS)}):[ \t]+(\S.*(?:\n[ \t]+\S.*)*)", re.MULTILINE)
_LINK = re.compile(r"https?://[^\s,;()]+[^\s,;().:]")


@dataclass(frozen=True)
class Card:
    """A baseline in words.

    Attributes:
        name: As `assay select` takes it.
        modality: `text` or `clip`.
        summary: First line of the docstring.
        claim: What it is said to do.
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
        source=found["Source"],
        papers=tuple(_LINK.findall(found["Source"])),
        cost=found["Cost"],
        form=found["Form"],
        needs=found["Needs"],
    )
