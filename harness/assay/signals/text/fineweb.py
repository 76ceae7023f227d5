"""FineWeb's own rules, which follow those of Gopher and C4.

Source:
    Penedo et al. (2024), https://arxiv.org/abs/2406.17557, section 3.6, in the reading of datatrove 0.10
    (`FineWebQualityFilter`), whose decisions these are document by document when it is given the same
    words. There, the rules see what C4's left of a document; here, all of it.
"""

import numpy as np

from assay.signals.columns import Columns, Examples, PerExample
from assay.signals.text.characters import TERMINAL
from assay.signals.text.layout import compact, layout_of, share
from assay.signals.text.repetition import repeated_spans

MIN_ENDED_LINES = 0.12
SHORT_LINE, MAX_SHORT_LINES = 30, 0.67
MAX_REPEATED_CHARACTERS = 0.01
MAX_NEW_LINES = 0.3


def _fineweb(examples: Examples) -> Columns:
    layout = examples.once(layout_of)
    lines = layout.lines
    lines = lines[layout.stripped(lines).lengths > 0]
    num_lines = layout.per_doc(lines.docs)
    new_lines = layout.per_doc(layout.lines.docs) - 1
    ended = (layout.flags[lines.stops - 1] & TERMINAL) != 0
    _, repeated = repeated_spans(layout, lines)
    num_words = layout.per_doc(layout.tokens.docs)
    values = {
        "fineweb_ended_lines": share(layout.per_doc(lines.docs[ended]), num_lines),
        "fineweb_short_lines": share(
            layout.per_doc(lines.docs[lines.lengths <= SHORT_LINE]), num_lines
        ),
        "fineweb_repeated_line_characters": share(repeated, layout.num_characters - new_lines),
        "fineweb_new_lines": share(new_lines, num_words),
    }
    ok = (
        (num_lines > 0)
        & (values["fineweb_ended_lines"] >= MIN_ENDED_LINES)
        & (values["fineweb_short_lines"] <= MAX_SHORT_LINES)
        & (values["fineweb_repeated_line_characters"] <= MAX_REPEATED_CHARACTERS)
        & (values["fineweb_new_lines"] <= MAX_NEW_LINES)
    )
    return compact(values, fineweb_ok=np.asarray(ok))


FINEWEB = PerExample(
    name="fineweb",
    version=1,
    kind="text",
    reads=("text",),
    columns={
        "fineweb_ended_lines": "share of lines that end in terminal punctuation",
        "fineweb_short_lines": "share of lines of at most 30 characters",
        "fineweb_repeated_line_characters": "share of characters in lines that equal an earlier one",
        "fineweb_new_lines": "line feeds per word, punctuation counted as words",
        "fineweb_ok": "whether FineWeb's own rules keep it",
    },
    compute=_fineweb,
)
