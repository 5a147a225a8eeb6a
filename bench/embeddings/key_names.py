"""Keys as numbers: 0 to 11 are C major to B major, 12 to 23 are C minor to B minor."""

import re

LETTERS = {"c": 0, "d": 2, "e": 4, "f": 5, "g": 7, "a": 9, "b": 11}
SYLLABLES = {"do": 0, "re": 2, "mi": 4, "fa": 5, "sol": 7, "la": 9, "si": 11}
ACCIDENTALS = {"": 0, "sharp": 1, "flat": -1}
MODES = {"major": 0, "minor": 12, "minore": 12, "maggiore": 0}

KEY_NAME = re.compile(
    rf"(?<![a-z])(?P<tonic>{'|'.join([*SYLLABLES, *LETTERS])})(?:[ -](?P<accidental>sharp|flat))? (?P<mode>{'|'.join(MODES)})(?![a-z])",
    re.IGNORECASE,
)


def key_in_title(title: str) -> int | None:
    """The key that a title such as "Intermezzo in B flat Minor" names."""
    found = KEY_NAME.search(title)
    if found is None:
        return None
    tonic = (LETTERS | SYLLABLES)[found["tonic"].lower()] + ACCIDENTALS[(found["accidental"] or "").lower()]
    return tonic % 12 + MODES[found["mode"].lower()]
