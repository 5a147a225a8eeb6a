"""How long "not now" rests a track, and how that is said."""

HOUR = 3600.0
DAY = 24 * HOUR
"""Not now, without more: till about the same time tomorrow."""
MONTH = 30 * DAY
RESTS: tuple[tuple[str, float], ...] = (("an hour", HOUR), ("a day", DAY), ("30 days", MONTH))
"""What the menu offers."""
REST_NAMES = {"hour": HOUR, "day": DAY, "month": MONTH}
"""What the command line offers."""


def rest_words(seconds: float | None) -> str:
    """A length of rest as the end of a sentence: "till tomorrow", "for an hour", "for 3 days"."""
    if seconds is None or seconds == DAY:
        return "till tomorrow"
    for words, length in RESTS:
        if seconds == length:
            return f"for {words}"
    if seconds >= 2 * DAY:
        return f"for {round(seconds / DAY)} days"
    return f"for {round(seconds / HOUR)} hours" if seconds >= 2 * HOUR else f"for {max(1, round(seconds / 60))} minutes"
