"""Figures drawn with the characters of a terminal."""

from collections.abc import Sequence

EIGHTHS = " ▏▎▍▌▋▊▉█"
LEVELS = "▁▂▃▄▅▆▇█"


def interval_line(low: float | None, mean: float, high: float | None, start: float, end: float, width: int) -> str:
    """``   ├──●──┤  ``: a figure and its interval on an axis from ``start`` to ``end``, ``width`` cells wide."""

    def cell(value: float) -> int:
        share = (value - start) / (end - start) if end > start else 0.5
        return min(width - 1, max(0, round(share * (width - 1))))

    cells = [" "] * width
    if low is not None and high is not None:
        first, last = cell(low), cell(high)
        cells[first : last + 1] = "─" * (last + 1 - first)
        if last > first:
            cells[first], cells[last] = "├", "┤"
    cells[cell(mean)] = "●"
    return "".join(cells)


def bar(share: float, width: int) -> str:
    """A bar of ``share`` (0…1) of ``width`` cells, to an eighth of a cell."""
    eighths = round(min(1.0, max(0.0, share)) * width * 8)
    whole, rest = divmod(eighths, 8)
    return ("█" * whole + (EIGHTHS[rest] if rest else "")).ljust(width)


def curve(values: Sequence[float | None], start: float, end: float) -> str:
    """One cell a value, as high as it lies between ``start`` and ``end``; a blank where there is none."""

    def level(value: float) -> str:
        share = (value - start) / (end - start) if end > start else 0.5
        return LEVELS[min(len(LEVELS) - 1, max(0, round(share * (len(LEVELS) - 1))))]

    return "".join(" " if value is None else level(value) for value in values)
