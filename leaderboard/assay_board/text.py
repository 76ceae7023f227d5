"""Texts from elsewhere, brought into a form that pages, logs and terminals can show."""


def one_line(text: str, longest: int) -> str:
    """Return a text without line ends and without what steers a terminal or turns writing around."""
    flat = " ".join(text.split())
    return "".join(letter if letter.isprintable() else "?" for letter in flat)[:longest]
