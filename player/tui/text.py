"""Words and numbers as a terminal can show them: fitted, padded, and with nothing in them that a terminal would obey."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from rich.cells import cell_len, set_cell_size

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

BLOCKS = "▁▂▃▄▅▆▇█"
_EIGHTHS = len(BLOCKS) - 1
_KEEP_WORDS = 0.6
"""A cut falls between words when at least this share of the room stays used; else inside the word."""

_REPLACED = (
    *range(0x20),  # C0: escape sequences start here
    *range(0x7F, 0xA0),  # delete and C1
    *range(0x2028, 0x202F),  # line and paragraph separators, direction overrides
    *range(0x2066, 0x206A),  # direction isolates
    *range(0xD800, 0xE000),  # half characters, from file names that are not UTF-8
    0xFEFF,
)
_PLAIN = dict.fromkeys(_REPLACED, " ")


def plain(text: str) -> str:
    """Text from a tag or a file name, without control characters or direction overrides."""
    return text if text.isascii() and text.isprintable() else text.translate(_PLAIN)


def fit(text: str, width: int) -> str:
    """The text in at most ``width`` cells, ended by an ellipsis – between words where that wastes little."""
    text = plain(text)
    if cell_len(text) <= width:
        return text
    if width < 1:
        return ""
    cut = set_cell_size(text, width - 1)
    if not text[len(cut.rstrip()) :].startswith(" "):
        at_word = cut.rstrip().rfind(" ")
        if at_word >= len(cut) * _KEEP_WORDS:
            cut = cut[:at_word]
    return cut.rstrip(" ,;:-–·") + "…"


def tail(path: str, width: int) -> str:
    """The end of a path in at most ``width`` cells, begun by an ellipsis – at a folder where one begins there."""
    path = plain(path)
    if cell_len(path) <= width:
        return path
    if width < 1:
        return ""
    while cell_len(path) > width - 1:
        path = path[1:]
    folder = path.find("/")
    return "…" + (path[folder:] if 0 <= folder <= len(path) * (1 - _KEEP_WORDS) else path)


def column(text: str, width: int) -> str:
    """The text fitted and padded to exactly ``width`` cells."""
    return set_cell_size(fit(text, width), max(width, 0))


def right(text: str, width: int) -> str:
    """The text fitted and padded on the left to exactly ``width`` cells."""
    fitted = fit(text, width)
    return " " * max(width - cell_len(fitted), 0) + fitted


def shares(width: int, weights: Sequence[int]) -> list[int]:
    """``width`` cells split in proportion to the weights; what is left over goes to the first."""
    total = sum(weights)
    parts = [max(width, 0) * weight // total for weight in weights]
    parts[0] += max(width, 0) - sum(parts)
    return parts


def clock(seconds: float) -> str:
    """Seconds as a listener reads them: 4:05, 1:02:03."""
    if not math.isfinite(seconds):
        return "–:––"
    minutes, rest = divmod(max(int(seconds), 0), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{rest:02}" if hours else f"{minutes}:{rest:02}"


def left_over(seconds: float) -> str:
    """A remaining time in words, no more exact than it deserves."""
    if not math.isfinite(seconds):
        return ""
    if seconds < 90:  # noqa: PLR2004 - up to a minute and a half, seconds are what one counts
        return f"{max(round(seconds), 0)} s left"
    return f"{round(seconds / 60)} min left"


def number(value: float) -> str:
    """A measure to two decimals; a dash where there is none."""
    return f"{value:.2f}" if math.isfinite(value) else "–"


def signed(logits: float) -> str:
    """Logits as a person reads them: two digits and a sign, and never "-0.00"."""
    return f"{round(logits, 2) + 0.0:+.2f}"


def count(value: int, noun: str) -> str:
    """A count with its noun: "1 track", "240 tracks", "100,000 tracks"."""
    return f"{value:,} {noun}{'' if value == 1 else 's'}"


def times(value: int) -> str:
    """A number of times: "0 times", "once", "12 times"."""
    return "once" if value == 1 else f"{value:,} times"


def count_if_any(value: int, noun: str) -> str:
    """The same, and nothing at all of what cannot be counted or is not there."""
    return count(value, noun) if value else ""


def dotted(parts: Iterable[str]) -> str:
    """The parts that are there, with dots between."""
    return " · ".join(part for part in parts if part)


def sparkline(values: Sequence[float], width: int) -> str:
    """The last ``width`` values as block characters, from the lowest to the highest of them, newest at the right."""
    shown = [value for value in values if math.isfinite(value)][-width:] if width > 0 else []
    if not shown:
        return " " * max(width, 0)
    low, span = min(shown), max(shown) - min(shown)
    levels = [round((value - low) / span * _EIGHTHS) if span > 0 else _EIGHTHS // 2 for value in shown]
    return "".join(BLOCKS[level] for level in levels).rjust(width)


def bar(share: float, width: int) -> tuple[str, str]:
    """A progress bar of ``width`` cells to half a cell: the part done and the rest."""
    halves = round(min(max(share, 0.0), 1.0) * width * 2) if math.isfinite(share) else 0
    done = "━" * (halves // 2) + ("╸" if halves % 2 else "")
    return done, "─" * (width - len(done))
