"""Text as it is compared and indexed: without case and accents, taken apart into words."""

import re
import unicodedata
from functools import cache, lru_cache

_LETTERS = str.maketrans(
    {"ø": "o", "đ": "d", "ł": "l", "æ": "ae", "œ": "oe", "ð": "d", "þ": "th", "\u0131": "i", "\u2019": "'"}
)
"""Letters that Unicode does not take apart but people type without."""
_UNSPACED = (
    "\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff\u3040-\u30ff\u3400-\u9fff\uac00-\ud7af\uf900-\ufaff\U00020000-\U0003ffff"
)
"""Scripts written without spaces between words (Thai, Khmer, Japanese, Chinese …): each character is a word."""
_MOST = 1 << 12
"""Characters of one text that are indexed; tags are untrusted."""


@lru_cache(maxsize=1 << 14)
def normalise(text: str) -> str:
    """``text`` as it is compared: no case, no accents.

    >>> normalise("Sigur Rós – ÁGÆTIS")
    'sigur ros – agaetis'
    """
    if text.isascii():
        return text.lower()
    apart = unicodedata.normalize("NFKD", text.casefold())
    return "".join(c for c in apart if not unicodedata.combining(c)).translate(_LETTERS)


def words_of(text: str) -> list[str]:
    """The words of a text, folded.

    >>> words_of("AC/DC: Für Elise")
    ['ac', 'dc', 'fur', 'elise']
    """
    return _word().findall(normalise(text))


@cache
def _word() -> re.Pattern[str]:
    """A word. Vowel signs of Indian scripts are no letters to Python, but parts of words.

    Compiled where it is first asked for, as it takes longer than a look-up's own work, and most need none.
    """
    return re.compile(f"[{_UNSPACED}]|(?:[^\\W_{_UNSPACED}]|[\u0300-\u036f\u0900-\u0dff])+")


@cache
def _lone() -> re.Pattern[str]:
    return re.compile(f"[{_UNSPACED}]")


def indexed_words(text: str | None) -> str:
    """A text as the search index holds it: its words, then those that signs take apart once more in one piece.

    So "Jimmy's" is found by "jimmys" too, and "AC/DC" by "acdc".

    >>> indexed_words("Jimmy's Blues")
    'jimmy s blues jimmys'
    """
    folded = normalise((text or "")[:_MOST])
    joined = [
        "".join(parts)
        for chunk in folded.split()
        if not chunk.isalnum() and len(parts := _word().findall(chunk)) > 1 and not _lone().search(chunk)
    ]
    return " ".join([*_word().findall(folded), *joined])
