"""Capital letters of 3 x 5 pixels, to write into images."""

from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

GLYPH_WIDTH, GLYPH_HEIGHT = 3, 5
ADVANCE, LINE = GLYPH_WIDTH + 1, GLYPH_HEIGHT + 1
"""Pixels from one letter to the next, and from one line to the next."""

_GLYPHS = {
    " ": "00000", "A": "25755", "B": "65656", "C": "34443", "D": "65556", "E": "74647",
    "F": "74644", "G": "34553", "H": "55755", "I": "72227", "J": "11152", "K": "55655",
    "L": "44447", "M": "57755", "N": "65555", "O": "25552", "P": "65644", "Q": "25563",
    "R": "65655", "S": "34216", "T": "72222", "U": "55557", "V": "55552", "W": "55775",
    "X": "55255", "Y": "55222", "Z": "71247", "-": "00700", ".": "00002", "!": "22202",
}  # fmt: skip
"""Five rows a letter, each an octal digit of three pixels, the left one highest."""


@lru_cache(maxsize=4096)
def letters(line: str) -> NDArray[np.bool_]:
    """Return one line of text as (5, 4 * letters - 1) pixels; letters are written as capitals."""
    ink = np.zeros((GLYPH_HEIGHT, ADVANCE * len(line) - 1), dtype=bool)
    for place, letter in enumerate(line.upper()):
        for row, digit in enumerate(_GLYPHS[letter]):
            for column in range(GLYPH_WIDTH):
                ink[row, ADVANCE * place + column] = int(digit) >> (2 - column) & 1
    ink.flags.writeable = False
    return ink


def wrap(text: str, width: int) -> list[str]:
    """Break text into lines that fit an image, between words where that is possible.

    Args:
        text: Words with single spaces.
        width: Of the image, in pixels.
    """
    fit = (width + 1) // ADVANCE
    lines = [""]
    for word in text.split(" "):
        joined = f"{lines[-1]} {word}".strip()
        if len(joined) <= fit:
            lines[-1] = joined
        else:
            lines.append(word[:fit])
    return [line for line in lines if line]


def write(pixels: NDArray[np.int32], text: str, rgb: tuple[int, int, int], ink: int = 16) -> None:
    """Write into an image, line under line, centred.

    Args:
        pixels: (height, width, 3), changed in place.
        text: What to write; lines that do not fit are left out.
        rgb: In which colour.
        ink: How much of it, in [0, 16].
    """
    height, width, _ = pixels.shape
    lines = wrap(text, width)[: max(1, (height + 1) // LINE)]
    top = max(0, (height - LINE * len(lines) + 1) // 2)
    for line in lines:
        mask = letters(line)[: height - top, :width]
        left = (width - mask.shape[1]) // 2
        area = pixels[top : top + mask.shape[0], left : left + mask.shape[1]]
        area[mask] = (area[mask] * (16 - ink) + np.array(rgb, dtype=np.int32) * ink) // 16
        top += LINE
