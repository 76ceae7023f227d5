r"""RefinedWeb's rules for lines: how much of a document they would cut out.

Source:
    Penedo et al. (2023), https://arxiv.org/abs/2306.01116, section G.2, in the reading of DCLM
    (`baselines/mappers/modifiers.py`, `dclm_baseline_refinedweb.yaml`): a line goes where more than half of
    its characters are capitals, where all are digits, where it is a counter ("3 likes") or a single word; of
    lines of at most ten words a call to action goes; a document goes where more than 5 % of its words did.
    Each rule sees the whole document here; in DCLM, what the rules before it left. URLs are not removed. Words are
    what white space cuts; in DCLM, what Unicode's rules cut, without punctuation (`benchmarks/refinedweb_lines.py`).
"""

import re

import numpy as np
from numpy.typing import NDArray

from assay.signals.columns import Columns, Examples, PerExample
from assay.signals.text.characters import DIGIT, UPPER
from assay.signals.text.layout import Ints, Layout, Spans, compact, layout_of, share

MAX_UPPER = 0.5
MAX_CALL_WORDS = 10
MAX_REMOVED_WORDS = 0.05

_COUNTER = re.compile(
    r"\W*\d(?:,|\.|\d)*[kmb]?\s+(?:likes|shares|comments|retweets|reposts|quotes|bookmarks|upvotes|downvotes|"
    r"downloads|views|followers)\W*"
)
_COUNTER_STEMS = (
    b"likes", b"shares", b"comments", b"tweets", b"reposts", b"quotes", b"bookmarks", b"votes",
    b"downloads", b"views", b"followers",
)  # fmt: skip
_CALL_SUFFIX, _CALL_PREFIX, _CALL_ANYWHERE = b"read more...", b"sign-in", b"items in cart"


def _refinedweb(examples: Examples) -> Columns:
    layout = examples.once(layout_of)
    lines = layout.lines
    words = layout.words
    num_words = words.starts.searchsorted(lines.stops) - words.starts.searchsorted(lines.starts)
    removed = num_words == 1
    for bit, most in ((UPPER, MAX_UPPER), (DIGIT, 1 - 1e-6)):
        before = layout.before((layout.flags & bit) != 0)
        removed |= share(before[lines.stops] - before[lines.starts], lines.lengths) > most
    removed |= _counters(layout, lines)
    called = np.where(num_words <= MAX_CALL_WORDS, _words_of_calls(layout, lines), 0)
    lost = layout.per_doc(lines.docs, np.where(removed, num_words, called))
    values = {"refinedweb_removed_words": share(lost, layout.per_doc(words.docs))}
    return compact(
        values, refinedweb_lines_ok=values["refinedweb_removed_words"] <= MAX_REMOVED_WORDS
    )


def _words_of_calls(layout: Layout, lines: Spans) -> Ints:
    """Count the words of "sign-in" at a line's start, "read more..." at its end, and "items in cart"."""
    carts = layout.spans_with(lines, layout.places(_CALL_ANYWHERE))
    signs = np.isin(lines.starts, layout.places(_CALL_PREFIX))
    mores = np.isin(lines.stops, layout.places(_CALL_SUFFIX) + len(_CALL_SUFFIX))
    return 3 * carts + 1 * signs + 2 * mores


def _counters(layout: Layout, lines: Spans) -> NDArray[np.bool_]:
    """Tell which lines are counters, looking only where one of the words is."""
    likely = np.zeros(len(lines), dtype=np.bool_)
    for stem in _COUNTER_STEMS:
        likely |= layout.spans_with(lines, layout.places(stem))
    digits = layout.before((layout.flags & DIGIT) != 0)
    likely &= digits[lines.stops] > digits[lines.starts]
    found = np.zeros(len(lines), dtype=np.bool_)
    for line in np.flatnonzero(likely).tolist():
        codes = layout.codes[lines.starts[line] : lines.stops[line]]
        text = codes.tobytes().decode("utf-32-le", "surrogatepass").lower()
        found[line] = _COUNTER.fullmatch(text) is not None
    return found


REFINEDWEB = PerExample(
    name="refinedweb_lines",
    version=1,
    kind="text",
    reads=("text",),
    columns={
        "refinedweb_removed_words": "share of words in lines that RefinedWeb's rules cut out",
        "refinedweb_lines_ok": "whether that is at most 5 %",
    },
    compute=_refinedweb,
)
