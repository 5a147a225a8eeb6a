"""Errors of this package: one exception for what a user can fix, and other programs' words made fit for its text."""

LONGEST_QUOTATION = 300
"""Characters that are passed on."""


class EmbeddingError(Exception):
    """The reason why a file, its audio or a front-end's weights could not be used, as one sentence for the user.

    The sentence never holds the path of a music file (callers know it, and it is untrusted text); for weights it names
    the file, because finding it is the fix.
    """


class OutOfTimeError(EmbeddingError):
    """A file that was given up because it took too long: nothing is known against it, and another try may succeed."""


def quoted(text: str) -> str:
    """Somebody else's words: printable, on one line, and not too long."""
    plain = "".join(character if character.isprintable() else " " for character in text[: 4 * LONGEST_QUOTATION])
    short = " ".join(plain.split())
    return short if len(short) <= LONGEST_QUOTATION else f"{short[:LONGEST_QUOTATION]}…"


def unforeseen(error: BaseException) -> str:
    """The clause for an exception that nobody foresaw: its class and its words, quoted."""
    return quoted(f"{type(error).__name__}: {error}".removesuffix(": "))
