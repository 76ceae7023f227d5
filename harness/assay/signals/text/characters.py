"""What kind of character a code point is: one table for all of Unicode, made on first use."""

import string
import unicodedata
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

SPACE, WORD, LETTER, UPPER, DIGIT, PUNCTUATION, TERMINAL, LINE_BREAK = (1 << k for k in range(8))
"""Bits: `str.isspace`; word characters (letters, marks, digits, connectors, as Unicode's TR18 has them);
`str.isalpha`; `str.isupper`; `str.isdigit`; the punctuation of datatrove; what ends a sentence; what
`str.splitlines` splits at."""

TERMINALS = (
    "!.?։؞؟۔܀܁܂߹࠷࠹࠽࠾।॥၊။።፧፨᙮᜵᜶។៕៖៙៚᠃᠉᥄᥅᪨᪩᪪᪫᭚᭛᭞᭟᰻᰼᱾᱿‼‽⁇⁈⁉⸮⸼。꓿꘎꘏꛳꛷꡶꡷꣎꣏꤯꧈꧉꩝꩞꩟꫰꫱꯫﹒﹖﹗！．？｡"
    "\u061d\u1b7d\u1b7e\u2e53\u2e54"
)
"""Of living scripts: Unicode's Sentence_Terminal within the basic plane, as datatrove has it."""

_MORE_PUNCTUATION = "«´»–—’“”„…∶━►、〈〉《》「」【】％（），１：；～"
_CONTROLS = [*range(9), *range(11, 32), *range(127, 160)]
_BREAKS = "\n\r\x0b\x0c\x1c\x1d\x1e\x85\u2028\u2029"
_WORD_CATEGORIES = ("Lu", "Ll", "Lt", "Lm", "Lo", "Mn", "Mc", "Me", "Nd", "Nl", "Pc")
_JOINERS = (0x200C, 0x200D)
_CIRCLED = ((0x24B6, 0x24EA), (0x1F130, 0x1F14A), (0x1F150, 0x1F16A), (0x1F170, 0x1F18A))
_WORD_OTHERS = (*_JOINERS, *(code for first, last in _CIRCLED for code in range(first, last)))
_CODES = 0x110000


@lru_cache(maxsize=1)
def flags_of_characters() -> NDArray[np.uint8]:
    """Return the bits of every code point, (0x110000,)."""
    flags = np.zeros(_CODES, dtype=np.uint8)
    predicates = {
        SPACE: str.isspace,
        LETTER: str.isalpha,
        UPPER: str.isupper,
        DIGIT: str.isdigit,
        WORD: lambda character: unicodedata.category(character) in _WORD_CATEGORIES,
    }
    for bit, holds in predicates.items():
        found = np.fromiter(map(holds, map(chr, range(_CODES))), np.bool_, _CODES)
        flags |= found * np.uint8(bit)
    flags[[*_WORD_OTHERS]] |= WORD
    punctuation = [*map(ord, string.punctuation + TERMINALS + _MORE_PUNCTUATION), *_CONTROLS]
    flags[punctuation] |= PUNCTUATION
    flags[[*map(ord, TERMINALS)]] |= TERMINAL
    flags[[*map(ord, _BREAKS)]] |= LINE_BREAK
    return flags
