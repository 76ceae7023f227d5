"""The text of a `--where` expression as a tree, with the places of what is wrong."""

import ast
import io
import tokenize

from assay.errors import StrategyError

MAX_CHARACTERS = 4000

_WORDS = {"&": "and", "|": "or", "~": "not"}
"""These bind less tightly than comparisons, which is what people mean: `a > 1 & b == "x"`."""


def parse(source: str) -> ast.expr:
    """Return the tree of an expression, whose positions are those of `source`.

    Raises:
        StrategyError: If it is no expression, or too long.
    """
    if len(source) > MAX_CHARACTERS:
        raise StrategyError(f"--where: at most {MAX_CHARACTERS} characters, got {len(source)}")
    text, places = _with_words(source)
    try:
        tree = ast.parse(text, mode="eval").body
    except (SyntaxError, ValueError, RecursionError, MemoryError) as error:
        offset = getattr(error, "offset", None) or len(text) + 1  # none where the end came too soon
        place = places[min(offset - 1, len(places) - 1)]
        raise StrategyError(
            f"--where: character {place + 1}: {getattr(error, 'msg', error)}, at {source[place:][:30]!r}; "
            'write such as: top(gopher_words, 0.3) & language == "en"'
        ) from None
    for node in ast.walk(tree):
        if isinstance(node, ast.expr):
            node.col_offset = places[_characters(text, node.col_offset)]
    return tree


def _with_words(source: str) -> tuple[str, list[int]]:
    """Write `&`, `|` and `~` as words, which bind less tightly than comparisons.

    Returns:
        The text, and for each of its characters (and its end) the place in `source`.
    """
    flat = source.replace("\n", " ").replace("\r", " ")
    try:
        tokens = list(tokenize.generate_tokens(io.StringIO(flat).readline))
    except (tokenize.TokenError, IndentationError, SyntaxError):
        tokens = []  # what is wrong, the parser says
    text, places, at = "", [], 0
    for token in tokens:
        if token.type != tokenize.OP or token.string not in _WORDS or token.start[0] != 1:
            continue
        start = token.start[1]
        word = f" {_WORDS[token.string]} "
        text += flat[at:start] + word
        places += [*range(at, start), *[start] * len(word)]
        at = start + 1
    stripped = text + flat[at:]
    places += range(at, len(flat) + 1)
    lead = len(stripped) - len(stripped.lstrip())
    return stripped[lead:], places[lead:]


def _characters(text: str, num_bytes: int) -> int:
    return len(text.encode()[:num_bytes].decode(errors="ignore"))
