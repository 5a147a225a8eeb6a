"""Texts of unknown origin made fit for a terminal, a file or a picture."""


def printable(text: str, instead: str = " ") -> str:
    """``text`` with ``instead`` for every character that is not printable: controls of a terminal, ends of lines, halves of surrogates."""
    return text if text.isprintable() else "".join(letter if letter.isprintable() else instead for letter in text)
