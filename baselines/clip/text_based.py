"""Text-based: English captions with a word that names something that can be seen.

Claim:  DataComp small: average over 38 of 15.7 % against 13.2 % without a filter; medium 30.7 against 25.8.
Ranks:  above no_filter
Source: Gadre et al. 2023, DataComp, https://arxiv.org/abs/2304.14108, section 3.3, and its `apply_filter.py`.
Cost:   A quarter of a core-hour for a million pairs, nearly all of it the language.
Form:   ids
Needs:  Signals nouns and language (extra `language`); a list of nouns: the generator's, the words of the
        pool NAME-reference, or `--set concepts=FILE` with one a line.

As in DataComp a word is what stands between white space, its punctuation included. Substituted: py3langid for
fastText's lid.176, unless `--set language_model=lid.176.bin` names it; the list of nouns for the synsets of
ImageNet-21k, whose names may be given as the file.
"""

import numpy as np
from numpy.typing import NDArray

from assay.strategy import PairView
from assay.strategy.languages import in_language


def select(
    pool: PairView,
    *,
    seed: int,
    concepts: str = "nouns",
    reference: str = "default",
    language_model: str = "",
) -> NDArray[np.void]:
    """Keep the pairs that pass both tests; the seed has nothing to decide."""
    named = pool.signal("num_nouns", concepts=concepts, reference=reference) > 0
    return pool.uids[named & in_language(pool, "en", language_model)]
