"""Other programs' words in our sentences."""

LONGEST = 300
"""Characters that are passed on."""


def quoted(text: str) -> str:
    """Somebody else's words: printable, on one line, and not too long."""
    plain = "".join(character if character.isprintable() else " " for character in text[: 4 * LONGEST])
    short = " ".join(plain.split())
    return short if len(short) <= LONGEST else f"{short[:LONGEST]}…"
