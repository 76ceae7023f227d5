"""`foundry-text`: an embedded pool with planted defects, and the suite that goes with it.

Data card

What it is. Pages about a small made-up world (32 people, 16 towns, and animals, objects and foods,
with some 500 facts), in seven genres: encyclopedia, story, questions, guide, report, arithmetic,
letter. No page was written by a person and none is about one. It exists to test instruments: a
benchmark that cannot tell a clean selection from a spoilt one of this pool measures nothing.

How it is made. Document i is a function of i alone: integer arithmetic on SHAKE-256, no library's
random numbers, no floating point. Any range, in any order, on any machine, has the same bytes. A
uid is a hash of i, so the order of uids tells nothing.

What is visible. `url`, `host` (40 of them, in five tiers of care) and `timestamp` (2016 to 2025,
later years a little worse). What is not: `Truth`, for oracles and diagnostics only.

What is wrong with it. Of every thousand documents, by their first defect:

    boilerplate        65  surface     corrupted_facts    80  hidden
    foreign_language   55  surface     broken_agreement   65  hidden
    keyword_spam       45  surface     shuffled_words     40  hidden
    gibberish          45  surface     near_duplicate     40  hidden
    markup_residue     50  surface     wrong_arithmetic   25  hidden
    repetition         45  surface     exact_duplicate    15  hidden
    truncated          30  surface     leaked_item        10  hidden
    shouting           25  surface     (clean)           365

Statistics of characters, words and lines show a surface defect; to see a hidden one takes a model,
knowledge of the world, or a comparison with the other documents or the suite. Every block of a
thousand documents has exactly these numbers. A fifth of the pages with boilerplate, markup,
repetition, truncation or shouting also have wrong facts or broken grammar underneath. Copies come
in clusters of 2 to 25, most of them small.

What is measured. Eight tasks with choices and held-out pages of every genre, see `TASKS`. Items use
combinations of words that documents never use, so an item stands in a document only as a leak.

Reference. `FoundrySource(n, reference=True)` yields clean pages that are in neither pool nor suite, to
train classifiers and language models on. `FoundrySource(n, spam=True)` yields pages of keyword spam, likewise in neither,
for methods that learn what to drop: the nearest that this world has to harmful text.

Limits. The language is that of templates: a few sentence patterns and about a thousand words. What
ranks strategies here need not rank them on real text.
"""

from assay.foundry.defects import defect_rates
from assay.foundry.items import TASKS, TaskCard, suite_items
from assay.foundry.pages import FoundryDocument, Truth, documents

__all__ = [
    "TASKS",
    "FoundryDocument",
    "TaskCard",
    "Truth",
    "defect_rates",
    "documents",
    "suite_items",
]
