"""The dataclasses of a suite. A suite is sealed: every item file has a digest."""

from dataclasses import dataclass
from typing import Literal

Form = Literal["choice", "schema", "exact", "text"]
"""What an item is, one JSON object a line:

- `choice`: `{"context": str, "choices": [str, ...], "gold": int}`; which continuation is likeliest.
- `schema`: `{"contexts": [str, ...], "continuation": str, "gold": int}`; which context makes the
  continuation likeliest.
- `exact`: `{"context": str, "continuation": str}`; is it what greedy decoding writes.
- `text`: `{"text": str}`; a held-out document, scored in bits per byte only.
"""

Normalization = Literal["none", "bytes", "tokens"]
"""What a choice's log-likelihood is divided by before choices are compared."""


@dataclass(frozen=True)
class Task:
    """One task of a suite.

    Attributes:
        name: Unique in the suite; the item file is `<name>.jsonl`.
        group: Heading under which it is shown, such as `grammar` or `heldout`.
        form: See `Form`.
        digest: `sha256:` of the item file's bytes.
        num_items: Lines in the item file.
        shots: Solved examples put before each item, drawn from the other items by a fixed seed.
        delimiter: Text between a context and its continuation.
        normalization: See `Normalization`; ignored where there is nothing to compare.
        description: One line for people.
    """

    name: str
    group: str
    form: Form
    digest: str
    num_items: int
    shots: int = 0
    delimiter: str = " "
    normalization: Normalization = "bytes"
    description: str = ""


@dataclass(frozen=True)
class Suite:
    """A named, versioned list of tasks; an aggregate over it needs every one of them.

    Attributes:
        name: Such as `foundry-text`, `core`, `blimp`.
        version: Bumped whenever a score could move.
        tasks: In the order in which they are shown.
    """

    name: str
    version: int
    tasks: tuple[Task, ...]
